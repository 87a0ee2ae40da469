"""What the step remembers of a story: one compact record, from which it comes back to where it was."""

from __future__ import annotations

from typing import Final

import msgspec

from processors.cluster.outline import Outline

# Another number is another software's, or of another table of words, and is not read.
FORMAT_NUMBER: Final = 3


class UnknownOutlineFormat(ValueError):
    """The record was written by another version of the software, or is none."""


class OutlineRecord(msgspec.Struct, array_like=True, frozen=True):
    """A story and its answer. `cluster` is the cluster's uri, `first_ms` when it began.

    `source` is a hash of who told it, `window_ms` the window's time when it came; `sequence`, `source_count` and `languages`
    are the cluster's with this story, `score` and `novelty` as in its event.
    """

    format_number: int
    uri: str
    version: str
    chain: str
    cluster: str
    first_ms: int
    window_ms: int
    sequence: int
    source: int
    source_count: int
    languages: tuple[str, ...]
    score: float | None
    novelty: float
    outline: Outline


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(OutlineRecord)


def pack_record(record: OutlineRecord) -> bytes:
    """The record as bytes (MessagePack)."""
    return _ENCODER.encode(record)


def unpack_record(memory: bytes) -> OutlineRecord:
    """The record of some bytes.

    Raises:
        UnknownOutlineFormat: it is another software's, or damaged.
    """
    try:
        record = _DECODER.decode(memory)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnknownOutlineFormat(str(error)) from error
    if record.format_number != FORMAT_NUMBER:
        message = f"record format {record.format_number}, not {FORMAT_NUMBER}"
        raise UnknownOutlineFormat(message)
    return record
