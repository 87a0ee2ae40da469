"""A feed document taken apart into documents of one entry each, in the publisher's own bytes.

The scan runs on bytes: every encoding in use but UTF-16 and UTF-32 keeps ``<`` and ``>`` to itself, and those two are
scanned as UTF-8 and written back as they came. It knows CDATA and comments, needs no well-formed XML, and ends an
entry that was never closed where the next one begins. A document whose root is not closed is cut: `Document.whole`
is False, and its last entry counts only when it is closed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from processors.errors import Empty, Malformed, NotAFeed, NotText, Rejected, UnknownFormat
from processors.normalise.formats import FORMATS
from processors.normalise.pages import not_a_feed

ENTRY_OF: Final = {  # the element of an entry by that of the feed, both by local name, the latter in lower case
    root.encode(): names[0].encode()
    for format_ in FORMATS
    if format_.is_feed
    for root, names in format_.roots.items()
    if names
}
WIDE_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
SKIP: Final = (  # what may follow a "<" and holds no markup; patterns begin with that one sign, which makes them fast
    rb"!\[CDATA\[(?:[^\]]++|\](?!\]>))*+(?:\]\]>|\Z)|!--(?:[^\-]++|-(?!->))*+(?:-->|\Z)|\?(?:[^?]++|\?(?!>))*+(?:\?>|\Z)"
)
ATTRIBUTES: Final = rb"(?:[^<>\"']|\"[^\"]*\"|'[^']*')*"
DOCTYPE: Final = re.compile(
    rb"<!DOCTYPE(?:[^\[<>\"']|\"[^\"]*\"|'[^']*')*(\[(?:[^\]\"']|\"[^\"]*\"|'[^']*')*\])?\s*>", re.IGNORECASE
)
ROOT: Final = re.compile(
    rb"<(?P<name>(?:[A-Za-z_][\w.\-]*:)?(?P<local>[A-Za-z_][\w.\-]*))(?=[\s>/])", re.DOTALL
)
SKIPPED: Final = re.compile(rb"<(?:" + SKIP + rb")", re.DOTALL)
TAG: Final = re.compile(
    rb"<(?:" + SKIP + rb"|(?P<end>/?)(?P<name>[A-Za-z_][\w.\-:]*)" + ATTRIBUTES + rb"(?P<empty>/?)>)",
    re.DOTALL,
)
ENTITY: Final = re.compile(
    rb"<!ENTITY\s+(?!%)[^\s>]+\s+(?:(?:SYSTEM|PUBLIC)\b|\"[^\"]*&(?!#)[^\"]*\"|'[^']*&(?!#)[^']*')"
)
DECLARED: Final = re.compile(rb"<\?xml[^>]*?\bencoding\s*=\s*[\"']([\w.:\-]+)")
HTML: Final = re.compile(rb"<(?:!DOCTYPE\s+html|html|head|body|script|meta|title)\b", re.IGNORECASE)
PROLOGUE: Final = re.compile(  # XML allows nothing before the declaration
    rb"\A(\xef\xbb\xbf)?(?:\s+|<!--.*?-->)+(?=<\?xml\s)", re.DOTALL
)
OTHER_SCRIPTS: Final = (
    "Cyrillic",
    "Greek",
    "Hebrew",
    "Arabic",
    "Thai",
    "CJK Unified",
    "Hiragana",
    "Katakana",
    "Hangul",
)
DETECTED: Final = 20_000  # bytes that are looked at


@dataclass(frozen=True, slots=True)
class Document:
    """A feed's entries, in document order, each as the bytes from ``<item`` to ``</item>`` (JSON: one object).

    `codec` reads these bytes as text, `guessed` is whether nobody declared it; `wide` is the 16 or 32 bit encoding that they came in. `head` is what stands
    before the first entry, and what every one-entry document begins with.
    """

    head: bytes
    tail: bytes
    entries: tuple[bytes, ...]
    whole: bool = True
    codec: str = "utf-8"
    guessed: bool = False
    wide: str | None = None
    json: bool = False
    objects: tuple[Any, ...] = field(default=(), repr=False)

    def alone(self, entry: bytes) -> bytes:
        """A document that holds only this entry, in the encoding of the whole one."""
        made = self.head + entry + self.tail
        if not self.wide:
            return made
        mark = next(bom for bom, name in WIDE_BOMS if name == self.wide)
        return mark + made.decode("utf-8", "replace").encode(self.wide)


def take_apart(body: bytes, charset: str | None = None, url: str | None = None) -> Document:
    """The entries of an RSS, RDF, Atom, JSON Feed or news-sitemap document.

    `charset` is what the transport told; `url` is the document's own address, without its secrets.

    Raises:
        Empty: no bytes, or only white space.
        NotAFeed: an HTML page; the message names the feeds that it advertises.
        NotText: binary data.
        Malformed: JSON that ends early, or a document type that declares dangerous entities.
        UnknownFormat: another vocabulary.
    """
    if not body.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        raise Empty("the answer has no body; ask the publisher, or check the URL")
    wide, raw = _narrowed(body)
    start = raw.lstrip(b"\xef\xbb\xbf \t\r\n\f\x0b")[:1]
    if start in {b"{", b"["}:
        return _json(raw)
    if start != b"<" and b"<" not in raw[:2000]:
        raise _not_markup(raw)
    return _xml(raw, wide, charset, url)


def _narrowed(body: bytes) -> tuple[str | None, bytes]:
    """The 16 or 32 bit encoding of a document, and its bytes with one byte for ``<``."""
    for bom, name in WIDE_BOMS:
        if body.startswith(bom):
            return name, body[len(bom) :].decode(name, "replace").encode()
    for opening, name in (
        (b"<\0?\0", "utf-16-le"),
        (b"\0<\0?", "utf-16-be"),
        (b"<\0r\0", "utf-16-le"),
        (b"\0<\0r", "utf-16-be"),
    ):
        if body.startswith(opening):
            return name, body.decode(name, "replace").encode()
    return None, body


def _xml(raw: bytes, wide: str | None, charset: str | None, url: str | None) -> Document:
    root = _root(raw)
    local = root["local"].lower() if root else b""
    if root is None or local not in ENTRY_OF:
        raise _no_feed(raw, local, "utf-8" if wide else charset, url)
    if ENTITY.search(raw, 0, root.start()):
        raise Malformed(
            "the document type declares external or nested entities, which are never read; ask the publisher"
        )
    kind = ENTRY_OF[local]
    closed = _closed(raw, root["name"])
    codec, guessed = ("utf-8", False) if wide else codec_of(raw, charset)
    first = next(_matches(rb"((?:[A-Za-z_][\w.\-]*:)?" + kind + rb")", raw, root.end()), None)
    spans = list(_spans(raw, first[1], first.start(), closed)) if first else []
    if not spans:
        return Document(raw, b"", (), closed, codec, guessed, wide)
    head = PROLOGUE.sub(rb"\1", raw[: spans[0][0]], count=1)
    entries = tuple(raw[start:end] for start, end in spans)
    return Document(head, _closing(head), entries, closed, codec, guessed, wide)


def _root(raw: bytes) -> re.Match[bytes] | None:
    """The start tag of the root, past declarations, comments and the document type."""
    position = 0
    while (position := raw.find(b"<", position)) >= 0:
        if skipped := SKIPPED.match(raw, position) or DOCTYPE.match(raw, position):
            position = skipped.end()
        elif found := ROOT.match(raw, position):
            return found
        else:
            position += 1
    return None


def _matches(name: bytes, raw: bytes, start: int) -> Iterator[re.Match[bytes]]:
    """The start tags of a name outside CDATA and comments; group 1 is the name."""
    for match in re.compile(rb"<(?:" + SKIP + rb"|" + name + rb"(?=[\s>/]))", re.DOTALL).finditer(raw, start):
        if match[1]:
            yield match


def _spans(raw: bytes, name: bytes, start: int, closed: bool) -> Iterator[tuple[int, int]]:
    """Where each entry begins and ends."""
    pattern = re.compile(rb"<(?:" + SKIP + rb"|(/?)" + re.escape(name) + rb"(?=[\s>/])[^<>]*>)", re.DOTALL)
    opened = -1
    for match in pattern.finditer(raw, start):
        if match[1] is None:
            continue
        if match[1] == b"/":
            if opened >= 0:
                yield opened, match.end()
            opened = -1
        else:
            if opened >= 0:
                yield opened, match.start()
            opened = -1 if match[0].endswith(b"/>") else match.start()
    if opened >= 0 and closed:
        end = raw.rfind(b"</", opened)
        yield opened, end if end > opened else len(raw)


def _closed(raw: bytes, name: bytes) -> bool:
    pattern = re.compile(rb"</" + re.escape(name) + rb"\s*>", re.IGNORECASE)
    return bool(pattern.search(raw, max(0, len(raw) - 4096)) or pattern.search(raw))


def _closing(head: bytes) -> bytes:
    """The end tags of the containers that are open after `head`, innermost first."""
    open_: list[bytes] = []
    for tag in TAG.finditer(DOCTYPE.sub(b"", head, count=1)):
        name = tag["name"]
        if not name or tag["empty"] or name.rpartition(b":")[2].lower() not in ENTRY_OF:
            continue
        if not tag["end"]:
            open_.append(name)
        elif name in open_:
            while open_.pop() != name:
                pass
    return b"".join(b"</" + name + b">" for name in reversed(open_))


def _json(raw: bytes) -> Document:
    try:
        told = orjson.loads(raw.removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        raise Malformed(f"JSON that can't be read: {error}") from error
    items = told.get("items") if isinstance(told, dict) else None
    if not isinstance(items, list):
        raise UnknownFormat("JSON that is no JSON Feed; name a feed's URL")
    around = orjson.dumps({key: value for key, value in told.items() if key != "items"})
    head = (b"{" if around == b"{}" else around[:-1] + b",") + b'"items":['
    objects = tuple(item for item in items if isinstance(item, dict))
    return Document(head, b"]}", tuple(orjson.dumps(item) for item in objects), json=True, objects=objects)


def codec_of(raw: bytes, charset: str | None) -> tuple[str, bool]:
    """The codec that reads a document whose ``<`` is one byte, and whether it is only a guess.

    UTF-8 where that fits, else what the transport or the document declares, else what the bytes look like.
    """
    declared = DECLARED.search(raw[:1000])
    told = [name for name in (charset, declared[1].decode("ascii", "replace") if declared else None) if name]
    codecs_told = [codec for name in told if (codec := _known(name))]
    if shifted := next(
        (codec for codec in codecs_told if codec.startswith(("iso2022", "hz", "utf-7"))), None
    ):
        return shifted, False
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        other = next((codec for codec in codecs_told if codec not in {"utf-8", "ascii"}), None)
        if other:
            return ("cp1252" if other == "iso8859-1" else other), False
        return ("utf-8", False) if codecs_told else (_detected(raw), True)
    return "utf-8", False


def _detected(raw: bytes) -> str:
    """The codec that bytes without any declaration look like: windows-1252 unless they are in another script."""
    from charset_normalizer import from_bytes

    best = from_bytes(raw[:DETECTED]).best()
    codec = _known(best.encoding) if best else None
    if codec is None or best is None:
        return "cp1252"
    return codec if any(alphabet.startswith(OTHER_SCRIPTS) for alphabet in best.alphabets) else "cp1252"


def _known(name: str | None) -> str | None:
    try:
        return codecs.lookup(name).name if name else None
    except LookupError:
        return None


def _no_feed(raw: bytes, local: bytes, charset: str | None, url: str | None) -> Rejected:
    if local == b"html" or HTML.search(raw[:5000]):
        return not_a_feed(raw.decode(codec_of(raw, charset)[0], "replace"), url, FORMATS)
    if not local:
        return _not_markup(raw)
    return UnknownFormat(f"XML whose root is {local.decode('utf-8', 'replace')!r}, which is no feed")


def _not_markup(raw: bytes) -> Rejected:
    if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", raw[:1000]):
        return NotText(f"the bytes {raw[:8]!r}… are no text; name a feed's URL")
    return NotAFeed("plain text in place of a feed; name a feed's URL")
