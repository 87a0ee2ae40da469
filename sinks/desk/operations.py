"""The operations of the API: one table, which the router, the check of who may, and the OpenAPI document all read.

An operation is a method at an address with its handler, whose docstring describes it. The router knows no address under
``/api`` that is not one, so none can be without description, scope, or a list of its parameters.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec
import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from config.redaction import redact_secrets
from processors.model.schema import JsonSchema
from sinks.desk.access import CALLER
from sinks.desk.queries import check_parameters
from sinks.desk.tokens import Scope
from sinks.listener import Bodies

API_PREFIX: Final = "/api/"
# Of a JSON body: the longest change names 1,000 dead letters. More is no change that a person makes.
MAX_JSON_BYTES: Final = 128 * 1024
BODY: Final = web.RequestKey("body", object)  # of the operation's type, or bytes
_PATTERN: Final = re.compile(r"\{(\w+)(?::[^{}]*)?\}")


class BadBody(ValueError):
    """A body that is not what the operation takes; the message says where."""


class Refused(Exception):
    """A change that can't be made: the message says why. `status` is that of the answer."""

    def __init__(self, message: str, status: int = 409) -> None:
        """409: as things stand; 400: the demand is wrong; 404: of what is unknown; 422: what was fetched for it is no use."""
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an address."""

    name: str
    description: str
    schema: JsonSchema = field(default_factory=lambda: {"type": "string"})
    where: Literal["query", "path", "header"] = "query"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `path` is aiohttp's, such as ``/api/stories/{uri:.+}``.

    `answer` is the type of its JSON answer, a tuple where it may be one of several, or else `media_type` says what comes; `status` that of success. `body` is the
    type of the JSON that it takes, or `bytes`, then of `body_media_type` and at most `max_body_bytes`.
    """

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    handler: Handler
    answer: Any = None
    parameters: Sequence[Parameter] = ()
    scope: Scope = "read"
    body: Any = None
    status: int = 200
    media_type: str = "application/json"
    body_media_type: str = "application/json"
    max_body_bytes: int = MAX_JSON_BYTES
    errors: Sequence[int] = ()  # beside those that every operation may answer with

    @property
    def name(self) -> str:
        """Its name in the document, from its method and address: it stays while code is renamed."""
        words = re.sub(r"[^a-z]+", " ", self.public_path.removeprefix(API_PREFIX)).split()
        return "".join([self.method.lower(), *(word.capitalize() for word in words)])

    @property
    def public_path(self) -> str:
        """The address as OpenAPI writes it: ``/api/stories/{uri}``."""
        return _PATTERN.sub(r"{\1}", self.path)

    @property
    def path_names(self) -> tuple[str, ...]:
        """The names of the variable parts of its address."""
        return tuple(match[1] for match in _PATTERN.finditer(self.path))

    @property
    def description(self) -> str:
        """What its handler's docstring says."""
        return inspect.cleandoc(self.handler.__doc__ or "")

    def query_names(self) -> tuple[str, ...]:
        """The parameters that may stand behind the question mark."""
        return tuple(one.name for one in self.parameters if one.where == "query")


_BODIES: Final = web.AppKey("bodies", Bodies)
OPERATIONS: Final[web.AppKey[list[Operation]]] = web.AppKey("operations", list)


def add_operations(app: web.Application, operations: Iterable[Operation]) -> None:
    """Add operations to the router and to the table that the document is made of.

    Raises:
        ValueError: one is not described, or has an address of its own kind.
    """
    bodies = app.setdefault(_BODIES, Bodies())
    table = app.setdefault(OPERATIONS, [])
    for operation in operations:
        if not operation.description or not operation.path.startswith(API_PREFIX):
            raise ValueError(
                f"{operation.path}: an operation has a docstring and an address under {API_PREFIX}"
            )
        described = {one.name for one in operation.parameters if one.where == "path"}
        if missing := set(operation.path_names) - described:
            raise ValueError(f"{operation.path}: {missing} is not described")
        table.append(operation)
        app.router.add_route(operation.method, operation.path, _guarded(operation, bodies))
        if operation.method == "GET" and not operation.media_type.startswith("text/event-stream"):
            app.router.add_route("HEAD", operation.path, _guarded(operation, bodies))


def _guarded(operation: Operation, bodies: Bodies) -> Handler:
    """The handler behind what holds for all: the scope, the parameters, the body."""

    async def answer(request: web.Request) -> web.StreamResponse:
        require_scope(request, operation.scope)
        check_parameters(request.query, operation.query_names())
        if operation.body is None:
            return await operation.handler(request)
        shown = request.content_type
        if shown != operation.body_media_type and operation.body is not bytes:
            raise web.HTTPUnsupportedMediaType(text=f"send {operation.body_media_type}, not {shown}")
        async with bodies.read_body(request, operation.max_body_bytes) as raw:
            request[BODY] = raw if operation.body is bytes else read_json(raw, operation.body)
            return await operation.handler(request)

    return answer


def require_scope(request: web.Request, scope: Scope) -> None:
    """Refuse who may not.

    Raises:
        web.HTTPForbidden: the caller's token has not the scope.
    """
    caller = request.get(CALLER)
    if caller is not None and scope not in caller.scopes:
        raise web.HTTPForbidden(
            text=f"{caller.name} may {' and '.join(sorted(caller.scopes))}; this needs the scope {scope}"
        )


def read_json(raw: bytes, kind: type[Any]) -> Any:
    """The struct that a body describes.

    Raises:
        BadBody: it is no JSON, has an unknown member, or one of a wrong type; the message names it.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise BadBody(str(error)) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadBody(f"the body is not JSON: {error}") from error


def json_response(value: Any, status: int = 200) -> web.Response:
    """A JSON response that no cache stores."""
    return web.Response(
        body=orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
        status=status,
        headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
    )


def error_response(kind: str, message: str, status: int) -> web.Response:
    """A JSON answer that says what is wrong."""
    return json_response({"error": {"type": kind, "message": redact_secrets(message)}}, status)
