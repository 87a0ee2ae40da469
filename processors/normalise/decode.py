"""Bytes to characters: of documents, and of teleprinter wires.

UTF-8 proves itself, so that it comes first, also where a few places of it are broken. Then comes what the transport and
the document declare, unless the bytes surely say something else, and then the letters decide.

IPTC 7901 and ANPA 1312 don't say which set they use (ISO 646 national variants, ISO 6937, code pages). Where the settings
don't either, the letters decide here too.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import cache
from typing import Final

from config.tables import national_sets
from processors.errors import Empty, NotText
from processors.normalise.charsets import SHIFTED_CODECS, codec_of, decode_as, with_logical_order
from processors.normalise.language import identify_language
from processors.normalise.letters import rank_code_pages

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARKS: Final = tuple(mark for mark, _ in _BOMS)
# ``<?xm`` of EBCDIC, in all of whose code pages the letters of the declaration are the same (XML 1.0, appendix F.1).
_EBCDIC_BEGINS: Final = b"\x4c\x6f\xa7\x94"
_EBCDIC_PAGE: Final = re.compile(
    r"""encoding\s*=\s*["'](?:ebcdic-cp-\w+|(?:cp|ibm)-?0*(37|273|424|500|875|1026|1140))["']"""
)
# Browsers look for a declaration in the first 1,024 bytes (WHATWG HTML, section 13.2.3.2), which comments before it can
# fill. Further on, an article that quotes markup could declare an encoding.
_DECLARATION_BYTES: Final = 2048
_XML_DECLARATION: Final = re.compile(rb"""\s*<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']""")
_HTML_DECLARATION: Final = re.compile(
    rb"""<meta[^>]+charset\s*=\s*["']?([A-Za-z0-9._:-]+)(?=[^A-Za-z0-9._:-])""", re.IGNORECASE
)
_LANGUAGE: Final = re.compile(
    rb"""<(?:[a-z]+:)?language>\s*([A-Za-z]{2,3})\b|\bxml:lang\s*=\s*["']([A-Za-z]{2,3})\b|<html[^>]*?\blang\s*=\s*["']?([A-Za-z]{2,3})\b""",
    re.IGNORECASE,
)
# Encodings of seven bits, by the codes with which they shift to their signs: ISO-2022-JP, ISO-2022-KR, HZ.
_SHIFTS_TO_JAPANESE: Final = re.compile(rb"\x1b\$[@B][\x21-\x7e]{2}")
_SHIFTS_TO_KOREAN: Final = re.compile(rb"\x1b\$\)C(?=[^\x0e]*\x0e[\x21-\x7e]{2})")
_SHIFTS_TO_CHINESE: Final = re.compile(rb"~\{(?:[\x21-\x77][\x21-\x7e]){2,}~\}")
_UTF8_SEQUENCE: Final = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
# Databases and Java write characters beyond the basic plane as two surrogates (CESU-8, Unicode Technical Report 26), and a
# zero as two bytes, which is one of the forms that are too long to be UTF-8.
_CESU_PAIR: Final = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
_LONG_FORM: Final = re.compile(rb"[\xc0\xc1][\x80-\xbf]")
_ASCII_BYTES: Final = bytes(range(128))
# UTF-8 is believed where so many characters of it come on one byte that is none. In other encodings letters seldom look
# like UTF-8: most in GBK, where it is one in five. With more demanded, a short item that is cut loses its other accents.
_UTF8_CHARS_A_BROKEN_BYTE: Final = 2
_DECLARED_UTF8_CHARS_A_BROKEN_BYTE: Final = 1
# In a document of two encodings, so many characters are UTF-8 beyond doubt; fewer come by chance.
_MIN_UTF8_CHARS: Final = 3
_MIN_UTF8_SHARE: Final = 0.1  # of the bytes that are none
_MIN_FOREIGN_BYTES: Final = 4  # of another encoding among UTF-8: fewer are strays and say nothing
_PIECE: Final = re.compile(rb"[<\n]|[^<\n]+")
# Natural logarithms by which a reading beats the declared one before it is believed: of 13,000 rightly declared pieces of
# 50 to 1,000 characters in 44 languages one was so far off (25.9: Romanian ş and ș are the same bytes), and of those declared wrongly .97 of 200 characters are.
_CERTAIN: Final = 25.0
_OPEN: Final = 10.0  # within which what the feed was in before wins: two accented letters that stand oddly
_MAX_BROKEN_SHARE: Final = 0.02  # of the characters that a declared encoding may not have
_BOM_SAMPLE_BYTES: Final = 400
_WIDE_MARKUP: Final = re.compile(rb"(<\0[?!A-Za-z]\0[!-~]\0)|\0<\0[?!A-Za-z]\0[!-~]")
_MARKUP_BEGINS: Final = re.compile(rb"\s*<(?:\?xml|!DOCTYPE|[A-Za-z]{2})")
_PLAIN_BYTES: Final = bytes(range(0x61, 0x7B)) + bytes(range(0x41, 0x5B)) + b" "
_MIN_PLAIN_SHARE: Final = (
    0.75  # letters and blanks of ASCII: ideographs of 16 bits have half as many among their bytes
)
_CUT_UTF8_BYTES: Final = (
    3  # of the last character of a sample: text of 16 bits has more that are no UTF-8, or controls
)
# Control bytes that are no codes of teleprinters.
_STRAY_BYTES: Final = bytes((*range(5, 9), *range(14, 17), 21, *range(23, 27), *range(28, 31)))
_TABLE_BYTES: Final = b"\x08\x0e\x0f\x10\x1c\x1d\x1e"
_TELEPRINTER: Final = re.compile(rb"[\x16\s\x00]{0,40}\x01[ ]?[A-Za-z]{1,12}[ ]?\d{1,6}")
_BINARY_SAMPLE_BYTES: Final = 8192
_NATIONAL: Final = "#$@[\\]^`{|}~"
_BRACKETS: Final = "[\\]{|}~"
_BRACKET_IN_WORD: Final = re.compile(
    r"(?<=[A-Za-z])[\[\\\]{|}~](?=[a-z\s.,])|(?<![A-Za-z])[\[\\\]{|}~](?=[a-z]{2})"
)
# A national variant has a bracket in words at least three times, and once in 400 characters: fewer are signs that an
# English wire means as brackets; more would leave a short German dispatch with ``}`` for ``ü``.
_MIN_BRACKETS: Final = 3
_MAX_CHARS_A_BRACKET: Final = 400
_ISO_6937_LETTER: Final = re.compile(rb"[\xc1-\xcf][A-Za-z]")
_RARITY_OF_ISO_6937: Final = 3.0  # as that of DOS, in `letters`


def decode(payload: bytes, charset: str | None = None, language: str | None = None) -> str:
    """The characters of a document; U+FFFD stands where bytes are none.

    Args:
        payload: The bytes as they came.
        charset: What the transport declares, if anything.
        language: What the feed is in by its settings (BCP 47), if anything.

    Raises:
        Empty: there are no bytes, or only white space.
        NotText: the bytes are no text in any encoding; send the item as text, or name its charset.
    """
    if not payload.strip(b" \t\r\n\0\xef\xbb\xbf"):
        raise Empty("no bytes but white space; check what the source sent")
    if payload.startswith(_MARKS):
        mark, encoding = next(bom for bom in _BOMS if payload.startswith(bom[0]))
        rest = payload[len(mark) :]
        if encoding == "utf-8":
            return decode_unmarked(rest, "utf-8", language)
        if not is_single_byte_text(rest):
            return rest.decode(encoding, "replace")
        payload = rest
    elif wide := _wide_encoding(payload):
        return payload.decode(wide, "replace")
    elif payload.startswith(_EBCDIC_BEGINS):
        return _decode_ebcdic(payload)
    if _is_binary(payload):
        raise NotText(f"the bytes {payload[:8]!r}… are no text; send wire formats only")
    return decode_unmarked(payload, charset, language)


def decode_unmarked(payload: bytes, charset: str | None = None, language: str | None = None) -> str:
    """The characters of bytes without a byte order mark, of 8 bits each: a document, or a part of mail."""
    if not payload.isascii() or not _may_be_shifted(payload, charset):
        try:
            return payload.decode("utf-8")
        except UnicodeDecodeError:
            pass
        if (text := _decode_near_utf8(payload)) is not None:
            return text
    codec, _ = choose_codec(payload, charset, language)
    if codec == "utf-8":
        return _decode_utf8(payload, language)
    return with_logical_order(decode_as(payload, codec)[0], codec)


def _may_be_shifted(payload: bytes, charset: str | None) -> bool:
    """Whether ASCII may be of an encoding that writes all of its characters in it."""
    return (
        b"\x1b" in payload
        or b"~{" in payload
        or "hz" in (charset or "").lower()
        or b"hz-gb" in payload[:_DECLARATION_BYTES].lower()
    )


def _decode_near_utf8(payload: bytes) -> str | None:
    """The characters of CESU-8 and of forms that are too long, where all else is UTF-8; None where it is not."""
    if not _CESU_PAIR.search(payload) and not _LONG_FORM.search(payload):
        return None
    repaired = _CESU_PAIR.sub(_to_utf8, payload)
    if not _UTF8_SEQUENCE.search(repaired):
        return None
    repaired = _LONG_FORM.sub(lambda form: b"\0" if form[0] == b"\xc0\x80" else b"\xef\xbf\xbd", repaired)
    try:
        return repaired.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _to_utf8(pair: re.Match[bytes]) -> bytes:
    surrogates = pair[0].decode("utf-8", "surrogatepass")
    return surrogates.encode("utf-16-le", "surrogatepass").decode("utf-16-le").encode()


def _find_shifts(payload: bytes) -> str | None:
    """The encoding of seven bits whose shifts stand in ASCII and whose signs are all right; None for plain ASCII."""
    if _SHIFTS_TO_JAPANESE.search(payload):
        return "iso2022_jp"
    for codec, shifts in (("iso2022_kr", _SHIFTS_TO_KOREAN), ("hz", _SHIFTS_TO_CHINESE)):
        if shifts.search(payload) and decode_as(payload, codec)[1] == 0:
            return codec
    return None


def choose_codec(
    payload: bytes, charset: str | None = None, language: str | None = None, usual: str | None = None
) -> tuple[str, bool]:
    """The codec of bytes without a byte order mark, and whether it is only judged by the letters.

    `usual` is what earlier documents of the same feed were in: it wins where the letters leave it open.
    """
    declared = _declared_codecs(payload[:_DECLARATION_BYTES], charset)
    if shifted := next((codec for codec in declared if codec in SHIFTED_CODECS), None):
        return shifted, False
    if payload.isascii():
        shifted = _find_shifts(payload)
        return (shifted or "utf-8", shifted is not None)
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8", False
    if _is_broken_utf8(payload, declared="utf-8" in declared):
        return "utf-8", True
    language = _declared_language(payload[:_DECLARATION_BYTES]) or language
    return _judge_codec(payload, [codec for codec in declared if codec != "utf-8"], language, usual)


def decode_wire(payload: bytes, charset: str | None = None, language: str | None = None) -> str:
    """The characters of a teleprinter message. `charset` is what the settings say, `language` a BCP 47 tag."""
    if charset and (text := _decode_wire_as(payload, charset)) is not None:
        return text
    if payload.isascii() and _find_shifts(payload) is None:
        return _decode_national(payload.decode("ascii"), language)
    if (marked := _decode_iso_6937_text(payload, language)) is not None:
        return marked
    return decode_unmarked(payload, None, language)


def decode_iso_6937(payload: bytes) -> str:
    """The characters of ISO 6937, in which a non-spacing mark stands before its letter."""
    singles, marks = _iso_6937()
    out: list[str] = []
    mark = ""
    for byte in payload:
        if byte in marks:
            mark = marks[byte]
            continue
        char = chr(byte) if byte < 0xA0 else singles.get(byte, "\ufffd")
        out.append(unicodedata.normalize("NFC", char + mark) if mark and char != " " else char)
        mark = ""
    return "".join(out)


def with_national_letters(text: str, nation: str) -> str:
    """ASCII read as a national variant of ISO 646; `nation` is a language (``de``)."""
    return text.translate(str.maketrans(_NATIONAL, national_sets().iso_646[nation]))


def _declared_codecs(head: bytes, charset: str | None) -> list[str]:
    """The codecs that are declared: the transport's, then the document's."""
    labels = [charset]
    for match in (_XML_DECLARATION.match(head), _HTML_DECLARATION.search(head)) if b"<" in head else ():
        labels += [match[1].decode("ascii")] if match else []
    named = (codec for label in labels if (codec := codec_of(label)))
    return list(dict.fromkeys(codec for codec in named if not codec.startswith("utf_16")))


def _declared_language(head: bytes) -> str | None:
    """The language that a document declares in its head: the evidence where its encoding isn't."""
    match = _LANGUAGE.search(head)
    return next(group for group in match.groups() if group).decode("ascii").lower() if match else None


def _is_broken_utf8(payload: bytes, *, declared: bool) -> bool:
    """Whether bytes are UTF-8 but for some, or for pieces that are in another encoding."""
    chars, broken = _count_utf8(payload)
    if chars >= (_DECLARED_UTF8_CHARS_A_BROKEN_BYTE if declared else _UTF8_CHARS_A_BROKEN_BYTE) * broken:
        return chars > 0
    return chars >= _MIN_UTF8_SHARE * broken and bool(_foreign_pieces(_PIECE.findall(payload), chars))


def _decode_utf8(payload: bytes, language: str | None) -> str:
    """The characters of UTF-8. Pieces that are surely in another encoding are read in that, what is broken is U+FFFD."""
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        pieces = _PIECE.findall(payload)
    foreign = _foreign_pieces(pieces, _count_utf8(payload)[0])
    if not foreign:
        return payload.decode("utf-8", "replace")
    codec = _judge_codec(
        b"\n".join(foreign), [], _declared_language(payload[:_DECLARATION_BYTES]) or language
    )[0]
    return "".join(
        decode_as(piece, codec)[0] if piece in foreign else piece.decode("utf-8", "replace")
        for piece in pieces
    )


def _foreign_pieces(pieces: list[bytes], chars: int) -> dict[bytes, None]:
    """The pieces in another encoding among UTF-8 with so many characters; none where that is in doubt."""
    foreign = dict.fromkeys(piece for piece in pieces if _is_foreign(piece))
    foreign_chars, foreign_bytes = _count_utf8(b"\n".join(foreign))
    is_sure = foreign_bytes >= _MIN_FOREIGN_BYTES and chars - foreign_chars >= _MIN_UTF8_CHARS
    return foreign if is_sure else {}


def _count_utf8(payload: bytes) -> tuple[int, int]:
    """How many characters beyond ASCII are UTF-8, and how many bytes belong to none."""
    rest, chars = _UTF8_SEQUENCE.subn(b"", payload)
    return chars, len(rest.translate(None, _ASCII_BYTES))


def _is_foreign(piece: bytes) -> bool:
    """Whether the bytes of a piece that are not ASCII are rather in another encoding than broken UTF-8."""
    if piece.isascii():
        return False
    chars, broken = _count_utf8(piece)
    return broken > 1 and chars < _UTF8_CHARS_A_BROKEN_BYTE * broken


def _judge_codec(
    payload: bytes, declared: list[str], language: str | None, usual: str | None = None
) -> tuple[str, bool]:
    """The declared codec, unless the bytes surely are in another one; else the likeliest, and that it is judged."""
    readings = rank_code_pages(payload, language)
    costs = {reading.codec: reading.cost for reading in reversed(readings)}
    best = readings[0].codec if readings else "cp1252"
    for codec in declared:
        if decode_as(payload, codec)[1] <= 1 + _MAX_BROKEN_SHARE * len(payload):
            if codec in costs and costs[codec] - costs[best] > _CERTAIN:
                break
            return codec, False
    if usual in costs and costs[usual] - costs[best] <= _OPEN:
        return usual, True
    return best, True


def is_single_byte_text(payload: bytes) -> bool:
    """Whether the bytes behind a mark of UTF-16 or UTF-32 are text of single bytes all the same."""
    sample = payload[:_BOM_SAMPLE_BYTES]
    text = sample.translate(None, b"\t\r\n")
    if min(text, default=0) < 0x20:
        return False
    letters = len(text) - len(text.translate(None, _PLAIN_BYTES))
    return (
        _MARKUP_BEGINS.match(sample) is not None
        or letters >= _MIN_PLAIN_SHARE * len(text)
        or _count_utf8(sample)[1] <= _CUT_UTF8_BYTES
    )


def _decode_ebcdic(payload: bytes) -> str:
    """The characters of XML in EBCDIC, whose lines end in NEL."""
    page = _EBCDIC_PAGE.search(payload[:_DECLARATION_BYTES].decode("cp037").lower())
    codec = f"cp{int(page[1]):03}" if page and page[1] else "cp037"
    return payload.decode(codec, "replace").replace("\x85", "\n")


def _wide_encoding(payload: bytes) -> str | None:
    """UTF-16 or UTF-32 without a byte order mark: every other byte of the head is zero (XML 1.0, appendix F.1)."""
    head = payload[:200]
    if len(head) < 4 or b"\0" not in head:
        return None
    if head[:4] in {b"<\0\0\0", b"\0\0\0<"}:
        return "utf-32-le" if head[0] else "utf-32-be"
    if wide := _WIDE_MARKUP.match(head):  # whatever signs follow: Chinese has no zeros
        return "utf-16-le" if wide[1] else "utf-16-be"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    # Western text is all zeros on one side; typographic quotes leave some out, and padding puts some on the other.
    if odd > half * 0.7 and even < half * 0.1:
        return "utf-16-le"
    if even > half * 0.7 and odd < half * 0.1:
        return "utf-16-be"
    return None


def _is_binary(payload: bytes) -> bool:
    """Whether control bytes that no wire format uses are more than a stray."""
    sample = payload[:_BINARY_SAMPLE_BYTES]
    if _SHIFTS_TO_KOREAN.search(sample):  # which shifts with SO and SI
        sample = sample.translate(None, b"\x0e\x0f")
    if _TELEPRINTER.match(sample):  # its tables have a code before each line and between columns
        sample = sample.translate(None, _TABLE_BYTES)
    zeros = sample.count(0)
    strays = len(sample) - len(sample.translate(None, _STRAY_BYTES))
    # Lines drop and gain single bytes, so that one in 200 (or 50) is text still; pictures and archives have far more.
    return zeros > max(2, len(sample) // 200) or strays > max(8, len(sample) // 50)


def _decode_wire_as(payload: bytes, charset: str) -> str | None:
    """The characters by the set that the settings name; None for ASCII and latin-1, which say too little."""
    name = re.sub(r"[^a-z0-9]", "", charset.lower())
    if name in {"iso6937", "iso69372", "isoir156", "isoir142"}:
        return decode_iso_6937(payload)
    if (match := re.fullmatch(r"iso646([a-z]{2})", name)) and match[1] in national_sets().iso_646:
        return with_national_letters(payload.decode("ascii", "replace"), match[1])
    codec = codec_of(charset)
    if codec is None or name in {"usascii", "ascii", "iso88591", "latin1"}:
        return None
    text, broken = decode_as(payload, codec)
    return None if broken else text


def _decode_iso_6937_text(payload: bytes, language: str | None) -> str | None:
    """The characters where the bytes are rather ISO 6937 than anything else; None where they are not."""
    if not _ISO_6937_LETTER.search(payload):
        return None
    text = decode_iso_6937(payload)
    if "\ufffd" in text or any(unicodedata.combining(char) for char in text):
        return None
    others = rank_code_pages(payload, language)
    # What its letters cost is seen in the code pages that have them all.
    costs = [
        reading.cost
        for page in ("cp1252", "cp1250", "cp1254", "cp1257")
        if len(encoded := text.encode(page, "ignore")) == len(text)
        for reading in rank_code_pages(encoded, language)
        if reading.codec == page
    ]
    return text if costs and others and min(costs) + _RARITY_OF_ISO_6937 < others[0].cost else None


def _decode_national(text: str, language: str | None) -> str:
    """The text with letters for brackets and bars inside of words, by its language's variant of ISO 646."""
    if not any(char in text for char in _BRACKETS):
        return text
    hits = len(_BRACKET_IN_WORD.findall(text))
    if hits < _MIN_BRACKETS or hits * _MAX_CHARS_A_BRACKET < len(text):
        return text
    nations = national_sets().iso_646
    primary = (language or "").partition("-")[0].lower()
    if primary in nations:
        return with_national_letters(text, primary)
    if primary:
        return text
    identified = {nation: identify_language(with_national_letters(text, nation)) for nation in nations}
    fitting = {nation: tag.confidence for nation, tag in identified.items() if tag.tag == nation}
    return with_national_letters(text, max(fitting, key=fitting.__getitem__)) if fitting else text


@cache
def _iso_6937() -> tuple[dict[int, str], dict[int, str]]:
    """The letters by their bytes, and the marks that stand before a letter."""
    table = national_sets().iso_6937
    marks = {int(byte, 16): mark for byte, mark in table.marks.items()}
    rows = {0xA0: table.a0, 0xB0: table.b0, 0xD0: table.d0, 0xE0: table.e0, 0xF0: table.f0}
    return {
        start + at: char for start, row in rows.items() for at, char in enumerate(row) if char != " "
    }, marks
