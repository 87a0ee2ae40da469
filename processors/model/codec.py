"""JSON for the model, by msgspec.

`encode` writes the contract's names (camel case, ``in``, ``geoJSON``), leaves out what is absent, and is
deterministic: equal values give equal bytes. `decode` takes unknown keys and says which member is wrong.
"""

from __future__ import annotations

import hashlib
from threading import Lock
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import FieldInfo, replace

from processors.errors import Malformed
from processors.model.event import Event

T = TypeVar("T")

_ENCODER: Final = msgspec.json.Encoder()
_DECODERS: Final[dict[type[Any], msgspec.json.Decoder[Any]]] = {}
_CLASS_LOCK: Final = (
    Lock()
)  # msgspec 0.22 crashes where two threads look at the annotations of a class at once


def encode(value: object) -> bytes:
    """The JSON of a model instance, as UTF-8."""
    written = _ENCODER.encode(value)
    return written[:-1] + b',"dateline":null}' if _says_undated(value) else written


def decode(raw: bytes | str, kind: type[T]) -> T:
    """The model instance that JSON describes.

    Raises:
        Malformed: it is no JSON, or a member has the wrong type; the message names the member.
    """
    try:
        instance: T = _decoder(kind).decode(raw)
    except msgspec.ValidationError as error:
        raise Malformed(f"no {kind.__name__}: {error}") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}") from error
    return instance


def identify_event(event: Event) -> str:
    """What an event goes by: a hash of what its story says, the same however it came here and on every topic."""
    story, lineage = event.story, event.lineage
    if lineage is not None and lineage.again:
        lineage = replace(lineage, again=False)
    said = (story.uri, story.version, event.headline, event.text, lineage)
    return hashlib.sha256(_ENCODER.encode(said)).hexdigest()[:32]


def to_builtins(value: object) -> Any:
    """A model instance as dicts, lists and scalars, in the contract's names."""
    builtins = msgspec.to_builtins(value)
    if _says_undated(value):
        builtins["dateline"] = None
    return builtins


def from_builtins(value: object, kind: type[T]) -> T:
    """The model instance that dicts, lists and scalars describe.

    Raises:
        Malformed: a member is missing or has the wrong type; the message names it.
    """
    _decoder(kind)  # so that no other thread looks at the class meanwhile
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Malformed(f"no {kind.__name__}: {error}") from error


def is_optional(member: FieldInfo) -> bool:
    """Whether JSON leaves the field out where it has its default."""
    return member.default is not msgspec.NODEFAULT


def _says_undated(value: object) -> bool:
    """Whether it is a segmented story without a dateline: null says so, where an absent member would mean "not segmented"."""
    return isinstance(value, Event) and value.segments is not None and value.dateline is None


def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    """What reads a class, made once and by one thread."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        with _CLASS_LOCK:
            decoder = _DECODERS.setdefault(kind, msgspec.json.Decoder(kind))
    return decoder
