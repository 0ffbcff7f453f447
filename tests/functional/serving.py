"""The service as tests run it: its environment, and its handler behind the local server on loopback."""

from __future__ import annotations

import contextlib
import threading

from werkzeug.serving import WSGIRequestHandler, make_server

from local.gateway import Gateway
from tests.conftest import THREADS


def environment(model, **settings):
    """What describes a service with the model in a folder, and servers on loopback to fetch from."""
    return {
        "MODEL_DIR": str(model),
        "THREADS": str(THREADS),
        "ALLOW_PRIVATE_ADDRESSES": "true",
        "ALLOWED_URL_PORTS": "*",
        **settings,
    }


class _Quiet(WSGIRequestHandler):
    def log(self, *_):
        """Says nothing."""


@contextlib.contextmanager
def served(handler):
    """The address of the local server stack before a handler; nothing of it is left afterwards."""
    server = make_server("127.0.0.1", 0, Gateway(handler), threaded=True, request_handler=_Quiet)
    server.daemon_threads = False  # closing waits for every request under way
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
