"""Other services' addresses, answered as their clients expect: a program changes one line and talks to Recognizer.

Owns the table of dialects. A dialect is a service's way to ask and to answer, and a room of its own here: it turns a
request into what our pipeline takes, an outcome into that service's answer, and an error into that service's words. One
more is one more room and one more line of the table. A room is imported with the first request that needs it, so that
no cold start pays for any.

Each room has a function ``problem(error, request)``, the answer that says what went wrong, and one for each of its
addresses, ``name(request, desk)``, which raises ``RequestError`` like every other endpoint. Where clients have a place
of their own for a key, ``key_of(request)`` reads it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from recognizer.errors import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from recognizer.compat.desk import Desk
    from recognizer.errors import RequestError
    from recognizer.http.messages import Request, Response

ALL = "all"


class Endpoint(NamedTuple):
    """One address of another service.

    Attributes:
        room: the module that speaks its dialect.
        function: what answers there.
        is_costly: whether it is work that whoever runs this pays for, or a word about the service.
    """

    room: str
    function: str
    is_costly: bool = True

    def answer(self, request: Request, desk: Desk) -> Response:
        """What the other service would answer; raises whatever ``RequestError`` the work raises."""
        answer: Response = getattr(self._dialect, self.function)(request, desk)
        return answer

    def problem(self, error: RequestError, request: Request) -> Response:
        """An error in the other service's words."""
        problem: Response = self._dialect.problem(error, request)
        return problem

    def with_key(self, request: Request) -> Request:
        """The request with its key where ours have it."""
        key = self._dialect.key_of(request) if hasattr(self._dialect, "key_of") else ""
        return request._replace(headers={**request.headers, "authorization": f"Bearer {key}"}) if key else request

    @property
    def _dialect(self) -> Any:
        return import_module(f"{__name__}.{self.room}")


# By name, path and method; ``{id}`` stands for any last part of a path, ``{owner}`` for any before it.
DIALECTS: dict[str, dict[str, dict[str, Endpoint]]] = {
    "deepstack": {
        "/v1/vision/detection": {"POST": Endpoint("deepstack", "detect")},
        "/v1/vision/custom/list": dict.fromkeys(
            ("GET", "POST"), Endpoint("deepstack", "custom_models", is_costly=False)
        ),
        "/v1/vision/custom/{id}": {"POST": Endpoint("deepstack", "detect_custom")},
        # Faces, scenes and the like.
        "/v1/vision/{id}": {"POST": Endpoint("deepstack", "other", is_costly=False)},
        "/v1/vision/{owner}/{id}": {"POST": Endpoint("deepstack", "other", is_costly=False)},
        "/v1/status/ping": {"GET": Endpoint("deepstack", "ping", is_costly=False)},
        "/v1/server/status/ping": {"GET": Endpoint("deepstack", "ping", is_costly=False)},
        "/v1/status/version": {"GET": Endpoint("deepstack", "version", is_costly=False)},
        "/v1/status/updateavailable": {"GET": Endpoint("deepstack", "update", is_costly=False)},
    },
    "doods": {
        "/doods/detectors": {"GET": Endpoint("doods", "detectors", is_costly=False)},
        "/doods/detect": {"POST": Endpoint("doods", "detect")},
    },
    "rekognition": {
        "/": {"POST": Endpoint("rekognition", "detect_labels")},
    },
    "vision": {
        "/v1/images:annotate": {"POST": Endpoint("google_vision", "annotate")},
    },
    "huggingface": {
        "/hf/models/{id}": {"POST": Endpoint("huggingface", "detect")},
        "/hf/models/{owner}/{id}": {"POST": Endpoint("huggingface", "detect")},
    },
    "labelstudio": {
        "/label-studio/health": {"GET": Endpoint("labelstudio", "health", is_costly=False)},
        "/label-studio/versions": {"GET": Endpoint("labelstudio", "versions", is_costly=False)},
        # Costs nothing, but a wrong key is told to who connects a project, not to who labels.
        "/label-studio/setup": {"POST": Endpoint("labelstudio", "setup")},
        "/label-studio/predict": {"POST": Endpoint("labelstudio", "predict")},
        "/label-studio/train": {"POST": Endpoint("labelstudio", "train", is_costly=False)},
        "/label-studio/webhook": {"POST": Endpoint("labelstudio", "webhook", is_costly=False)},
    },
    "mcp": {
        "/mcp": {"POST": Endpoint("mcp_tools", "serve")},
    },
}


def endpoints(names: Iterable[str]) -> dict[str, Mapping[str, Endpoint]]:
    """The addresses of the dialects of those names, by path and method; ``all`` names all of them.

    Raises:
        InvalidSetting: there is no such dialect.
    """
    wanted = list(names)
    if unknown := set(wanted) - DIALECTS.keys() - {ALL}:
        raise InvalidSetting(
            f"COMPAT names {min(unknown)!r}, which is none of {', '.join(DIALECTS)}; {ALL} stands for all of them."
        )
    spoken = DIALECTS if ALL in wanted else wanted
    return {path: methods for name in spoken for path, methods in DIALECTS[name].items()}
