"""Who may have what costs something, and whether a request came by the way that it should come.

Owns both checks of secrets that a request carries: a key, where the service asks for one itself (ACCESS=KEY), and the
header by which a distribution in front proves that it is the one (ORIGIN_SECRET). Only digests are known here, and each
comparison takes the same time whatever was sent. Signatures and tokens (ACCESS=AWS_IAM, JWT) are the gateway's.
"""

from __future__ import annotations

import hashlib
from hmac import compare_digest
from typing import TYPE_CHECKING

from recognizer.errors import NotFound, OriginBypassed, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Collection

    from recognizer.http.messages import Request

ORIGIN_HEADER = "X-Origin-Secret"

_HEALTH = "/health"  # for whoever watches a container from beside it, and so not through what is in front of it
_SCHEME = "bearer"  # https://www.rfc-editor.org/rfc/rfc6750
_CHALLENGE = 'Bearer realm="recognizer"'


def require_key(request: Request, digests: Collection[bytes]) -> None:
    """Lets a request pass that carries one of the keys, as ``Authorization: Bearer KEY``.

    Args:
        request: what came in.
        digests: the SHA-256 of each key.

    Raises:
        Unauthorized: it carries none, or another one.
    """
    scheme, _, key = request.header("authorization").strip().partition(" ")
    if scheme.lower() != _SCHEME or not key.strip():
        raise Unauthorized(
            "This asks for a key. Send the header Authorization: Bearer KEY; whoever runs this service hands keys out.",
            headers={"WWW-Authenticate": _CHALLENGE},
        )
    if not _is_among(key.strip(), digests):
        raise Unauthorized(
            "The key is none of this service's.",
            headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'},
        )


def require_judgement(request: Request) -> None:
    """Lets a request pass that came by a route at which the gateway checks signatures or tokens.

    The gateway's default route takes every spelling that is no route of its own, and nothing says whether
    ``/%64etector`` is one: that must not be a way round.

    Raises:
        Unauthorized: it came by the default route.
    """
    if not request.is_judged:
        raise Unauthorized(
            f"Nobody has looked at who asks. Use {request.path} as it is written here.",
            headers={"WWW-Authenticate": _CHALLENGE},
        )


def require_route(request: Request) -> None:
    """Lets a request pass that came by the route made for its path, and any to a function URL, which has but one.

    Whoever may ask, the default route's throttle is the one of what costs nothing, and it takes every other spelling
    of a path (``/%64etector``).

    Raises:
        NotFound: it came by the default route.
    """
    if not request.is_routed:
        raise NotFound(
            f"This came by the API's default route. Use {request.path} as it is written here; "
            "an API of your own needs a route for it."
        )


def require_origin(request: Request, digest: bytes) -> None:
    """Lets a request pass that came through the distribution in front, and any that asks how the service is.

    Args:
        request: what came in.
        digest: the SHA-256 of the secret that the distribution adds.

    Raises:
        OriginBypassed: it did not.
    """
    if request.path != _HEALTH and not _is_among(request.header(ORIGIN_HEADER.lower()), [digest]):
        raise OriginBypassed("This service is behind a distribution: use its address, not that of the service itself.")


def _is_among(secret: str, digests: Collection[bytes]) -> bool:
    given = hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
    return any([compare_digest(given, digest) for digest in digests])  # noqa: C419 - a list: all of them, each time
