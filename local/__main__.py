"""``python -m local``: serves the detector on this machine.

Owns the settings that differ from Lambda's: private addresses are allowed, so that the sample pictures and one's own
servers can be fetched, and the log is for people. It listens to this machine alone unless HOST says otherwise.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.gateway import Gateway

_RECOGNIZER = Path(__file__).resolve().parent.parent / "src" / "Recognizer"

# For a machine of one's own; what the environment already says goes first.
_DEFAULTS = {
    "ALLOW_PRIVATE_ADDRESSES": "true",
    "ALLOWED_URL_PORTS": "*",
    "COMPAT": "all",
    "POWERTOOLS_SERVICE_NAME": "recognizer-local",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}
_LOGS = ("text", "json")
_MAX_PORT = 65_535


class _CannotStart(Exception):
    """What stops the server; the message says what to change."""


class _Quiet(WSGIRequestHandler):
    """The gateway has a line for each request, in which the query is left out."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""


def main() -> int:
    """Loads the service and serves it until it is interrupted; the exit code is 0 unless it could not start."""
    sys.path.insert(0, str(_RECOGNIZER))
    from recognizer.errors import StartupError  # noqa: PLC0415 - importable only now

    try:
        with _listening(os.environ) as listener:
            gateway = _loaded(listener.getsockname()[1])
            host, port = listener.getsockname()[:2]
            _serve(make_server(host, port, gateway, True, request_handler=_Quiet, fd=listener.fileno()))  # noqa: FBT003
    except (StartupError, _CannotStart) as error:
        print(f"recognizer: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nrecognizer: stopped")
    return 0


def _listening(environ: Mapping[str, str]) -> socket.socket:
    """A socket on HOST and PORT: before the model is loaded, which takes seconds."""
    host, port = _host(environ), environ.get("PORT") or "3000"
    if not (port.isascii() and port.isdigit() and int(port) <= _MAX_PORT):
        raise _CannotStart(f"PORT is {port!r}, not a number up to {_MAX_PORT}")
    try:
        return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            other = int(port) % _MAX_PORT + 1
            raise _CannotStart(f"another program has port {port}; take another one: make run PORT={other}") from error
        raise _CannotStart(f"HOST={host} PORT={port} cannot be listened on: {error}") from error


def _host(environ: Mapping[str, str]) -> str:
    return environ.get("HOST") or "127.0.0.1"


def _loaded(port: int) -> Gateway:
    """The service behind HTTP; says what it is once it is ready."""
    from model_build import noise  # noqa: PLC0415 - importable only after main set the path, here and below
    from recognizer.settings import Settings  # noqa: PLC0415
    from recognizer.vision.model import Model  # noqa: PLC0415

    from local import console, gateway, visitors  # noqa: PLC0415

    log = os.environ.get("LOG") or _LOGS[0]
    if log not in _LOGS:
        raise _CannotStart(f"LOG is {log!r}; there are {' and '.join(_LOGS)}")
    defaults = _DEFAULTS if log == "json" else {**_DEFAULTS, "POWERTOOLS_LOG_LEVEL": "WARNING"}
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    settings = Settings.from_environ(os.environ)
    model = Model.load(settings.model_dir)
    print(f"recognizer: loading {model.identity.name}", flush=True)
    with noise.left_out():
        handler = import_module("handler").lambda_handler
    if log != "json":
        console.log_for_people(os.environ["POWERTOOLS_SERVICE_NAME"])
    host = _host(os.environ)
    greeting = console.greeting(model, host, port, reaches_private=settings.allow_private, access=settings.access)
    print(f"\n{greeting}", flush=True)
    return gateway.Gateway(
        handler,
        visitors.Visitors(host) if settings.allow_private else None,
        say=None if log == "json" else lambda line: print(line, flush=True),
    )


def _serve(server: BaseWSGIServer) -> None:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        thread.join()
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    sys.exit(main())
