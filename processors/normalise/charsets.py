"""Encodings by the labels that documents, mail and transports declare.

The labels are those of the WHATWG encoding standard, which browsers know (``config/lexicon/charsets.toml``), and IANA's
names of the code pages of DOS and Macs. No other codec of Python is ever named by a document: some are no text at all
(``zlib``), some are not safe to guess (``utf-7``).
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from config.tables import national_sets

# IANA's names of code pages that the standard leaves out: ``cp850``, ``ibm850``, ``850``.
_DOS: Final = re.compile(
    r"(?:x-)?(?:cs)?(?:cp|ibm|pc|dos-?)?-?(437|720|737|775|850|852|855|857|858|86[0-5]|869|1125)"
)
_MAC: Final = re.compile(
    r"(?:x-)?mac[-_]?(arabic|centraleurope|ce|latin2|croatian|farsi|greek|icelandic|iceland|romania|romanian|turkish)"
)
_MAC_CODECS: Final = {
    "centraleurope": "mac_latin2",
    "ce": "mac_latin2",
    "icelandic": "mac_iceland",
    "romania": "mac_romanian",
}
SHIFTED_CODECS: Final = frozenset({"iso2022_jp", "iso2022_kr", "hz"})
_JIS_SIGNS: Final = re.compile(rb"\x1b\$[@B]([\x21-\x7e]*)(?:\x1b\([BJ])?")
# Windows-1255 has the letters of ISO 8859-8 at the same places, so that undeclared bytes are taken for it.
_VISUAL_CODECS: Final = frozenset({"iso8859_8", "cp862", "cp1255"})
_HEBREW: Final = re.compile("[א-ת]")
_FINAL_LETTER_FIRST: Final = re.compile("(?<![א-ת])[ךםןףץ](?=[א-ת])")
_FINAL_LETTER_LAST: Final = re.compile("(?<=[א-ת])[ךםןףץ](?![א-ת])")
# A sentence of ten words has about three of them. Fewer, or not so many more at the beginning, may be names and slips.
_MIN_FINAL_LETTERS: Final = 3
_FINAL_LETTERS_RATIO: Final = 4
_TAG_OR_RUN: Final = re.compile(r"(<[^<>]*>)|([^<>\r\n]+)")
# What stands in its own order within a line: entities, figures, Latin words; and each other character.
_LEFT_TO_RIGHT: Final = re.compile(
    r"&#?\w{1,10};|[A-Za-z0-9](?:[A-Za-z0-9.,:/@_'%-]*[A-Za-z0-9%])?(?: [A-Za-z][A-Za-z0-9'.-]*)*|."
)
_MIRRORED: Final = str.maketrans("()[]{}<>«»", ")(][}{><»«")
# What vendors added to an encoding, read where its own codec stops: NEC's and IBM's signs, those of ETEN.
_EXTENSIONS: Final = {"euc_jp": ("euc_jis_2004",), "big5hkscs": ("cp950",), "cp932": ("shift_jis_2004",)}


@lru_cache(maxsize=256)
def codec_of(label: str | None) -> str | None:
    """The Python codec of a label; None for a label that nobody knows."""
    label = (label or "").strip(" \t\r\n\f\"'").lower()
    if codec := _codecs_by_label().get(label):
        return codec
    if match := _DOS.fullmatch(label):
        return f"cp{match[1]}"
    if match := _MAC.fullmatch(label):
        return _MAC_CODECS.get(match[1], f"mac_{match[1]}")
    return label if label in national_sets().labels else None  # as pollers hand it on


@cache
def _codecs_by_label() -> dict[str, str]:
    return {label: codec for codec, labels in national_sets().labels.items() for label in labels.split()}


def decode_as(payload: bytes, codec: str) -> tuple[str, int]:
    """The characters of bytes in an encoding, and how many of them are U+FFFD in place of what is none in it."""
    if codec == "iso2022_jp":
        return _decode_iso_2022_jp(payload)
    for name in (codec, *_EXTENSIONS.get(codec, ())):
        try:
            return payload.decode(name), 0
        except UnicodeDecodeError:
            continue
    text = payload.decode(codec, "replace")
    return text, text.count("\ufffd")


def with_logical_order(text: str, codec: str) -> str:
    """Hebrew that was stored as it is shown, from left to right, in the order in which it is read.

    ISO 8859-8 and the code page of DOS were meant so (RFC 1556), and most that is declared so is not: the letters that
    only end words tell, where they begin them.
    """
    if codec not in _VISUAL_CODECS:
        return text
    first, last = len(_FINAL_LETTER_FIRST.findall(text)), len(_FINAL_LETTER_LAST.findall(text))
    if first < _MIN_FINAL_LETTERS or first <= _FINAL_LETTERS_RATIO * last:
        return text
    return _TAG_OR_RUN.sub(lambda match: match[0] if match[1] else _reverse_run(match[2]), text)


def _reverse_run(run: str) -> str:
    if not _HEBREW.search(run):
        return run
    start, end = len(run) - len(run.lstrip()), len(run.rstrip())
    tokens = _LEFT_TO_RIGHT.findall(run[start:end])
    return run[:start] + "".join(token.translate(_MIRRORED) for token in reversed(tokens)) + run[end:]


def _decode_iso_2022_jp(payload: bytes) -> tuple[str, int]:
    """ISO-2022-JP, also with the vendors' signs, which stand in rows that its codec leaves empty."""
    try:
        return payload.decode("iso2022_jp"), 0
    except UnicodeDecodeError:
        pass
    return decode_as(
        _JIS_SIGNS.sub(_to_euc, payload).replace(b"\x1b(B", b"").replace(b"\x1b(J", b""), "euc_jp"
    )


def _to_euc(match: re.Match[bytes]) -> bytes:
    return bytes(byte | 0x80 for byte in match[1])
