"""Where a browser is told that the buckets are is where the forms and addresses lead."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from recognizer.settings import Settings
from recognizer.uploads import storage
from recognizer.uploads.storage import Bucket


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "ap-southeast-2", "cn-north-1"])
@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:4566"])
def test_forms_and_addresses_lead_to_the_origins_of_the_settings(monkeypatch, region, endpoint):
    environ = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region, "AWS_ENDPOINT_URL": endpoint}
    for name, value in {**environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
    storage._client.cache_clear()
    buckets = Settings.from_environ({**environ, "UPLOADS_BUCKET": "pictures", "RESULTS_BUCKET": "results"}).buckets

    form = Bucket(buckets.uploads).form("key", {"Content-Type": "image/png"}, 100, 600)
    address = Bucket(buckets.results).address("key", 600)
    storage._client.cache_clear()

    led_to = [f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in (form["url"], address)]
    assert tuple(dict.fromkeys(led_to)) == buckets.origins
