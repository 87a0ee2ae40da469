"""What the step remembers of a story: one compact record, from which it comes back to where it was."""

from __future__ import annotations

from typing import Final

import msgspec

from processors.cluster.outline import Outline

FORMAT_NUMBER: Final = (
    1  # another number is another software's, or of another table of words, and is not read
)


class UnknownOutlineFormat(ValueError):
    """The record was written by another version of the software, or is none."""


class OutlineRecord(msgspec.Struct, array_like=True, frozen=True):
    """A story and its answer. `cluster` is the cluster's uri, `first_ms` when it began.

    `sources` (hashes) and `languages` are those that this story brought, `score` and `novelty` as in its event.
    """

    format_number: int
    uri: str
    version: str
    chain: str
    cluster: str
    first_ms: int
    sequence: int
    source_count: int
    score: float | None
    novelty: float
    sources: tuple[int, ...]
    languages: tuple[str, ...]
    all_languages: tuple[str, ...]
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
