import io
import urllib.request

import pytest
from PIL import Image

from benchmarks import pictures


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_an_event_asks_for_a_picture_of_the_size_that_is_served():
    with pictures.served() as event:
        asked = event(0.3, n="5")
        query = asked["queryStringParameters"]
        with urllib.request.urlopen(query["url"], timeout=5) as response:
            picture = Image.open(io.BytesIO(response.read()))
    assert picture.width * picture.height == pytest.approx(300_000, rel=0.01)
    assert query["n"] == "5"
    assert asked["rawQueryString"].endswith("0.3.jpg&n=5")
    assert asked["headers"]["accept"] == "*/*"


def test_the_standard_picture_has_the_size_that_the_figures_name():
    assert Image.open(io.BytesIO(pictures._jpeg(pictures.STANDARD_MP))).size == (1024, 636)
