"""``python -m local``: serves the detector on this machine.

Owns the settings that differ from Lambda's (private addresses allowed, so that the sample pictures and one's own
servers can be fetched) and what is said at the start. Refuses to listen beyond this machine unless HOST says so.
"""

from __future__ import annotations

import os
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from local.gateway import Gateway

_RECOGNIZER = Path(__file__).resolve().parent.parent / "src" / "Recognizer"

# For a machine of one's own; what the environment already says goes first.
_DEFAULTS = {
    "ALLOW_PRIVATE_ADDRESSES": "true",
    "ALLOWED_URL_PORTS": "*",
    "POWERTOOLS_SERVICE_NAME": "recognizer-local",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


_MAX_PORT = 65_535


class _Quiet(WSGIRequestHandler):
    """The service logs each request itself."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""


def main() -> int:
    """Loads the service and serves it until it is interrupted; the exit code is 0 unless it could not start."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "3000"
    if not (port.isascii() and port.isdigit() and int(port) <= _MAX_PORT):
        print(f"recognizer: PORT is {port!r}, not a number up to {_MAX_PORT}", file=sys.stderr)
        return 1
    sys.path.insert(0, str(_RECOGNIZER))
    from recognizer.errors import StartupError  # noqa: PLC0415 - importable only now

    try:
        handler = import_module("handler").lambda_handler
        server = make_server(host, int(port), Gateway(handler), threaded=True, request_handler=_Quiet)
    except (StartupError, OSError) as error:
        print(f"recognizer: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nrecognizer: stopped while loading")
        return 0
    _serve(server, host)
    return 0


def _serve(server: BaseWSGIServer, host: str) -> None:
    _greet(host if host not in {"0.0.0.0", "::"} else "127.0.0.1", server.port)  # noqa: S104 - told apart, not bound
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:
        print("\nrecognizer: stopped")
    finally:
        server.shutdown()
        server.server_close()


def _greet(host: str, port: int) -> None:
    from recognizer.settings import Settings  # noqa: PLC0415
    from recognizer.vision.model import Model  # noqa: PLC0415 - importable only after main set the path

    model = Model.load(Settings.from_environ(os.environ).model_dir)
    facts: dict[str, Any] = model.facts
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    told = model.identity
    print(f"\nrecognizer: {told.name}, engine {told.engine}, graph {told.graph}\n  from {facts.get('source')}")
    if facts.get("fallback"):
        print(
            "  WARNING: this is the fallback, a COCO detector with 80 of the 601 classes: the published model could\n"
            "  not be reached. `make model` tries again; MODEL_URL=… takes a model of your own."
        )
    if host not in {"127.0.0.1", "localhost", "::1"} or os.environ.get("HOST") in {"0.0.0.0", "::"}:  # noqa: S104
        print("  WARNING: others can reach this server, and through it the private addresses that you can reach.")
    print(
        f"\n  browser  {address}/\n"
        f"  curl     curl -o cat.jpg '{address}/detector?url={address}/samples/cat.jpg'\n\n"
        "Ctrl-C ends it.",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
