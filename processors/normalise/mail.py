"""E-mail messages that hold a dispatch (RFC 5322, MIME)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import EmailPolicy
from email.utils import getaddresses
from typing import Any, Final, cast

from msgspec import structs

from processors.errors import Malformed, Rejected, TooLarge
from processors.layout.printed import match_dateline
from processors.model.event import DamageKind, RawItem
from processors.model.story import AltId, InfoSource, Story
from processors.normalise import dispatch
from processors.normalise.attachments import read_attachment, with_frame
from processors.normalise.charsets import codec_of, decode_as
from processors.normalise.decode import choose_codec, decode_unmarked
from processors.normalise.html import read_html
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.text import clean_line, clean_text
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
# What mail programs put above a message that is sent on in the body: a line of hyphens, and some of its header fields.
_FORWARD_HEAD: Final = re.compile(
    r"\A\s{0,20}-{3,20} ?[^\W\d_][^\n-]{3,40}-{3,20}[ \t]{0,4}\n(?:\*?[^\W\d_][^\n:]{1,20}\*?:[^\n]{0,500}\n){2,8}[ \t]{0,4}\n"
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
_DATA_SUBTYPES: Final = frozenset(
    {"xml", "json", "csv", "calendar", "vcard", "x-vcard", "directory"}
)  # of ``text/``
_PARAGRAPH: Final = re.compile(r"^\S", re.MULTILINE)
_HEAD_OF_PAGE: Final = re.compile(r"<head\b[^<>]*>", re.IGNORECASE)
_END_OF_HEAD: Final = re.compile(r"</head\s*>", re.IGNORECASE)
_MAX_FORWARDS: Final = 3  # in each other: a desk that forwards what an agency forwarded to it
# A body so short is a covering note where an item is attached; a longer one is copy, unless the attachment says it again.
_MAX_NOTE_CHARS: Final = 500
_MIN_COMPARED_CHARS: Final = 20  # of lines that are compared: shorter ones stand in any copy
_MAX_COMPARED_LINES: Final = 40  # each is looked for in all that is attached
_MIN_REPEATED_SHARE: Final = 0.8
# A plain text so short beside a page so much longer says only that there is a page. Short copy has a short page.
_MAX_STUB_CHARS: Final = 300
_OF_PAGES: Final = re.compile(
    r"\bHTML\b|\bbrowser", re.IGNORECASE
)  # such a text speaks of the page, however short
_MIN_PAGE_CHARS: Final = 200
_MIN_PAGE_RATIO: Final = 3
_MAX_COMPARED_PAGE_CHARS: Final = (
    300_000  # alternatives in alternatives read a page as often as they are deep
)
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
    """The dispatches in the body of a message, and the items that are attached to it.

    Raises:
        Malformed: it is no message, or its parts can't be read.
        TooLarge: it has too many parts.
    """
    _check_parts(document.item.payload, document.max_parts)
    return _read_message(document, _MAX_FORWARDS)


def _read_message(document: Document, forwards: int) -> Readings:
    """The readings of a message. Of messages attached to it so many are read, each in the other."""
    item = document.item
    try:
        payload = _with_readable_head(item.payload.lstrip(), item.language)
        message = cast("EmailMessage", message_from_bytes(payload, policy=_POLICY))
        subject, body = _FORWARDED.sub("", _header(message, "subject")), _body(message, item)
        body = _FORWARD_HEAD.sub("", body)
        frame = _frame(message, item)
        attached = _attached(message, document, forwards)
    except (LookupError, ValueError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise Malformed(f"an e-mail message that can't be read: {error}") from error
    publisher = _sender(message)[1].rpartition("@")[2].lower()
    damage: tuple[DamageKind, ...] = ("truncated",) if _is_field_cut(message) else ()
    stories = [
        reading
        for reading in attached
        if isinstance(reading, Reading) and (reading.headline or reading.text.strip())
    ]
    if not stories:
        return [*_readings_of_body(body, subject, frame, publisher, damage), *attached]
    is_again = _repeats(body, stories)
    is_note = not is_again and _is_note(body)
    note = clean_text(body) if is_note else ""
    own = [] if is_note or is_again else _readings_of_body(body, subject, frame, publisher, damage)
    return [
        *own,
        *(
            with_frame(reading, frame, note, publisher) if isinstance(reading, Reading) else reading
            for reading in attached
        ),
    ]


def _readings_of_body(
    body: str, subject: str, frame: Story, publisher: str, damage: tuple[DamageKind, ...]
) -> list[Reading]:
    readings = dispatch.split_dispatches(body) if body.strip() else [Reading(_NAME, Story(""), subject)]
    single = len(readings) == 1
    return [
        replace(
            reading,
            format=_NAME,
            story=structs.replace(
                frame,
                uri=frame.uri if single else "",
                title=subject if single else None,
                slugline=reading.story.slugline,
                subjects=reading.story.subjects,
                alt_ids=(*frame.alt_ids, *reading.story.alt_ids),
            ),
            laid_out=True,
            damage=damage,
            publisher=publisher,
        )
        for reading in readings
    ]


def _attached(message: EmailMessage, document: Document, forwards: int) -> Readings:
    """The readings of what is attached to a message, in its order."""
    readings: Readings = []
    for part in _attachments(message):
        if part.get_content_type() != "message/rfc822":
            readings += read_attachment(part, document)
        elif forwards and part.is_multipart():
            inner = cast("EmailMessage", part.get_payload(0))
            item = structs.replace(
                document.item, payload=inner.as_bytes(), charset=None, uri=None, version=None
            )
            try:
                readings += _read_message(replace(document, item=item), forwards - 1)
            except Rejected as error:
                readings.append(error)
    return readings


def _is_note(body: str) -> bool:
    """Whether a body beside attachments is a covering note: short, and without the dateline that copy has."""
    if len(body) > _MAX_NOTE_CHARS:
        return False
    starts = [match.start() for match in _PARAGRAPH.finditer(body)]
    return not any(match_dateline(body, start, len(body)) for start in starts)


def _repeats(body: str, stories: list[Reading]) -> bool:
    """Whether a body says again what is attached."""
    lines = [line for line in map(clean_line, body.split("\n")) if len(line) >= _MIN_COMPARED_CHARS]
    lines = lines[:_MAX_COMPARED_LINES]
    copies = clean_line(" ".join(f"{story.headline} {story.text}" for story in stories))
    return bool(lines) and sum(line in copies for line in lines) >= _MIN_REPEATED_SHARE * len(lines)


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


def _header(message: MIMEPart, name: str) -> str:
    """A header field on one line; empty where it is missing or can't be read."""
    try:
        return " ".join(str(message.get(name) or "").split())
    except (ValueError, OverflowError, LookupError, TypeError, AttributeError, RecursionError):
        return ""


def _body(message: EmailMessage, item: RawItem) -> str:
    """The body of a message: its texts one after the other."""
    words: dict[int, str] = {}
    texts = [_words_of(part, item, words).strip("\r\n") for part in _text_parts(message, item, words)]
    return "\n\n".join(text for text in texts if text.strip())


def _text_parts(part: MIMEPart, item: RawItem, words: dict[int, str]) -> Iterator[MIMEPart]:
    """The parts that are shown as the body; of alternatives the one that is read."""
    kind = part.get_content_type()
    if kind == "message/rfc822" or _is_attachment(part):
        return
    if kind == "multipart/alternative":
        yield from _alternative(part, item, words)
    elif part.get_content_maintype() == "multipart":
        for inner in part.iter_parts():
            yield from _text_parts(inner, item, words)
    elif _is_text(part):
        yield part


def _alternative(part: MIMEPart, item: RawItem, words: dict[int, str]) -> Iterator[MIMEPart]:
    """The plain text of alternatives, or the page where the text only says that there is one."""
    inner = [text for each in part.iter_parts() for text in _text_parts(each, item, words)]
    plain = next((text for text in inner if text.get_content_subtype() == "plain"), None)
    page = next((text for text in inner if text.get_content_subtype() == "html"), None)
    if plain is not None and page is not None:
        stub = _words_of(plain, item, words).strip()[: _MAX_STUB_CHARS + 1]
        enough = len(stub) if _OF_PAGES.search(stub) else _MIN_PAGE_CHARS + len(stub) * _MIN_PAGE_RATIO
        is_stub = (
            len(stub) <= _MAX_STUB_CHARS and enough < len(str(page.get_payload())) <= _MAX_COMPARED_PAGE_CHARS
        )
        if is_stub and len(_words_of(page, item, words)) > enough:
            plain = None
    chosen = plain if plain is not None else page
    if chosen is not None:
        yield chosen


def _attachments(message: EmailMessage) -> Iterator[MIMEPart]:
    """The leaves that are no body: attachments, messages, and parts that are no text."""
    waiting: list[MIMEPart] = [message]
    while waiting:
        part = waiting.pop(0)
        if part.get_content_maintype() == "multipart":
            waiting[:0] = [*part.iter_parts()]
        elif _is_attachment(part) or not _is_text(part):
            yield part


def _is_text(part: MIMEPart) -> bool:
    return part.get_content_maintype() == "text" and part.get_content_subtype() not in _DATA_SUBTYPES


def _is_attachment(part: MIMEPart) -> bool:
    return part.get_content_disposition() == "attachment" and part.get_content_maintype() != "multipart"


def _words_of(part: MIMEPart, item: RawItem, words: dict[int, str]) -> str:
    """The words of a part. `words` keeps them by the part, as alternatives are read to be compared."""
    if id(part) not in words:
        words[id(part)] = _read_words(part, item)
    return words[id(part)]


def _read_words(part: MIMEPart, item: RawItem) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    language = _header(part, "content-language").partition(",")[0] or item.language
    words = decode_unmarked(payload, part.get_content_charset(), language)
    if part.get_content_subtype() == "html":
        return read_html(_without_head(words)).text
    return _without_soft_breaks(words, part)


def _without_head(page: str) -> str:
    """A page without its head, whose title is the mail program's."""
    start = _HEAD_OF_PAGE.search(page)
    end = _END_OF_HEAD.search(page, start.end()) if start else None
    return page[: start.start()] + page[end.end() :] if start and end else page


def _without_soft_breaks(words: str, part: MIMEPart) -> str:
    """The words of a part; lines that end in a blank go on in the next one (RFC 3676, format=flowed).

    With ``delsp=yes`` the blank was put in for the line's end alone, as languages without blanks need it. A blank that
    begins a line was put in before it (section 4.4).
    """
    flowed = (
        part.get_content_type() == "text/plain" and str(part.get_param("format") or "").lower() == "flowed"
    )
    if not flowed:
        return words
    joint = "" if str(part.get_param("delsp") or "").lower() == "yes" else " "
    lines = [line.removeprefix(" ") for line in words.replace("\r\n", "\n").split("\n")]
    text = "\n".join("" if line == "-- " else line for line in lines)
    return text.replace(" \n", joint)


FORMAT: Final = Format(name=_NAME, read=read_message, is_document=is_message, media_types=("message/rfc822",))
