"""A feed document taken apart into documents of one entry each, in the publisher's own bytes.

The scan runs on bytes: every encoding in use but UTF-16 and UTF-32 keeps ``<`` and ``>`` to itself, and those two are
scanned as UTF-8 and written back as they came. It knows CDATA and comments, needs no well-formed XML, and ends an
entry that was never closed where the next one begins. A document whose root is not closed is cut: `Document.whole`
is False, and its last entry counts only when it is closed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from processors.errors import Empty, Malformed, NotAFeed, NotText, Rejected, TooLarge, UnknownFormat
from processors.normalise.decode import choose_codec, is_single_byte_text
from processors.normalise.formats import FORMATS
from processors.normalise.json_documents import parse_json_lines
from processors.normalise.ninjs import is_item
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
NO_MARKUP: Final = (  # what may follow a "<" and holds no markup; patterns begin with that one sign, which makes them fast
    rb"!\[CDATA\[(?:[^\]]++|\](?!\]>))*+(?:\]\]>|\Z)|!--(?:[^\-]++|-(?!->))*+(?:-->|\Z)|\?(?:[^?]++|\?(?!>))*+(?:\?>|\Z)"
)
# Names and attributes are possessive: what one part has taken no other part tries, so that a torn tag costs its length.
ATTRIBUTES: Final = rb"(?:[^<>\"'/]++|/(?!>)|\"[^\"]*+\"|'[^']*+')*+"
DOCTYPE_OPENING: Final = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
DOCTYPE: Final = re.compile(
    rb"<!DOCTYPE(?:[^\[<>\"']++|\"[^\"]*+\"|'[^']*+')*+(\[(?:[^\]\"']++|\"[^\"]*+\"|'[^']*+')*+\])?\s*+>",
    re.IGNORECASE,
)
XML_DECLARATION: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,20}<\?xml[^>?]{0,200}\?>")
# Each entry becomes a raw item with the feed's head before it, so the head is copied as often as there are entries. Real
# heads have 300 to 6,000 bytes, half of them namespaces. A head is cut where it is long beside its entries; lower limits
# cut good feeds' heads, which costs time, higher ones let 1 MB become 1 GB.
MAX_HEAD_BYTES: Final = 16_384
MIN_HEAD_BYTES: Final = 2_048
MAX_HEAD_VALUE_BYTES: Final = 500
MAX_COPIED_SHARE: Final = 8  # of the entries' bytes that the copies of a head may take …
MAX_COPIED_BYTES: Final = 1 << 20  # … beside so many
MAX_HINT_BYTES: Final = 20_000  # of a head in which a feed tells its rhythm
MAX_JSON_DEPTH: Final = 32  # of what is kept; readers look four deep
HEAD_ELEMENTS: Final = frozenset({b"title", b"link", b"language", b"copyright", b"rights", b"author"})
JSON_HEAD_MEMBERS: Final = ("version", "title", "home_page_url", "feed_url", "language", "authors", "author")
ROOT: Final = re.compile(
    rb"<(?P<name>(?:[A-Za-z_][\w.\-]{0,99}+:)?(?P<local>[A-Za-z_][\w.\-]{0,99}+))(?=[\s>/])", re.DOTALL
)
SKIPPED_MARKUP: Final = re.compile(rb"<(?:" + NO_MARKUP + rb")", re.DOTALL)
TAG: Final = re.compile(
    rb"<(?:" + NO_MARKUP + rb"|(?P<end>/?)(?P<name>[A-Za-z_][\w.\-:]*+)" + ATTRIBUTES + rb"(?P<empty>/?)>)",
    re.DOTALL,
)
DANGEROUS_ENTITY: Final = re.compile(
    rb"<!ENTITY\s++(?!%)[^\s>]++\s++(?:(?:SYSTEM|PUBLIC)\b|\"[^\"&]*+(?:&#[^\"&]*+)*+&|'[^'&]*+(?:&#[^'&]*+)*+&)"
)
HTML_TAG: Final = re.compile(rb"<(?:!DOCTYPE\s+html|html|head|body|script|meta|title)\b", re.IGNORECASE)
NEWS: Final = re.compile(rb"<(?:[A-Za-z_][\w.\-]{0,99}+:)?news[\s>]")
PROLOGUE: Final = re.compile(  # XML allows nothing before the declaration
    rb"\A(\xef\xbb\xbf)?(?:\s++|<!--(?:[^\-]++|-(?!->))*+-->)++(?=<\?xml\s)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class FeedDocument:
    """A feed's entries, in document order, each as the bytes from ``<item`` to ``</item>`` (JSON: one object).

    `codec` reads these bytes as text, `guessed` is whether nobody declared it; `wide` is the 16 or 32 bit encoding that they came in. `head` is what stands
    before the first entry, and what every one-entry document begins with; where it is long, only what entries need of it.
    `hints` is its beginning as it came. `cuts` says what was left out, by the name that the metric has for it.
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
    hints: bytes = field(default=b"", repr=False)
    cuts: dict[str, str] = field(default_factory=dict)

    def with_entry(self, entry: bytes) -> bytes:
        """A document that holds only this entry, in the encoding of the whole one."""
        document = self.head + entry + self.tail
        if not self.wide:
            return document
        mark = next(bom for bom, name in WIDE_BOMS if name == self.wide)
        return mark + document.decode("utf-8", "replace").encode(self.wide)


def split_document(
    body: bytes,
    charset: str | None = None,
    url: str | None = None,
    *,
    language: str | None = None,
    usual_codec: str | None = None,
) -> FeedDocument:
    """The entries of an RSS, RDF, Atom, JSON Feed or news-sitemap document.

    `charset` is what the transport told; `url` is the document's own address, without its secrets. `language` is the
    feed's by its settings, and `usual_codec` what its earlier documents were in, for documents that declare neither.

    Raises:
        Empty: no bytes, or only white space.
        NotAFeed: an HTML page; the message names the feeds that it advertises.
        NotText: binary data.
        Malformed: JSON that ends early, or a document type that declares dangerous entities.
        UnknownFormat: another vocabulary.
    """
    if not body.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        raise Empty("the answer has no body; ask the publisher, or check the URL")
    wide, raw = _narrow_encoding(body)
    start = raw.lstrip(b"\xef\xbb\xbf \t\r\n\f\x0b")[:1]
    if start in {b"{", b"[", b"\x1e"}:
        return _split_json(raw)
    if start != b"<" and b"<" not in raw[:2000]:
        raise _not_markup_error(raw)
    codec = ("utf-8", False) if wide else choose_codec(raw, charset, language, usual_codec)
    return _split_xml(raw, wide, codec, url)


def _narrow_encoding(body: bytes) -> tuple[str | None, bytes]:
    """The 16 or 32 bit encoding of a document, and its bytes with one byte for ``<``."""
    for bom, name in WIDE_BOMS:
        if body.startswith(bom):
            rest = body[len(bom) :]
            return (
                (None, rest) if is_single_byte_text(rest) else (name, rest.decode(name, "replace").encode())
            )
    for opening, name in (
        (b"<\0?\0", "utf-16-le"),
        (b"\0<\0?", "utf-16-be"),
        (b"<\0r\0", "utf-16-le"),
        (b"\0<\0r", "utf-16-be"),
    ):
        if body.startswith(opening):
            return name, body.decode(name, "replace").encode()
    return None, body


def _split_xml(raw: bytes, wide: str | None, codec: tuple[str, bool], url: str | None) -> FeedDocument:
    root = _find_root(raw)
    local = root["local"].lower() if root else b""
    if root is None or local not in ENTRY_OF:
        raise _no_feed_error(raw, local, codec[0], url)
    if DANGEROUS_ENTITY.search(raw, 0, root.start()):
        raise Malformed(
            "the document type declares external or nested entities, which are never read; ask the publisher"
        )
    kind = ENTRY_OF[local]
    closed = _is_closed(raw, root["name"])
    name = rb"((?:[A-Za-z_][\w.\-]{0,99}+:)?" + kind + rb")"
    first = next(_matches(name, raw, root.end()), None) or next(
        _matches(rb"(?i:" + name + rb")", raw, root.end()), None
    )
    spans = list(_entry_spans(raw, first[1], first.start(), closed)) if first else []
    if kind == b"url" and spans:
        spans = [span for span in spans if NEWS.search(raw, *span)]
        if not spans:
            raise UnknownFormat("a sitemap that tells no news of its pages; name a feed or a news sitemap")
    if not spans:
        return FeedDocument(raw, b"", (), closed, *codec, wide)
    whole_head = head = PROLOGUE.sub(rb"\1", raw[: spans[0][0]], count=1)
    entries = tuple(raw[start:end] for start, end in spans)
    cuts = {}
    if len(head) > (room := _head_room(entries)):
        head = _needed_head(head, room)
        _check_head(head, entries)
        if len(whole_head) > MAX_HEAD_BYTES:
            cuts["head"] = f"a head of {len(whole_head):,} bytes; each entry keeps only what it needs of it"
    return FeedDocument(
        head, _closing_tags(head), entries, closed, *codec, wide, cuts=cuts, hints=whole_head[:MAX_HINT_BYTES]
    )


def _head_room(entries: Sequence[bytes]) -> int:
    """How long a head may be before it is cut to what entries need, in bytes: in proportion to the entries."""
    mean = sum(map(len, entries)) // max(1, len(entries))
    return min(MAX_HEAD_BYTES, max(MIN_HEAD_BYTES, 2 * mean))


def _check_head(head: bytes, entries: Sequence[bytes]) -> None:
    """Refuse a document whose head would be copied until it is many times as long as its entries.

    Raises:
        TooLarge: what each entry needs of the head is too long.
    """
    copied = len(head) * len(entries)
    if len(head) > MAX_HEAD_BYTES or copied > MAX_COPIED_BYTES + MAX_COPIED_SHARE * sum(map(len, entries)):
        raise TooLarge(
            f"{len(entries):,} entries, each of which needs {len(head):,} bytes of the feed's head; ask the publisher"
        )


def _needed_head(head: bytes, room: int) -> bytes:
    """What entries need of a long head: its declaration, the containers' tags, language, link, title and rights.

    Of what stands in other elements (an image has a link of its own) nothing counts.
    """
    declaration, doctype = XML_DECLARATION.match(head), _find_doctype(head)
    kept = [declaration[0]] if declaration else []
    if doctype and len(doctype[0]) <= room // 2:
        kept.append(doctype[0])
    length, inside, depth = sum(map(len, kept)), b"", 0
    for tag in TAG.finditer(head, doctype.end() if doctype else 0):
        name = tag["name"]
        if not name:
            continue
        local = name.rpartition(b":")[2].lower()
        piece = b""
        if local in ENTRY_OF:
            piece, inside = tag[0], b""
            room += len(piece)  # without them an entry is no feed; `_check_head` limits their length
        elif inside:
            depth += 0 if tag["empty"] or name != inside else -1 if tag["end"] else 1
            inside = inside if depth else b""
        elif not tag["end"]:
            piece = _head_element(head, tag) if local in HEAD_ELEMENTS else b""
            inside, depth = (b"", 0) if tag["empty"] else (name, 1)
        if piece and length + len(piece) <= room:
            kept.append(piece)
            length += len(piece)
            if length > 2 * MAX_HEAD_BYTES:
                break
    return b"".join(kept)


def _head_element(head: bytes, tag: re.Match[bytes]) -> bytes:
    """An element of a head with its words; empty where it is long or not closed."""
    if tag["empty"]:
        return tag[0] if len(tag[0]) <= MAX_HEAD_VALUE_BYTES else b""
    end = head.find(b"</" + tag["name"] + b">", tag.start(), tag.start() + MAX_HEAD_VALUE_BYTES)
    return head[tag.start() : end + len(tag["name"]) + 3] if end >= 0 else b""


def _find_root(raw: bytes) -> re.Match[bytes] | None:
    """The start tag of the root, past declarations, comments and the document type."""
    position, doctype = 0, _find_doctype(raw)
    while (position := raw.find(b"<", position)) >= 0:
        if skipped := SKIPPED_MARKUP.match(raw, position):
            position = skipped.end()
        elif doctype and position == doctype.start():
            position = doctype.end()
        elif root := ROOT.match(raw, position):
            return root
        else:
            position += 1
    return None


def _find_doctype(raw: bytes) -> re.Match[bytes] | None:
    """The document type. The first one counts: XML allows no second, and trying each would take the square of them."""
    opening = DOCTYPE_OPENING.search(raw)
    return DOCTYPE.match(raw, opening.start()) if opening else None


def _matches(name: bytes, raw: bytes, start: int) -> Iterator[re.Match[bytes]]:
    """The start tags of a name outside CDATA and comments; group 1 is the name."""
    for match in re.compile(rb"<(?:" + NO_MARKUP + rb"|" + name + rb"(?=[\s>/]))", re.DOTALL).finditer(
        raw, start
    ):
        if match[1]:
            yield match


def _entry_spans(raw: bytes, name: bytes, start: int, closed: bool) -> Iterator[tuple[int, int]]:
    """Where each entry begins and ends."""
    pattern = re.compile(
        rb"<(?:" + NO_MARKUP + rb"|(/?)" + re.escape(name) + rb"(?=[\s>/])[^<>]*>)", re.DOTALL
    )
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


def _is_closed(raw: bytes, name: bytes) -> bool:
    pattern = re.compile(rb"</" + re.escape(name) + rb"\s*>", re.IGNORECASE)
    return bool(pattern.search(raw, max(0, len(raw) - 4096)) or pattern.search(raw))


def _closing_tags(head: bytes) -> bytes:
    """The end tags of the containers that are open after `head`, innermost first."""
    open_: list[bytes] = []
    doctype = _find_doctype(head)
    for tag in TAG.finditer(head[: doctype.start()] + head[doctype.end() :] if doctype else head):
        name = tag["name"]
        if not name or tag["empty"] or name.rpartition(b":")[2].lower() not in ENTRY_OF:
            continue
        if not tag["end"]:
            open_.append(name)
        elif name in open_:
            while open_.pop() != name:
                pass
    return b"".join(b"</" + name + b">" for name in reversed(open_))


def _split_json(raw: bytes) -> FeedDocument:
    try:
        parsed = orjson.loads(raw.removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        if parse_json_lines(raw.decode("utf-8", "replace")):
            raise UnknownFormat("lines of JSON that are no JSON Feed; name a feed's URL") from error
        raise Malformed(f"JSON that can't be read: {error}") from error
    items = parsed.get("items") if isinstance(parsed, dict) else None
    if not isinstance(items, list) or ("version" not in parsed and any(map(is_item, items))):
        raise UnknownFormat("JSON that is no JSON Feed; name a feed's URL")
    objects = tuple(item for item in items if isinstance(item, dict))
    cuts: dict[str, str] = {}
    entries = tuple(_dump_json(item, cuts) for item in objects)
    around = {key: value for key, value in parsed.items() if key != "items"}
    head = _json_head(around, cuts)
    if len(head) > _head_room(entries):
        needed = {key: around[key] for key in JSON_HEAD_MEMBERS if key in around}
        kept = {
            key: value
            for key, value in needed.items()
            if len(_dump_json(value, cuts)) <= MAX_HEAD_VALUE_BYTES
        }
        cuts["head"] = f"a head of {len(head):,} bytes; each entry keeps only what it needs of it"
        head = _json_head(kept, cuts)
        _check_head(head, entries)
    return FeedDocument(head, b"]}", entries, json=True, objects=objects, cuts=cuts)


def _json_head(members: dict[str, Any], cuts: dict[str, str]) -> bytes:
    around = _dump_json(members, cuts)
    return (b"{" if around == b"{}" else around[:-1] + b",") + b'"items":['


def _dump_json(value: object, cuts: dict[str, str]) -> bytes:
    """The bytes of a value, without what is nested deeper than anything that is read."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        cuts["nesting"] = f"JSON nested deeper than {MAX_JSON_DEPTH} levels; what is deeper was left out"
        return orjson.dumps(_without_depth(value, MAX_JSON_DEPTH))


def _without_depth(value: Any, depth: int) -> Any:
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        return None
    if isinstance(value, list):
        return [_without_depth(member, depth - 1) for member in value]
    return {key: _without_depth(member, depth - 1) for key, member in value.items()}


def _no_feed_error(raw: bytes, local: bytes, codec: str, url: str | None) -> Rejected:
    if local == b"html" or HTML_TAG.search(raw[:5000]):
        return not_a_feed(raw.decode(codec, "replace"), url, FORMATS)
    if not local:
        return _not_markup_error(raw)
    return UnknownFormat(f"XML whose root is {local.decode('utf-8', 'replace')!r}, which is no feed")


def _not_markup_error(raw: bytes) -> Rejected:
    if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", raw[:1000]):
        return NotText(f"the bytes {raw[:8]!r}… are no text; name a feed's URL")
    return NotAFeed("plain text in place of a feed; name a feed's URL")
