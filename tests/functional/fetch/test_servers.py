"""Whatever a server does, a fetch ends with the right error and in little memory, and the next fetch works.

A hang would end at no assertion but at the deadline, with another error than the one that is expected here.
"""

from __future__ import annotations

import tracemalloc

import pytest
from recognizer.errors import DownloadTimedOut

from tests.functional.fetch.downloads import MAX_BYTES, PATIENT_S, PICTURE, SHORT_S
from tests.functional.fetch.servers import BOMBS, BROKEN, FLOODS, LIES, REDIRECTS, SMALL_CHUNKS, says

pytestmark = pytest.mark.enable_socket

MAX_MEMORY_BYTES = 4_000_000  # mostly headers, of which 1 MB may arrive
HOSTILE = FLOODS | LIES | BOMBS | BROKEN | REDIRECTS


@pytest.fixture
def measured():
    tracemalloc.start()
    yield tracemalloc.get_traced_memory
    tracemalloc.stop()


@pytest.mark.parametrize("name", HOSTILE)
def test_it_ends_rightly_in_little_memory_and_the_next_fetch_works(server, client, measured, name):
    route, expected = HOSTILE[name]
    server.routes["/hostile"] = route
    client.fetch(server.url("/picture"))
    before, _ = measured()

    client._timeout_s = SHORT_S if expected is DownloadTimedOut else PATIENT_S
    try:
        came = client.fetch(server.url("/hostile"))
    except Exception as error:  # noqa: BLE001  any other than the expected one fails
        came = type(error)
    _, peak = measured()

    client._timeout_s = PATIENT_S
    assert came == expected
    assert peak - before < MAX_MEMORY_BYTES
    assert client.fetch(server.url("/picture")) == PICTURE


def test_small_chunks_take_no_more_memory_than_large_ones(server, client, measured):
    """Kept one by one, each of their 25,000 pieces would take six times its bytes."""
    server.routes["/small"] = says(SMALL_CHUNKS)
    client.fetch(server.url("/picture"))
    before, _ = measured()

    assert client.fetch(server.url("/small")) == b"8 bytes." * (MAX_BYTES // 8)
    _, peak = measured()
    assert peak - before < 4 * MAX_BYTES
