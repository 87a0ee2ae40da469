"""Bytes to characters: of documents, and of teleprinter wires.

Of documents by the byte order mark, what the transport and the document declare, then detection. windows-1252 is read wherever latin-1 is declared, as browsers do (WHATWG Encoding, section 4.2).

IPTC 7901 and ANPA 1312 don't say which set they use (ISO 646 national variants, ISO 6937, code pages 437, 850 and
1252), so where the settings don't either, the set is chosen in which accented letters stand inside of words, and
nothing else does.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import cache
from typing import Final

from config.tables import national_sets
from processors.errors import Empty, NotText
from processors.normalise.language import identify_language

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARKS: Final = tuple(mark for mark, _ in _BOMS)
# Browsers look for a declaration in the first 1,024 bytes (WHATWG HTML, section 13.2.3.2), which comments before it can
# fill. Further on, an article that quotes markup could declare an encoding.
_DECLARATION_BYTES: Final = 2048
_XML_DECLARATION: Final = re.compile(rb"""\s*<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']""")
_HTML_DECLARATION: Final = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?([A-Za-z0-9._:-]+)""", re.IGNORECASE)
_WINDOWS: Final = {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "gb2312": "gb18030", "gbk": "gb18030",
                   "shift_jis": "cp932", "euc_kr": "cp949", "tis-620": "cp874"}  # fmt: skip
# The encodings of documents (WHATWG Encoding, section 4.2) as Python calls them, and code pages of wires. Python has more,
# which no document declares honestly; some of them take the square of their input (punycode), or raise what no other does.
_WEB_CODECS: Final = (
    frozenset(
        "utf-8 utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be ascii gb2312 gbk gb18030 hz big5 big5hkscs euc_jp "  # noqa: SIM905 -- a word list
        "iso2022_jp shift_jis euc_kr cp866 cp874 cp932 cp949 koi8-r koi8-u mac-roman mac-cyrillic iso2022_kr tis-620 "
        "cp437 cp850 cp852 cp858 cp865".split()
    )
    | {f"iso8859-{part}" for part in range(1, 17) if part != 12}
    | {f"cp125{part}" for part in range(9)}
)
# Control bytes that are no codes of teleprinters.
_STRAY_BYTES: Final = bytes((*range(5, 9), *range(14, 17), 21, *range(23, 27), *range(28, 31)))
# How much is looked at before windows-1252 is believed: less can lack the letters that give another set away, more
# takes time on every item without a declared encoding.
_WESTERN_BYTES: Final = 20_000
_DETECTED_BYTES: Final = 50_000  # for charset_normalizer, whose time grows with it
# Points (`_likeness`) for each character outside of ASCII: 2 are letters in words only. With fewer demanded, Cyrillic in
# windows-1251 passes for windows-1252, with more a text of quotation marks does not.
_MIN_LIKENESS: Final = 1.25
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
_C1_CONTROL: Final = re.compile("[\x80-\x9f]")
_ACCENTED: Final = "éèêëàâäáãåçñóòôöõúùûüíîïìßæøœšžčřýÿőűąęłżźćśńăîșțğış"
_PUNCTUATION: Final = "“”‘’„–—«»€£§°…·¿¡\u00a0"


def decode(payload: bytes, charset: str | None = None) -> str:
    """The characters of a document.

    Args:
        payload: The bytes as they came.
        charset: What the transport declares, if anything.

    Raises:
        Empty: there are no bytes, or only white space.
        NotText: the bytes are no text in any encoding; send the item as text, or name its charset.
    """
    if not payload.strip(b" \t\r\n\0\xef\xbb\xbf"):
        raise Empty("no bytes but white space; check what the source sent")
    if payload.startswith(_MARKS):
        mark, encoding = next(bom for bom in _BOMS if payload.startswith(bom[0]))
        return payload[len(mark) :].decode(encoding, "replace")
    if wide := _wide_encoding(payload):
        return payload.decode(wide, "replace")
    if _is_binary(payload):
        raise NotText(f"the bytes {payload[:8]!r}… are no text; send wire formats only")
    for encoding in _declared_encodings(payload[:_DECLARATION_BYTES], charset):
        try:
            return payload.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return detect_and_decode(payload)


def detect_and_decode(payload: bytes) -> str:
    """The characters of bytes whose encoding nobody declared: windows-1252 where that fits, else what is detected."""
    if (text := _decode_western(payload[:_WESTERN_BYTES])) is not None:
        return text if len(payload) <= _WESTERN_BYTES else payload.decode("cp1252", "replace")
    from charset_normalizer import from_bytes

    best = from_bytes(payload[:_DETECTED_BYTES], preemptive_behaviour=False).best()
    encoding = _codec_name(best.encoding) if best else "cp1252"
    return payload.decode(encoding or "cp1252", "replace")


def decode_wire(payload: bytes, charset: str | None = None, language: str | None = None) -> str:
    """The characters of a teleprinter message. `charset` is what the settings say, `language` a BCP 47 tag."""
    if charset and (text := _decode_wire_as(payload, charset)) is not None:
        return text
    if payload.isascii():
        return _decode_national(payload.decode("ascii"), language)
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        pass
    candidates = [
        payload.decode("cp1252", "replace"),
        decode_iso_6937(payload),
        payload.decode("cp850"),
        payload.decode("cp437"),
    ]
    return max(candidates, key=_likeness)


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


def _declared_encodings(head: bytes, charset: str | None) -> list[str]:
    """The encodings to try in order: UTF-8, which proves itself, then the transport's, then the document's."""
    names = ["utf-8"]
    if charset and (name := _codec_name(charset)):
        names.append(name)
    for match in (_XML_DECLARATION.match(head), _HTML_DECLARATION.search(head)) if b"<" in head else ():
        names += [name] if match and (name := _codec_name(match[1].decode())) else []
    if len(names) > 1 and any(name.startswith("iso2022") or name in {"hz", "utf-7"} for name in names):
        names.append(names.pop(0))
    return names


def web_codec(label: str) -> str | None:
    """The codec of a declared encoding; None for one that no document has, such as Python's own punycode."""
    try:
        canonical = codecs.lookup(label.strip().strip("\"'")).name
    except (LookupError, ValueError):
        return None
    return canonical if canonical in _WEB_CODECS else None


def _codec_name(name: str) -> str | None:
    canonical = web_codec(name)
    return _WINDOWS.get(canonical, canonical) if canonical else None


def _wide_encoding(payload: bytes) -> str | None:
    """UTF-16 or UTF-32 without a byte order mark: every other byte of the head is zero (XML 1.0, appendix F.1)."""
    head = payload[:200]
    if len(head) < 4 or b"\0" not in head:
        return None
    if head[:4] in {b"<\0\0\0", b"\0\0\0<"}:
        return "utf-32-le" if head[0] else "utf-32-be"
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
    zeros = sample.count(0)
    strays = len(sample) - len(sample.translate(None, _STRAY_BYTES))
    # Lines drop and gain single bytes, so that one in 200 (or 50) is text still; pictures and archives have far more.
    return zeros > max(2, len(sample) // 200) or strays > max(8, len(sample) // 50)


def _decode_western(payload: bytes) -> str | None:
    """The characters where windows-1252 gives nothing but accented letters and marks that stand rightly."""
    text = payload.decode("cp1252", "replace")
    odd = sum(1 for char in text if char > "\x7f")
    return text if _likeness(text) >= odd * _MIN_LIKENESS else None


def _decode_wire_as(payload: bytes, charset: str) -> str | None:
    """The characters by the set that the settings name; None for ASCII and latin-1, which say too little."""
    name = re.sub(r"[^a-z0-9]", "", charset.lower())
    if name in {"iso6937", "iso69372", "isoir156", "isoir142"}:
        return decode_iso_6937(payload)
    if (match := re.fullmatch(r"iso646([a-z]{2})", name)) and match[1] in national_sets().iso_646:
        return with_national_letters(payload.decode("ascii", "replace"), match[1])
    if name in {"usascii", "ascii", "iso88591", "latin1"}:
        return None
    codec = web_codec(charset)
    try:
        return payload.decode(codec) if codec else None
    except UnicodeDecodeError:
        return None


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


def _likeness(text: str) -> int:
    """Points for lower-case accented letters inside of words and marks around them, less what can't stand there."""
    score = 0
    for match in re.finditer(r"[^\x00-\x7f]", text):
        char, before, after = (
            match[0],
            text[match.start() - 1 : match.start()],
            text[match.end() : match.end() + 1],
        )
        inside = before.isalpha() or after.isalpha()
        if char.isalpha() and char in _ACCENTED:
            score += 2 if inside else 0
        elif char.isalpha() and char.isupper():
            score += 1 if inside and not before.islower() else -2
        elif char in _PUNCTUATION:
            score += 0 if before.isalpha() and after.isalpha() and char != "’" else 1
        else:
            score -= 2
    return score - 2 * len(_C1_CONTROL.findall(text))


@cache
def _iso_6937() -> tuple[dict[int, str], dict[int, str]]:
    """The letters by their bytes, and the marks that stand before a letter."""
    table = national_sets().iso_6937
    marks = {int(byte, 16): mark for byte, mark in table.marks.items()}
    rows = {0xA0: table.a0, 0xB0: table.b0, 0xD0: table.d0, 0xE0: table.e0, 0xF0: table.f0}
    return {
        start + at: char for start, row in rows.items() for at, char in enumerate(row) if char != " "
    }, marks
