"""The Model Context Protocol: ``POST /mcp``, by which assistants detect, cut out and hide what is in pictures.

Owns the tools and what they answer. The protocol, in each version that is spoken, is that of the official package
(https://github.com/modelcontextprotocol/python-sdk): each request is handed to it as it came, and stands for itself, so
that no session ties a client to one instance.

What a caller can mend, an unknown label or an address that does not answer, is a tool's result that says so: assistants
read results, and nobody reads a protocol's errors.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    CallToolRequestParams,
    CallToolResult,
    ContentBlock,
    ImageContent,
    ListToolsResult,
    TextContent,
    Tool,
    ToolAnnotations,
)

from recognizer import VERSION
from recognizer.compat.reading import members
from recognizer.errors import RequestError, UnsupportedMediaType, quoted
from recognizer.http import caching, responses
from recognizer.http.messages import Response
from recognizer.job import DEFAULT_LIMIT, MAX_LIMIT, MAX_TILES
from recognizer.site import schemas

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from recognizer.compat.desk import Desk
    from recognizer.http.messages import Request

# It tells of every request that it begins and ends one, and of clients' mistakes, which are answered.
logging.getLogger("mcp").setLevel(logging.ERROR)

_ABOUT = (
    "Finds everyday objects in pictures by the labels of Open Images (600 classes, such as Person, Car, Dog or Human "
    "face). A label stands for all that it covers: Animal for Cat and Dog. Boxes are pixels of the upright picture."
)
_NAMES: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "url": {"type": "string", "description": "Address of the picture, http or https. Give this or image."},
    "image": {"type": "string", "contentEncoding": "base64", "description": "The picture's file in base64."},
    "n": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "description": "How many objects at most."},
    "min_score": {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "description": "Leave out objects that the model is less sure of; without it a value that suits the model.",
    },
    "include": {**_NAMES, "description": "Only these labels; an unknown one is an error that names the nearest."},
    "exclude": {**_NAMES, "description": "All but these labels."},
    "region": {
        "type": "array",
        "items": {"type": "number", "minimum": 0, "maximum": 1},
        "minItems": 4,
        "maxItems": 4,
        "description": "Only objects whose centre is in this part: xmin, ymin, xmax, ymax as fractions of the picture.",
    },
    "tiles": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_TILES,
        "description": "How closely to look for small objects; 1 without it, and 2 takes five times as long.",
    },
}


@dataclass(frozen=True, slots=True)
class _Craft:
    """A tool.

    Attributes:
        title: its name for people.
        description: what it does, for assistants.
        arguments: names of the arguments that it takes.
        wanted: parameters of ``/detector`` that make it what it is.
    """

    title: str
    description: str
    arguments: tuple[str, ...] = tuple(_ARGUMENTS)
    wanted: dict[str, Any] = field(default_factory=dict)

    def tool(self, name: str) -> Tool:
        """Its description in the protocol."""
        return Tool(
            name=name,
            title=self.title,
            description=self.description,
            input_schema=self.schema(),
            output_schema=_output_schema(),
            annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=True),
        )

    def schema(self) -> dict[str, Any]:
        """The schema of its arguments."""
        properties = {argument: _ARGUMENTS[argument] for argument in self.arguments}
        return {"type": "object", "properties": properties, "additionalProperties": False}


_CRAFTS = {
    "detect": _Craft(
        "Detect objects",
        "Finds objects in a picture: label, score and box of each, and the picture with the boxes drawn. "
        f"The {DEFAULT_LIMIT} it is most sure of, or as many as n says. {_ABOUT}",
    ),
    "crop": _Craft(
        "Cut out an object",
        "Cuts out of a picture the one object that the model is most sure of; include names which kind. "
        f"The box says where it was. {_ABOUT}",
        tuple(name for name in _ARGUMENTS if name != "n"),
        {"crop": True, "n": 1},
    ),
    "blur": _Craft(
        "Hide objects",
        "Makes objects in a picture unrecognisable: all that are found, or with include only some, such as Person, "
        f"Human face or Vehicle registration plate. Without n all of them. {_ABOUT}",
        wanted={"draw": "blur"},
    ),
}


def serve(request: Request, desk: Desk) -> Response:
    """What the protocol answers to one message."""
    if request.header("content-type").partition(";")[0].strip().lower() != responses.JSON:
        raise UnsupportedMediaType(f"A message is {responses.JSON}, and its Content-Type must say so.")
    failures: list[Exception] = []

    async def list_tools(*_: object) -> ListToolsResult:
        return ListToolsResult(tools=[craft.tool(name) for name, craft in _CRAFTS.items()])

    async def call_tool(_: object, params: CallToolRequestParams) -> CallToolResult:
        try:
            return _called(params, desk)
        except MCPError:
            raise
        except Exception as error:
            failures.append(error)
            raise

    server = Server(
        "recognizer",
        version=VERSION,
        title="Recognizer",
        instructions=_ABOUT,
        get_tool_input_schema=lambda name: _CRAFTS[name].schema() if name in _CRAFTS else None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    with ThreadPoolExecutor(max_workers=1) as apart:  # whoever called may be within an event loop of their own
        response = apart.submit(asyncio.run, _exchanged(server, request)).result()
    if failures:  # the package would tell the client what went wrong inside, and nobody else
        raise failures[0]
    return response


def problem(error: RequestError, _: Request) -> Response:
    """An error before the protocol has a say."""
    code = INTERNAL_ERROR if error.is_server_error else INVALID_REQUEST
    document = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": error.public_message}}
    return responses.passing(error.status, document, **error.headers)


def _called(params: CallToolRequestParams, desk: Desk) -> CallToolResult:
    craft = _CRAFTS.get(params.name)
    if craft is None:
        raise MCPError(INVALID_PARAMS, f"There is no tool {quoted(params.name)}; there are {', '.join(_CRAFTS)}.")
    try:
        given = members(params.arguments, f"the arguments of {params.name}", craft.arguments)
        outcome = desk.detect(**{**given, **craft.wanted}, format="image")
    except RequestError as error:
        return CallToolResult(content=[TextContent(text=error.public_message)], is_error=True)
    document = responses.detections_document(outcome, desk.identity)
    # Clients that know nothing of structured content read it as text.
    content: list[ContentBlock] = [TextContent(text=json.dumps(document))]
    if outcome.encoded is not None:
        data = base64.b64encode(outcome.encoded.content).decode()
        content.append(ImageContent(data=data, mime_type=outcome.encoded.media_type))
        if outcome.encoded.reduced:
            content.append(TextContent(text=f"The picture was reduced to fit: {outcome.encoded.reduced}."))
    return CallToolResult(content=content, structured_content=document)


def _output_schema() -> dict[str, Any]:
    """The API's own, with the schemas that it refers to in it."""
    named = json.loads(json.dumps(schemas.answers()).replace("#/components/schemas/", "#/$defs/"))
    return {**named["Detections"], "$defs": {name: named[name] for name in ("Detection", "Box")}}


async def _exchanged(server: Server[Any], request: Request) -> Response:
    """One request to the package's application and its answer (https://asgi.readthedocs.io/en/latest/specs/www.html)."""
    manager = StreamableHTTPSessionManager(
        server, json_response=True, stateless=True, max_request_body_size=len(request.body) + 1
    )
    start: dict[str, Any] = {}
    parts: list[bytes] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            parts.append(message.get("body", b""))

    async with manager.run():
        await manager.handle_request(_scope(request), _receiving(request.body), send)
    media_type = dict(start["headers"]).get(b"content-type", b"").decode("latin-1")
    return Response(start["status"], media_type, caching.NOT_KEPT, b"".join(parts).decode())


def _receiving(body: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not messages:  # a client that stays
            await asyncio.Event().wait()
        return messages.pop()

    return receive


def _scope(request: Request) -> dict[str, Any]:
    # The answer is JSON, whatever else a client would take.
    headers = {**request.headers, "accept": responses.JSON}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https",
        "path": request.path,
        "raw_path": request.path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers.items()
        ],
        "client": None,
        "server": None,
    }
