"""What CloudFront leaves of Accept gets the same answer as the whole header: run by Node, which Playwright brings."""

from __future__ import annotations

import itertools
import json
import random
import subprocess

import pytest
from playwright._impl._driver import compute_driver_executable
from recognizer.http.negotiation import negotiated, prefers_html

from tests.contract.cloudformation import TEMPLATE

FUNCTION = TEMPLATE["Resources"]["AcceptFunction"]["Properties"]["FunctionCode"]
# https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/Content_negotiation/List_of_default_Accept_values
USUAL = [
    "*/*",
    (
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
        "application/signed-exchange;v=b3;q=0.7"
    ),
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
    "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
    (
        "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,"
        "video/*;q=0.8,*/*;q=0.5"
    ),
]
MEDIA = ["*/*", "image/*", "image/webp", "image/png", "image/avif", "application/json", "application/*", "text/html"]
MEDIA += ["application/problem+json"]
QUALITIES = ["", ";q=0", ";q=0.0", ";q=0.3", ";q=0.8", "; q=0.5", ";q=1.0", ";q=abc", ";v=b3;q=0.7", ";Q=0.2"]


def shortened(requests):
    """What the function makes of the Accept of each request, a pair of method and header; None where there is none."""
    program = f"""{FUNCTION}
        const requests = JSON.parse(require('fs').readFileSync(0));
        const events = requests.map(([method, accept]) => (
            {{ request: {{ method, headers: accept === null ? {{}} : {{ accept: {{ value: accept }} }} }} }}));
        console.log(JSON.stringify(events.map((event) => handler(event).headers.accept?.value ?? null)));"""
    node, _ = compute_driver_executable()
    done = subprocess.run(
        [node, "-e", program], input=json.dumps(requests), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def headers():
    """Every header of one or two media ranges, and many of three and four."""
    ranges = [media + quality for media, quality in itertools.product(MEDIA, QUALITIES)]
    yield from ranges
    yield from (", ".join(pair) for pair in itertools.product(ranges, repeat=2))
    chosen = random.Random(13)  # noqa: S311 - the same ones each time
    yield from (",".join(chosen.choices(ranges, k=chosen.choice([3, 4]))) for _ in range(20_000))


def test_the_answer_is_the_same():
    accepts = list(headers())

    left = shortened([("GET", accept) for accept in accepts])

    others = {
        (accept, short)
        for accept, short in zip(accepts, left, strict=True)
        if negotiated(accept, "image") != negotiated(short, "image") or prefers_html(accept) != prefers_html(short)
    }
    assert not others
    assert sum(accept != short for accept, short in zip(accepts, left, strict=True)) > 100


@pytest.mark.parametrize("accept", [*USUAL, None])
def test_what_browsers_and_curl_send_is_one_key_for_people_and_one_for_programs(accept):
    assert shortened([("GET", accept)]) == ["text/html,image/*" if accept and "text/html" in accept else "image/*"]


def test_other_methods_keep_theirs():
    """A POST is answered with JSON unless a picture is asked for."""
    assert shortened([("POST", "*/*"), ("POST", None)]) == ["*/*", None]
