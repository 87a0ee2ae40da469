"""The OpenAPI 3.1 document of the API, made from the table of operations and from the types of their bodies and answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import msgspec
import orjson
from aiohttp import web

from processors.model.event import Event
from processors.model.schema import JsonSchema, build_schema
from sinks.desk.operations import OPERATIONS, Operation, Parameter, add_operations, json_response

DOCUMENT_PATH: Final = "/api/openapi.json"
REFERENCE_PATTERN: Final = "#/components/schemas/{name}"
ERROR_SCHEMA: Final[JsonSchema] = {
    "title": "Error",
    "description": "What is wrong, and what to do.",
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "type": {"type": "string"},
                "message": {"type": "string"},
                "start": {
                    "type": "integer",
                    "description": "Of a query: where in `q` the part begins that is wrong.",
                },
                "length": {
                    "type": "integer",
                    "description": "Of a query: how many code points the part has.",
                },
                "hint": {"type": "string", "description": "Of a query: what helps; may be empty."},
            },
            "required": ["type", "message"],
        }
    },
    "required": ["error"],
}
ERROR_MEANINGS: Final[Mapping[int, str]] = {
    400: "A parameter, a cursor or the body means nothing here; the message names it.",
    401: "No token was shown, or not a valid one.",
    403: "The token has not the scope, or a page elsewhere asks.",
    404: "There is no such thing.",
    409: "The state of things is against it; the message says how.",
    413: "The body is too large.",
    415: "The body is of another media type than the one that is taken.",
    421: "A desk without tokens answers under a name of its own machine only.",
    422: "What was fetched for this is no feed, or could not be fetched; the message says why.",
    429: "Too many requests of this caller, or too many wrong tokens; Retry-After says when to come again.",
    503: "The store does not answer, or too much waits; try again later.",
}
COMMON_ERRORS: Final = (400, 401, 403, 421, 429, 503)


class ApiDocument:
    """The document of an application, made at the first question, when all operations have been added."""

    def __init__(self) -> None:
        """Nothing is made yet."""
        self._document: bytes | None = None

    def add_to(self, app: web.Application) -> None:
        """Add its address."""
        add_operations(app, [Operation("GET", DOCUMENT_PATH, self.document, answer=dict[str, Any])])

    async def document(self, request: web.Request) -> web.Response:
        """This document: every operation with its parameters, its bodies and its answers."""
        if self._document is None:
            operations: list[Operation] = request.app[OPERATIONS]
            self._document = orjson.dumps(build_document(operations), option=orjson.OPT_INDENT_2)
        response = json_response(None)
        response.body = self._document
        return response


def build_document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The document of these operations."""
    paths: dict[str, dict[str, Any]] = {}
    schemas = _schemas(operations)
    for operation in operations:
        paths.setdefault(operation.public_path, {})[operation.method.lower()] = _describe(operation, schemas)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "wiredesk",
            "version": _package_version(),
            "description": "The desk's API: stories, feeds, the pipeline and what keeps them running. Addresses without"
            " `operate` in their security need the scope `read`.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": ["read"]}, {}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "desk.token, or a token of `wiredesk token create`. On loopback without one: none.",
                }
            },
            "schemas": {**schemas.components, "Error": ERROR_SCHEMA},
        },
    }


class _Schemas:
    """The schemas of all types that operations take and give."""

    def __init__(self, kinds: Iterable[Any]) -> None:
        wanted = list(dict.fromkeys(kinds))
        described, components = msgspec.json.schema_components(wanted, ref_template=REFERENCE_PATTERN)
        self._by_kind = dict(zip(wanted, described, strict=True))
        event = _event_schemas() if Event in wanted else {}
        self.components = dict(sorted(({**components, **event}).items()))

    def of(self, kind: Any) -> JsonSchema:
        """The schema of a type."""
        if isinstance(kind, tuple):
            return {"anyOf": [self._by_kind[one] for one in kind]}
        described: JsonSchema = self._by_kind[kind]
        return described


def _schemas(operations: Iterable[Operation]) -> _Schemas:
    kinds: list[Any] = []
    for one in operations:
        kinds += one.answer if isinstance(one.answer, tuple) else [one.answer]
        kinds.append(one.body)
    return _Schemas(kind for kind in kinds if kind not in {None, bytes})


def _event_schemas() -> dict[str, Any]:
    """The contract's own schemas, which say more than the types do."""
    whole = orjson.loads(orjson.dumps(build_schema(Event)).replace(b"#/$defs/", b"#/components/schemas/"))
    parts: dict[str, Any] = whole.pop("$defs")
    whole = {name: value for name, value in whole.items() if not name.startswith("$")}
    return {**parts, "Event": whole}


def _describe(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    summary, _, rest = operation.description.partition("\n")
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": summary,
        "tags": [operation.public_path.split("/")[2].partition(".")[0]],
        "parameters": [_describe_parameter(one) for one in operation.parameters],
        "responses": _describe_answers(operation, schemas),
    }
    if rest.strip():
        described["description"] = operation.description
    if operation.scope != "read":
        described["security"] = [{"token": [operation.scope]}, {}]
    if operation.body is not None:
        taken = {"type": "string"} if operation.body is bytes else schemas.of(operation.body)
        described["requestBody"] = {
            "required": True,
            "content": {operation.body_media_type: {"schema": taken}},
        }
    return described


def _describe_parameter(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }
    if parameter.where == "path":
        described |= {"required": True, "schema": {"minLength": 1, **parameter.schema}}
    return described


def _describe_answers(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if operation.answer is not None:
        content = {operation.media_type: {"schema": schemas.of(operation.answer)}}
    elif operation.status != 204:
        anything: JsonSchema = {} if operation.media_type == "*/*" else {"type": "string"}
        content = {operation.media_type: {"schema": anything}}
    success: dict[str, Any] = {"description": operation.description.partition("\n")[0]}
    if content:
        success["content"] = content
    statuses = {*COMMON_ERRORS, *operation.errors}
    if operation.path_names:
        statuses.add(404)
    if operation.body is not None:
        statuses |= {413, 408} if operation.body is bytes else {413, 408, 415}
    errors = {
        str(status): {
            "description": ERROR_MEANINGS.get(status, "See the message."),
            "content": {"application/json": {"schema": {"$ref": REFERENCE_PATTERN.format(name="Error")}}},
        }
        for status in sorted(statuses)
    }
    answers = {str(operation.status): success}
    if operation.method == "GET" and operation.media_type == "application/json":
        answers["304"] = {"description": "The caller has this very answer (If-None-Match)."}
    return answers | errors


def _package_version() -> str:
    try:
        return version("wiredesk")
    except PackageNotFoundError:
        return "0"
