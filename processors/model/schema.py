"""The JSON Schemas of the model, which ``make schemas`` writes to ``config/schemas/``.

JSON Schema 2020-12, and the same in draft 7 for tools that know no later one. Unknown keys are allowed: the contract
promises members, and later versions may add some. They are written for those who generate classes from them: each class
and each closed list is a definition with a title, a value that may be null says so by its type, and every member has a
description (``members.toml``).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import orjson
from msgspec.structs import fields

from processors.model import event, story
from processors.model.codec import is_optional
from processors.model.event import Event, Gap, RawItem
from processors.model.story import Story

SCHEMAS: Final[Mapping[str, type[Any]]] = {
    "event.v1.json": Event,
    "raw-item.v1.json": RawItem,
    "gap.v1.json": Gap,
}
SCHEMA_BASE: Final = "https://wiredesk.org/schemas/"  # a name: nothing is fetched from there
# The ``$id`` of the schema of each class, which messages name as ``ce_dataschema``.
SCHEMA_IDS: Final[Mapping[type[Any], str]] = {kind: f"{SCHEMA_BASE}{name}" for name, kind in SCHEMAS.items()}
DRAFT_7: Final = "draft-07."  # in the file name of the twin
SCALAR_TYPES: Final[dict[Any, dict[str, str]]] = {
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
    ("ClusterStanding", "score"),
}  # null: there is none
# What all events have that leave the pipeline, though the model lets earlier steps go without.
ALWAYS_SENT: Final = {("Event", "lineage"), ("Event", "provenance")}
# The closed lists, by their values: each is a class of its own for those who generate some.
ENUM_NAMES: Final[Mapping[tuple[Any, ...], str]] = {
    get_args(event.Relation): "Relation",
    get_args(event.SegmentKind): "SegmentKind",
    get_args(event.Label): "EntityLabel",
    get_args(event.QuoteKind): "QuoteKind",
    get_args(event.DamageKind): "DamageKind",
    get_args(event.OffsetText): "OffsetText",
    get_args(event.NoveltyKind): "NoveltyKind",
    get_args(event.DateType): "DateType",
    get_args(story.PubStatus): "PubStatus",
    get_args(story.ItemType): "ItemType",
    get_args(story.RepresentationType): "RepresentationType",
    get_args(story.ScanType): "ScanType",
    ("Point",): "PointType",
}

JsonSchema = dict[str, Any]


def build_schema(kind: type[Any]) -> JsonSchema:
    """The JSON Schema of a model class."""
    parts: JsonSchema = {}
    _part(kind, parts)
    top = parts.pop(kind.__name__)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_IDS[kind],
        **top,
        "$defs": dict(sorted(parts.items())),
    }


def build_draft_7(kind: type[Any]) -> JsonSchema:
    """The same in draft 7, for Modelina and others that know no later one."""
    schema: JsonSchema = orjson.loads(
        orjson.dumps(build_schema(kind)).replace(b'"#/$defs/', b'"#/definitions/')
    )
    definitions = schema.pop("$defs")
    name = schema["$id"].removeprefix(SCHEMA_BASE)
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "$id": f"{SCHEMA_BASE}{draft_7_name(name)}"}
    return {**schema, **head, "definitions": definitions}


def draft_7_name(name: str) -> str:
    """The file name of the twin: ``event.v1.draft-07.json``."""
    return f"{name.removesuffix('json')}{DRAFT_7}json"


def render_schemas() -> dict[str, bytes]:
    """The schemas as they stand in ``config/schemas/``, by file name."""
    files = {name: _render(build_schema(kind)) for name, kind in SCHEMAS.items()}
    return files | {draft_7_name(name): _render(build_draft_7(kind)) for name, kind in SCHEMAS.items()}


def _render(schema: JsonSchema) -> bytes:
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


@cache
def _members() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("members.toml").read_text("utf-8"))


def describe_member(kind: str, name: str) -> JsonSchema:
    """The description of a member and the keywords that go with it.

    Raises:
        KeyError: nobody has described it.
    """
    described = _members().get(kind, {}).get(name) or _members()["shared"].get(name)
    if described is None:
        raise KeyError(f"processors/model/members.toml does not describe {kind}.{name}")
    if isinstance(described, str):
        return {"description": described}
    keywords = dict(described)
    return {"description": keywords.pop("about"), **keywords}


def _part(kind: type[Any], parts: JsonSchema) -> None:
    """Describe a class, and those it holds, in `parts`."""
    if kind.__name__ in parts:
        return
    parts[kind.__name__] = {}
    hints = get_type_hints(kind)
    members = {}
    for member in fields(kind):
        typed = _typed(hints[member.name], parts)
        if (kind.__name__, member.name) in NULLABLE_MEMBERS:
            _allow_null(typed, parts)
        members[member.encode_name] = {**typed, **describe_member(kind.__name__, member.name)}
    required = [
        member.encode_name
        for member in fields(kind)
        if not is_optional(member) or (kind.__name__, member.name) in ALWAYS_SENT
    ]
    summary = (kind.__doc__ or "").split("\n", 1)[0]
    parts[kind.__name__] = {
        "title": kind.__name__,
        "description": f"{summary} See the official ninjs 3.1 schema." if kind is Story else summary,
        "type": "object",
        "properties": members,
        "required": required,
    }


def _allow_null(typed: JsonSchema, parts: JsonSchema) -> None:
    """Let a value be null: by its type, as generators make a class of that and of no ``anyOf``."""
    if "$ref" in typed:
        part = parts[typed["$ref"].rpartition("/")[2]]
        part["type"] = ["object", "null"]
    else:
        typed["type"] = [typed["type"], "null"]


def _typed(hint: Any, parts: JsonSchema) -> JsonSchema:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        [only] = [argument for argument in arguments if argument is not type(None)]
        return _typed(
            only, parts
        )  # a member that may be absent is not null, save where the model always writes it
    if origin is Literal:
        return _enum(arguments, parts)
    if origin is tuple:
        return _array(arguments, parts)
    if hint in SCALAR_TYPES:
        return dict(SCALAR_TYPES[hint])
    _part(hint, parts)
    return {"$ref": f"#/$defs/{hint.__name__}"}


def _enum(values: tuple[Any, ...], parts: JsonSchema) -> JsonSchema:
    name = ENUM_NAMES[values]
    parts[name] = {"title": name, "type": "string", "enum": list(values)}
    return {"$ref": f"#/$defs/{name}"}


def _array(arguments: tuple[Any, ...], parts: JsonSchema) -> JsonSchema:
    """A list; one of a fixed length holds values of one kind."""
    items = {"type": "array", "items": _typed(arguments[0], parts)}
    if arguments[-1] is Ellipsis:
        return items
    assert len(set(arguments)) == 1, arguments
    return {**items, "minItems": len(arguments), "maxItems": len(arguments)}
