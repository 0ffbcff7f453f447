"""Events without a gateway around them: ``{"url": "https://….jpg", "n": 5}``.

That is what the console's test button, ``aws lambda invoke`` and a REST method without proxy integration send. Such a
caller gets the plain JSON result back, or the problem document; a picture that was asked for comes as base64, text as
it is.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from recognizer.errors import InvalidParameter
from recognizer.http.messages import Request
from recognizer.job import ALIASES

if TYPE_CHECKING:
    from recognizer.http.messages import Response

_PICTURE = {"url", "image", *(alias for alias, name in ALIASES.items() if name == "url")}


def takes(_: object) -> bool:
    """Everything: what is no event of a gateway comes from someone without one."""
    return True


def read(event: object) -> Request:
    """See ``gateway.Format``."""
    if not isinstance(event, dict) or not _PICTURE & event.keys():
        raise InvalidParameter(
            'This event is neither API Gateway\'s (REST 1.0 or HTTP API 2.0) nor a request such as {"url": '
            '"https://….jpg"}; see events/ for examples.'
        )
    try:
        body = json.dumps(event).encode()
    except (RecursionError, ValueError) as error:  # one that could just be read, some calls higher up
        raise InvalidParameter("This event is nested too deep, or has a number too long.") from error
    return Request("POST", "/detector", {}, {"content-type": "application/json"}, body)


def write(response: Response) -> Any:
    """See ``gateway.Format``."""
    if isinstance(response.body, bytes):
        return {"media_type": response.media_type, "image": base64.b64encode(response.body).decode()}
    if response.media_type.startswith("text/"):
        return {"media_type": response.media_type, "text": response.body}
    return json.loads(response.body)
