"""What a real browser sends is judged right: links and the server's own page get in, other pages do not."""

from __future__ import annotations

import contextlib
import threading

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from local.gateway import Gateway
from local.visitors import Visitors

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")

FETCH = (
    "([url, options]) => fetch(url, options).then(async answer => `${answer.status} ${await answer.text()}`, String)"
)


class Quiet(WSGIRequestHandler):
    def log(self, *_):
        """Says nothing."""


def handle(event, _):
    """A page at every address, and CORS for everyone, as the service has it."""
    headers = {"Content-Type": "text/html", "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
    return {"statusCode": 200, "headers": headers, "body": f"<title>served {event['rawPath']}</title>"}


@contextlib.contextmanager
def port_of(visitors, say=None):
    server = make_server("127.0.0.1", 0, Gateway(handle, visitors, say), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def lines():
    """What the guarded server said of its requests."""
    return []


@pytest.fixture
def guarded(lines):
    with port_of(Visitors("127.0.0.1"), lines.append) as port:
        yield port


@pytest.fixture
def elsewhere():
    """The port of another server on this machine: another origin, to the browser the same site."""
    with port_of(None) as port:
        yield port


@pytest.mark.parametrize("page_host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("asked_host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize(
    "options", [{}, {"method": "POST", "body": "{}", "headers": {"Content-Type": "application/json"}}]
)
def test_the_servers_own_page_may_ask_it(page, guarded, page_host, asked_host, options):
    page.goto(f"http://{page_host}:{guarded}/")

    assert page.evaluate(FETCH, [f"http://{asked_host}:{guarded}/detector", options]).startswith("200 ")


@pytest.mark.parametrize("page_host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize(
    "options", [{}, {"method": "POST", "body": "{}", "headers": {"Content-Type": "application/json"}}]
)
def test_a_page_of_another_origin_reads_that_it_is_refused_and_why(page, guarded, elsewhere, page_host, options):
    page.goto(f"http://{page_host}:{elsewhere}/")

    said = page.evaluate(FETCH, [f"http://127.0.0.1:{guarded}/detector", options])

    assert said.startswith("403 ")
    assert f"the page of http://{page_host}:{elsewhere} asks" in said


def test_a_picture_that_another_page_embeds_is_refused(page, guarded, elsewhere, lines):
    page.goto(f"http://localhost:{elsewhere}/")
    page.evaluate(
        "url => new Promise(done => { const picture = new Image(); picture.onerror = done; picture.src = url; })",
        f"http://127.0.0.1:{guarded}/detector",
    )

    assert lines[0].startswith("GET /detector 403 ")


def test_a_link_on_another_page_leads_here(page, guarded, elsewhere):
    page.goto(f"http://localhost:{elsewhere}/")
    page.evaluate("url => { location.href = url; }", f"http://127.0.0.1:{guarded}/?url=x")
    page.wait_for_url(f"http://127.0.0.1:{guarded}/?url=x")

    assert page.title() == "served /"
