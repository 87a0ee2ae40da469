"""The JSON Schema of the event, generated from the model; ``make schemas`` writes it to ``config/schemas/``.

JSON Schema 2020-12. Unknown keys are allowed: the contract promises members, and later versions may add some.
"""

from __future__ import annotations

from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import orjson
from msgspec.structs import fields

from processors.model.codec import is_optional
from processors.model.event import Event, RawItem
from processors.model.story import Story

SCHEMAS: Final = {"event.v1.json": Event, "raw-item.v1.json": RawItem}
SCALAR_SCHEMAS: Final[dict[Any, dict[str, str]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "contentEncoding": "base64"},
}
NULLABLE_MEMBERS: Final = {
    ("Event", "dateline"),
    ("Lineage", "of"),
    ("Lineage", "score"),
}  # null: there is none


def build_schema(kind: type[Any]) -> dict[str, Any]:
    """The JSON Schema of a model class."""
    parts: dict[str, Any] = {}
    _part(kind, parts)
    top = parts.pop(kind.__name__)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"wiredesk {kind.__name__}, version 1",
        **top,
        "$defs": dict(sorted(parts.items())),
    }


def render_schema(kind: type[Any]) -> bytes:
    """The schema as it stands in ``config/schemas/``."""
    return orjson.dumps(build_schema(kind), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _part(kind: type[Any], parts: dict[str, Any]) -> None:
    """Describe a class, and those it holds, in `parts`."""
    if kind.__name__ in parts:
        return
    parts[kind.__name__] = {}
    hints = get_type_hints(kind)
    members = {member.encode_name: _typed(hints[member.name], parts) for member in fields(kind)}
    for member in fields(kind):
        if (kind.__name__, member.name) in NULLABLE_MEMBERS:
            members[member.encode_name] = {"anyOf": [members[member.encode_name], {"type": "null"}]}
    required = [member.encode_name for member in fields(kind) if not is_optional(member)]
    title = (kind.__doc__ or "").split("\n", 1)[0]
    parts[kind.__name__] = {
        "description": title,
        "type": "object",
        "properties": members,
        "required": required,
    }
    if kind is Story:
        parts["Story"]["description"] += " See the official ninjs 3.1 schema."


def _typed(hint: Any, parts: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return _union(arguments, parts)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return _array(arguments, parts)
    if hint in SCALAR_SCHEMAS:
        return dict(SCALAR_SCHEMAS[hint])
    _part(hint, parts)
    return {"$ref": f"#/$defs/{hint.__name__}"}


def _array(arguments: tuple[Any, ...], parts: dict[str, Any]) -> dict[str, Any]:
    if arguments[-1] is Ellipsis:
        return {"type": "array", "items": _typed(arguments[0], parts)}
    items = [_typed(argument, parts) for argument in arguments]
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}


def _union(arguments: tuple[Any, ...], parts: dict[str, Any]) -> dict[str, Any]:
    """A member that may be absent is not null, save where the model always writes it."""
    kinds = [_typed(argument, parts) for argument in arguments if argument is not type(None)]
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
