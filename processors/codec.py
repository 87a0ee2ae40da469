"""JSON for the model: orjson for the bytes, cattrs for the shapes.

`encode` writes the contract's names (camel case, ``in``, ``geoJSON``), leaves out what is absent, and is
deterministic: equal values give equal bytes. `decode` takes unknown keys and says which member is wrong.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

import orjson
from cattrs import Converter
from cattrs.errors import BaseValidationError, ClassValidationError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.v import transform_error

from processors.errors import Malformed
from processors.event import Event

T = TypeVar("T")


def encode(value: object) -> bytes:
    """The JSON of a model instance, as UTF-8."""
    return orjson.dumps(to_builtins(value))


def decode(raw: bytes | str, kind: type[T]) -> T:
    """The model instance that JSON tells.

    Raises:
        Malformed: it is no JSON, or a member has the wrong type; the message names the member.
    """
    try:
        loaded = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"not JSON: {error}") from error
    return from_builtins(loaded, kind)


def to_builtins(value: object) -> Any:
    """A model instance as dicts, lists and scalars, in the contract's names."""
    return _converter().unstructure(value)


def from_builtins(value: object, kind: type[T]) -> T:
    """The model instance that dicts, lists and scalars tell.

    Raises:
        Malformed: a member is missing or has the wrong type; the message names it.
    """
    try:
        return _converter().structure(value, kind)
    except (BaseValidationError, TypeError, ValueError, KeyError) as error:
        raise Malformed(f"no {kind.__name__}: {_reason(error)}") from error


def json_name(member: Field[Any]) -> str:
    """The name that a field has in JSON."""
    named = member.metadata.get("json")
    return named if isinstance(named, str) else _camel(member.name)


def is_optional(member: Field[Any]) -> bool:
    """Whether JSON leaves the field out where it has its default."""
    return member.default is not MISSING and not member.metadata.get("always")


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match.group(1).upper(), name)


def _reason(error: Exception) -> str:
    if isinstance(error, ClassValidationError | BaseValidationError):
        return "; ".join(transform_error(error, path="")[:3])
    return str(error) or type(error).__name__


def _overrides(kind: type[Any]) -> dict[str, Any]:
    return {
        member.name: override(rename=json_name(member), omit_if_default=is_optional(member))
        for member in fields(kind)
    }


def _from_base64(value: object, _kind: type[bytes]) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _strictly(kind: type[Any]) -> Any:
    """A hook that takes a scalar as it is and refuses another type, rather than turning 5 into "5"."""
    accepted = (int, float) if kind is float else (kind,)

    def hook(value: object, _kind: object) -> object:
        if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
            raise TypeError(f"expected {kind.__name__}, not {type(value).__name__}")
        return value

    return hook


@functools.cache
def _converter() -> Converter:
    made = Converter(detailed_validation=True)

    def writes(kind: type[Any]) -> Any:
        write = make_dict_unstructure_fn(kind, made, **_overrides(kind))
        return write if kind is not Event else _with_dateline(write)

    def reads(kind: type[Any]) -> Any:
        get_type_hints(kind)
        return make_dict_structure_fn(kind, made, **_overrides(kind))

    made.register_unstructure_hook(bytes, lambda value: base64.b64encode(value).decode())
    made.register_structure_hook(bytes, _from_base64)
    for scalar in (str, int, float, bool):
        made.register_structure_hook(scalar, _strictly(scalar))
    made.register_unstructure_hook_factory(_is_model, writes)
    made.register_structure_hook_factory(_is_model, reads)
    return made


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and is_dataclass(kind)


def _with_dateline(write: Any) -> Any:
    """A segmented story without a dateline says so: null, where an absent member would mean "not segmented"."""

    def hook(event: Event) -> Any:
        written = write(event)
        if event.segments is not None and event.dateline is None:
            written["dateline"] = None
        return written

    return hook
