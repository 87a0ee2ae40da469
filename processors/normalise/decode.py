"""Bytes to characters: byte order mark, what the transport and the document declare, then detection.

windows-1252 is read wherever latin-1 is declared, as browsers do (WHATWG Encoding, section 4.2).
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from processors.errors import Empty, NotText
from processors.normalise.charsets import western

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARKS: Final = tuple(mark for mark, _ in _BOMS)
_HEAD: Final = 2048  # bytes in which a document declares its encoding
_DECLARED: Final = re.compile(rb"""\s*<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']""")
_META: Final = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?([A-Za-z0-9._:-]+)""", re.IGNORECASE)
_WINDOWS: Final = {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "gb2312": "gb18030", "gbk": "gb18030",
                   "shift_jis": "cp932", "euc_kr": "cp949", "tis-620": "cp874"}  # fmt: skip
_CONTROL: Final = bytes(
    (*range(5, 9), *range(14, 17), 21, *range(23, 27), *range(28, 31))
)  # no codes of teleprinters


def decode(payload: bytes, charset: str | None = None) -> str:
    """The characters of a document.

    Raises:
        Empty: there are no bytes, or only white space.
        NotText: the bytes are no text in any encoding; send the item as text, or name its charset.
    """
    if not payload.strip(b" \t\r\n\0\xef\xbb\xbf"):
        raise Empty("no bytes but white space; check what the source sent")
    if payload.startswith(_MARKS):
        mark, encoding = next(each for each in _BOMS if payload.startswith(each[0]))
        return payload[len(mark) :].decode(encoding, "replace")
    if wide := _sixteen_bits(payload):
        return payload.decode(wide, "replace")
    if _is_binary(payload):
        raise NotText(f"the bytes {payload[:8]!r}… are no text; send wire formats only")
    for told in _told(payload[:_HEAD], charset):
        try:
            return payload.decode(told)
        except (UnicodeDecodeError, LookupError):
            continue
    return detected(payload)


def detected(payload: bytes) -> str:
    """The characters of bytes that nobody could tell the encoding of: windows-1252 where that fits, else detected."""
    if (text := western(payload[:20_000])) is not None:
        return text if len(payload) <= 20_000 else payload.decode("cp1252", "replace")
    from charset_normalizer import from_bytes

    best = from_bytes(payload[:50_000], preemptive_behaviour=False).best()
    encoding = _known(best.encoding) if best else "cp1252"
    return payload.decode(encoding or "cp1252", "replace")


def _told(head: bytes, charset: str | None) -> list[str]:
    """Encodings to try in order: UTF-8 proves itself, then the transport's, then the document's."""
    told = ["utf-8"]
    if charset and (name := _known(charset)):
        told.append(name)
    for match in (_DECLARED.match(head), _META.search(head)) if b"<" in head else ():
        told += [name] if match and (name := _known(match[1].decode())) else []
    if len(told) > 1 and any(name.startswith("iso2022") or name in {"hz", "utf-7"} for name in told):
        told.append(told.pop(0))
    return told


def _known(name: str) -> str | None:
    try:
        canonical = codecs.lookup(name.strip().strip("\"'")).name
    except (LookupError, ValueError):
        return None
    return _WINDOWS.get(canonical, canonical)


def _sixteen_bits(payload: bytes) -> str | None:
    """UTF-16 or UTF-32 without a byte order mark: every other byte of the head is zero (XML 1.0, appendix F.1)."""
    head = payload[:200]
    if len(head) < 4 or b"\0" not in head:
        return None
    if head[:4] in {b"<\0\0\0", b"\0\0\0<"}:
        return "utf-32-le" if head[0] else "utf-32-be"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > half * 0.7 and even < half * 0.1:
        return "utf-16-le"
    if even > half * 0.7 and odd < half * 0.1:
        return "utf-16-be"
    return None


def _is_binary(payload: bytes) -> bool:
    """Whether control bytes that no wire format uses are more than a stray."""
    sample = payload[:8192]
    zeros = sample.count(0)
    strays = len(sample) - len(sample.translate(None, _CONTROL))
    return zeros > max(2, len(sample) // 200) or strays > max(8, len(sample) // 50)
