"""E-mail messages that hold a dispatch (RFC 5322, MIME)."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import EmailPolicy
from email.utils import getaddresses
from typing import Any, Final, cast

from msgspec import structs

from processors.errors import Malformed, TooLarge
from processors.model.event import DamageKind, RawItem
from processors.model.story import AltId, InfoSource, Story
from processors.normalise import dispatch
from processors.normalise.charsets import codec_of, decode_as
from processors.normalise.decode import choose_codec, decode_unmarked
from processors.normalise.html import read_html
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.values import language_tag, publisher_uri, timestamp

_NAME: Final = "email"
_FIELD: Final = re.compile(r"(?:From |[A-Za-z][A-Za-z0-9-]*:)")
_FIELD_NAMES: Final = frozenset({
    "from", "to", "date", "subject", "received", "message-id", "mime-version", "content-type", "return-path", "delivered-to",
    "x-original-to", "reply-to", "sender", "dkim-signature", "content-transfer-encoding", "cc",
})  # fmt: skip
# Marks of answers and forwarded messages, in the languages of mail programs.
_FORWARDED: Final = re.compile(
    r"^(?:(?:re|fwd?|aw|wg|tr|rv|vs|vl|sv|antw|enc|i|r)\s*:\s*)+(?=\S)", re.IGNORECASE
)
# The parser of the standard library takes the square of a field's length. Real fields have some 100 characters; a list of
# recipients may have more, but of that nothing is read. Shorter limits would cut file names and boundaries.
_MAX_FIELD_CHARS: Final = 2_000
_MAX_MIME_FIELD_CHARS: Final = 400  # of ``Content-…``, which is parsed once or more a part
_MULTIPART: Final = re.compile(rb"^content-type[ \t]*+:\s*+multipart/", re.IGNORECASE | re.MULTILINE)
_BOUNDARY: Final = re.compile(rb"\bboundary\*?=\"?([^\s\";]{1,200})", re.IGNORECASE)
# A media type with eight parameters; what follows more marks is no longer looked at.
_MIME_FIELD: Final = re.compile(r"(?:[^\";=(\\<@,*]*+[\";=(\\<@,*]){0,40}+[^\";=(\\<@,*]*+")
_READ_FIELDS: Final = frozenset({"subject", "from", "message-id", "date", "content-language"})
# Mail programs nest four deep (signed, mixed, related, alternative), and each forwarded message adds as many.
_MAX_NESTED: Final = 32
_HEAD: Final = re.compile(rb"\A.*?(?=\r?\n\r?\n|\Z)", re.DOTALL)
_ENCODED_WORD: Final = re.compile(rb"=\?([A-Za-z0-9._:-]+)(?=(?:\*[A-Za-z-]*)?\?[BbQq]\?)")
_CHARSET: Final = re.compile(rb"\bcharset=\"?([\w.:-]{1,40})", re.IGNORECASE)
_FIELD_NAME: Final = re.compile(r"^([A-Za-z][A-Za-z0-9-]*+:)(?=\S)", re.MULTILINE)
_WORDS: Final = re.compile(r"[^<>\n]++")
_SENDER_NAMES: Final = frozenset({"from", "received", "message-id", "return-path"})


def _check_parts(payload: bytes, max_parts: int) -> None:
    """Refuse a message of more parts than a dispatch has: nested ones take the parser the square of their number."""
    nested = sum(1 for _ in _MULTIPART.finditer(payload))
    boundaries = list(dict.fromkeys(match[1] for match in _BOUNDARY.finditer(payload)))[: _MAX_NESTED + 1]
    parts = sum(payload.count(b"\n--" + boundary) for boundary in boundaries)
    if max(nested, len(boundaries)) > _MAX_NESTED or parts > max_parts:
        raise TooLarge(
            f"an e-mail message of {parts:,} parts, {nested:,} of which hold others; "
            "raise normalise.max_parts if it is a dispatch"
        )


class _BoundedPolicy(EmailPolicy):
    """The usual policy, but a field is cut before it is parsed."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        """The parsed field."""
        if name.lower().startswith("content-"):
            bounded = _MIME_FIELD.match(value[:_MAX_MIME_FIELD_CHARS])
            return super().header_fetch_parse(name, bounded[0] if bounded else "")
        return super().header_fetch_parse(name, value[:_MAX_FIELD_CHARS])


_POLICY: Final = _BoundedPolicy()


def is_message(head: str) -> bool:
    """Whether header fields (RFC 5322, section 2.2) stand from the first line on, two of them common ones of mail."""
    names: set[str] = set()
    for line in head.replace("\r\n", "\n").split("\n"):
        if not line:
            break
        if line[0] in " \t" and names:
            continue
        if not _FIELD.match(line):
            return False
        names.add(line.partition(":")[0].lower())
    return len(names & _FIELD_NAMES) >= 2 and bool(names & _SENDER_NAMES)


def read_message(document: Document) -> Readings:
    """The dispatches in the body of a message.

    Raises:
        Malformed: it is no message, or its parts can't be read.
        TooLarge: it has too many parts.
    """
    item = document.item
    _check_parts(item.payload, document.max_parts)
    try:
        payload = _with_readable_head(item.payload.lstrip(), item.language)
        message = cast("EmailMessage", message_from_bytes(payload, policy=_POLICY))
        subject, body = _FORWARDED.sub("", _header(message, "subject")), _body(message, item)
        frame = _frame(message, item)
    except (LookupError, ValueError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise Malformed(f"an e-mail message that can't be read: {error}") from error
    readings = dispatch.split_dispatches(body) if body.strip() else [Reading(_NAME, Story(""))]
    single = len(readings) == 1
    damage: tuple[DamageKind, ...] = ("truncated",) if _is_field_cut(message) else ()
    publisher = _sender(message)[1].rpartition("@")[2].lower()
    return [
        replace(
            reading,
            format=_NAME,
            story=structs.replace(
                frame,
                uri=frame.uri if single else "",
                title=subject if single else None,
                alt_ids=(*frame.alt_ids, *reading.story.alt_ids),
            ),
            laid_out=True,
            damage=damage,
            publisher=publisher,
        )
        for reading in readings
    ]


def _is_field_cut(message: EmailMessage) -> bool:
    """Whether words are lost: a field that is read was too long."""
    return any(
        len(str(value)) > _MAX_FIELD_CHARS and name.lower() in _READ_FIELDS
        for name, value in message.raw_items()
    )


def _with_readable_head(payload: bytes, language: str | None) -> bytes:
    """The message with header fields that the standard library can read.

    Bytes that should have been encoded (RFC 2047) are read as documents are, and labels that only browsers know get
    the names that Python knows.
    """
    match = _HEAD.match(payload)
    head = match[0] if match else b""
    if b"=?" in head:
        head = _ENCODED_WORD.sub(_with_known_label, head)
    if not head.isascii():
        charset = _CHARSET.search(head)
        usual = codec_of(charset[1].decode("ascii")) if charset else None
        text = decode_as(head, choose_codec(head, None, language, usual)[0])[0]
        head = _WORDS.sub(_encode_words, _FIELD_NAME.sub(r"\1 ", text)).encode("ascii", "replace")
    return head + payload[match.end() if match else 0 :]


def _with_known_label(match: re.Match[bytes]) -> bytes:
    codec = codec_of(match[1].decode("ascii"))
    return b"=?" + codec.replace("_", "-").encode() if codec else match[0]


def _encode_words(match: re.Match[str]) -> str:
    """Words of a field, encoded from the first to the last that is not ASCII (RFC 2047)."""
    words = match[0].split(" ")
    foreign = [number for number, word in enumerate(words) if not word.isascii()]
    if not foreign:
        return match[0]
    first, end = foreign[0], foreign[-1] + 1
    encoded = b64encode(" ".join(words[first:end]).replace('"', "").encode()).decode("ascii")
    return " ".join((*words[:first], f"=?utf-8?b?{encoded}?=", *words[end:]))


def _frame(message: EmailMessage, item: RawItem) -> Story:
    """What the header says of every dispatch in the body."""
    identifier = _header(message, "message-id")
    name, address = _sender(message)
    sender = name or address
    return Story(
        publisher_uri(identifier.strip("<>"), "message-id", item) if identifier else "",
        type="text",
        version_created=timestamp(_header(message, "date"), item.timezone, item.language),
        language=language_tag(_header(message, "content-language").partition(",")[0]),
        info_sources=(InfoSource(sender),) if sender and not item.source else (),
        alt_ids=(AltId(identifier, "message-id"),) if identifier else (),
    )


def _sender(message: EmailMessage) -> tuple[str, str]:
    """The name and address of the sender; empty where they are missing."""
    return next(iter(getaddresses([_header(message, "from")])), ("", ""))


def _header(message: EmailMessage, name: str) -> str:
    """A header field on one line; empty where it is missing or can't be read."""
    try:
        return " ".join(str(message.get(name) or "").split())
    except (ValueError, OverflowError, LookupError, TypeError, AttributeError, RecursionError):
        return ""


def _body(message: EmailMessage, item: RawItem) -> str:
    """The body of a message: its plain text, else the text of its HTML, else the first part that is text."""
    part = message.get_body(("plain", "html"))
    if part is None:
        part = next(
            (candidate for candidate in message.walk() if candidate.get_content_maintype() == "text"), None
        )
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    language = _header(message, "content-language").partition(",")[0] or item.language
    words = decode_unmarked(payload, part.get_content_charset(), language)
    return (
        read_html(words).text if part.get_content_subtype() == "html" else _without_soft_breaks(words, part)
    )


def _without_soft_breaks(words: str, part: MIMEPart) -> str:
    """The words of a part; lines that end in a blank go on in the next one (RFC 3676, format=flowed).

    With ``delsp=yes`` the blank was put in for the line's end alone, as languages without blanks need it.
    """
    flowed = (
        part.get_content_type() == "text/plain" and str(part.get_param("format") or "").lower() == "flowed"
    )
    if not flowed:
        return words
    joint = "" if str(part.get_param("delsp") or "").lower() == "yes" else " "
    lines = words.replace("\r\n", "\n").replace("\n-- \n", "\n\n")
    return lines.replace(" \n", joint)


FORMAT: Final = Format(name=_NAME, read=read_message, is_document=is_message, media_types=("message/rfc822",))
