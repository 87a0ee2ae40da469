"""Attachments of mail that hold items of a wire format: as they are, compressed with gzip, or in a zip archive.

What is packed is unpacked up to a limit, so that no bomb goes off. Pictures, documents of offices and pages are no items.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from email.message import MIMEPart
from typing import Final

from msgspec import structs

from processors.errors import Malformed, Rejected, TooLarge, WiredeskError
from processors.model.story import Story
from processors.normalise import dispatch
from processors.normalise.decode import decode
from processors.normalise.reading import Document, Reading, Readings

# Of all that one attachment holds. Wires send some kilobytes; more is read from no message.
MAX_UNPACKED_BYTES: Final = 16 * 1024 * 1024
MAX_MEMBERS: Final = 50  # of an archive: a day's copy of a desk; more take more time than their bytes say
GZIP_MARK: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_GZIP_WINDOW: Final = 31  # zlib's way to ask for gzip's header
_OFFICE_NAMES: Final = frozenset({"[Content_Types].xml", "mimetype", "META-INF/manifest.xml"})
_NO_COPY: Final = frozenset({"image", "audio", "video", "font", "multipart"})
_NO_ITEMS: Final = frozenset(
    {"email", "html", "xml"}
)  # what sniffing calls pages and XML of no known vocabulary


def read_attachment(part: MIMEPart, document: Document) -> Readings:
    """The readings of an attachment, and why it can't be read where it should be; none of what is no item."""
    if part.get_content_maintype() in _NO_COPY:
        return []
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return []
    is_text = part.get_content_type() == "text/plain"
    readings: Readings = []
    try:
        for member in _unpack(payload):
            readings += _read_member(member, part.get_content_charset(), document, is_text=is_text)
    except Rejected as error:
        readings.append(error)
    return readings


def _read_member(payload: bytes, charset: str | None, document: Document, *, is_text: bool) -> Readings:
    item = structs.replace(
        document.item, payload=payload, charset=charset, format=None, uri=None, version=None
    )
    try:
        text = decode(payload, charset, item.language)
    except Rejected:
        return []  # no text: a document of an office, a font
    name = document.sniff(text) if document.sniff else dispatch.FORMAT.name
    if name == dispatch.FORMAT.name:
        return [*dispatch.split_dispatches(text)] if is_text else []
    format_ = next((format_ for format_ in document.formats if format_.name == name), None)
    if format_ is None or name in _NO_ITEMS:
        return []
    inner = Document(text, item, document.max_entries, document.formats, document.max_parts, document.sniff)
    try:
        return format_.read(inner)
    except Rejected as error:
        return [error]


def _unpack(payload: bytes) -> Iterator[bytes]:
    """What is in an attachment: itself, or what was packed.

    Raises:
        Malformed: a packed one is torn or locked.
        TooLarge: it holds more than the limit.
    """
    if payload.startswith(GZIP_MARK):
        yield unpack_gzip(payload)
    elif payload.startswith(_ZIP):
        yield from _unzip(payload)
    else:
        yield payload


def unpack_gzip(payload: bytes) -> bytes:
    """What bytes of gzip hold.

    Raises:
        Malformed: they are torn.
        TooLarge: they hold more than the limit.
    """
    stream = zlib.decompressobj(_GZIP_WINDOW)
    try:
        unpacked = stream.decompress(payload, MAX_UNPACKED_BYTES + 1)
    except zlib.error as error:
        raise Malformed(f"compressed bytes that can't be read: {error}") from error
    if len(unpacked) > MAX_UNPACKED_BYTES:
        raise _too_large()
    if not stream.eof:
        raise Malformed("compressed bytes that stop before their end")
    return unpacked


def _unzip(payload: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            yield from _read_files(archive)
    except (WiredeskError, MemoryError):
        raise
    # zipfile has no error of its own for much of what is torn, locked or packed in a way that it does not know
    except Exception as error:
        raise Malformed(f"an attached archive that can't be read: {error}") from error


def _read_files(archive: zipfile.ZipFile) -> Iterator[bytes]:
    left = MAX_UNPACKED_BYTES
    members = [member for member in archive.infolist() if not member.is_dir()]
    if any(member.filename in _OFFICE_NAMES for member in members):
        return
    if len(members) > MAX_MEMBERS:
        raise TooLarge(f"an attached archive of {len(members):,} files; {MAX_MEMBERS} are read")
    for member in members:
        with archive.open(member) as stream:
            unpacked = stream.read(left + 1)
        left -= len(unpacked)
        if left < 0:
            raise _too_large()
        yield unpacked


def _too_large() -> TooLarge:
    return TooLarge(f"a packed attachment of more than {MAX_UNPACKED_BYTES:,} bytes")


def with_frame(reading: Reading, frame: Story, note: str, publisher: str) -> Reading:
    """An attached item with what only the message says: when and by whom it was sent, and the covering note."""
    story = reading.story
    story = structs.replace(
        story,
        version_created=story.version_created or frame.version_created,
        info_sources=story.info_sources or frame.info_sources,
        language=story.language or frame.language,
        alt_ids=(*story.alt_ids, *frame.alt_ids),
        ed_note="\n".join(filter(None, (story.ed_note, note))) or None,
    )
    return replace(reading, story=story, publisher=reading.publisher or publisher)
