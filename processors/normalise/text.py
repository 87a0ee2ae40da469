r"""The clean form of a text, and the repair of mojibake that can be undone with certainty.

Clean: NFC, ``\n`` line ends, no control or invisible formatting characters, no trailing blanks, no blank lines at
either end. Tabs and the leading blanks of a line stay. A clean text comes through byte for byte.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from processors.numbers import MAX_REFERENCE_DIGITS

# Cc without tab and line feed, and Cf without the joiners that spell Persian, Indic scripts and emoji.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\ud800-\udfff]"
)
# C1 controls are characters of windows-1252 that were taken for latin-1 (WHATWG HTML, section 13.2.5.84).
_WINDOWS: Final = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}
_C1: Final = re.compile("[\x80-\x9f]")
_LOOSE_JOINER: Final = re.compile(
    r"(?:(?<=\s)|\A)[\u200c\u200d]+|(?<![\u200c\u200d])[\u200c\u200d]++(?=\s|\Z)"
)
_REFERENCE: Final = re.compile(r"&#([xX][0-9a-fA-F]+|[0-9]+);?")
# Controls, surrogates, what is no character, or may be any of them: no reference but these can be illegal.
_DOUBTFUL: Final = re.compile(r"&#(?:[xX]|0|[12]?\d(?!\d)|3[01](?!\d)|5[5-7]\d{3}|6553[45]|\d{6})")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_EUROPEAN: Final = re.compile(r"[\u00a0-\u024f\u1e00-\u1eff\u2000-\u20cf\u2100-\u214f]")
# One or two letters of another script among Latin ones rather stand between quotation marks (``é”“``); with more
# demanded, short foreign words stay broken.
_MIN_FOREIGN_LETTERS: Final = 3
_BROKEN_UTF8: Final = re.compile("[\u00c2-\u00f4\u0102\u0103\u0413-\u0454\u221a\u00ac]"
                                 "[\u0080-\u00bf\u0152-\u0192\u02c6-\u02dc\u2013-\u2122]")  # fmt: skip
_DATE: Final = re.compile(r"\s*\d{4}-?\d\d-?\d\d")
_WORD: Final = re.compile(r"[^\W_]+")
_DASH: Final = re.compile(r"[-–—_=:]\s*$")
# A text that has its dateline may open with a credit before it; far behind, the same words are another sentence's.
_CHARS_BEFORE_DATELINE: Final = 60
_BYLINE_WORD: Final = re.compile(r"(?:by|von|par|por|de|di|door|av|af)\s+(?=\S)", re.IGNORECASE)
# In an element of its own a byline may open with a surname ("De Smet", "Di Maio"), and seldom with a preposition.
_BYLINE_WORD_OF_ELEMENT: Final = re.compile(r"(?:by|von|par|por)\s+(?=\S)", re.IGNORECASE)


def without_illegal_references(markup: str) -> str:
    """Markup without numeric references to characters that no text can hold (surrogates, controls, beyond Unicode)."""
    return _REFERENCE.sub(_legal, markup) if "&#" in markup and _DOUBTFUL.search(markup) else markup


def _legal(match: re.Match[str]) -> str:
    is_hexadecimal = match[1][0] in "xX"
    digits = match[1].lstrip("xX0")[:MAX_REFERENCE_DIGITS] or "0"
    number = int(digits, 16 if is_hexadecimal else 10)
    bad = (
        0xD800 <= number <= 0xDFFF
        or number > 0x10FFFF
        or (number < 32 and number not in {9, 10, 13})
        or number & 0xFFFE == 0xFFFE
    )
    return "" if bad else match[0]


def clean_text(text: str) -> str:
    """The text in its clean form."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    printable = _is_printable(text)
    if not printable:
        text = _without_invisible(text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if printable and not _has_trailing_blanks(text):
        return text.lstrip("\n").rstrip()
    return "\n".join([line.rstrip() for line in text.split("\n")]).lstrip("\n").rstrip()


def _is_printable(text: str) -> bool:
    """Whether there is surely no invisible character: a tenth of the time of looking for one."""
    plain = text.replace("\n", "")
    if plain.isprintable():
        return True
    return plain.replace("\t", "").replace("\xa0", "").isprintable()


def _has_trailing_blanks(text: str) -> bool:
    """Whether a line of a printable text ends in blanks: no others than these three are printable."""
    return " \n" in text or ("\t" in text and "\t\n" in text) or ("\xa0" in text and "\xa0\n" in text)


def _without_invisible(text: str) -> str:
    if text.isascii():
        return _CONTROL.sub("", text)
    if _C1.search(text):
        text = text.translate(_WINDOWS)
    text = _INVISIBLE.sub("", text)
    return _LOOSE_JOINER.sub("", text) if "\u200c" in text or "\u200d" in text else text


def clean_line(text: str) -> str:
    """A headline or a name: the clean text on one line, with single blanks."""
    text = text if _is_printable(text) else clean_text(text)
    return " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())


def repair_mojibake(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The text with its mojibake undone, and the spans of the repaired characters in the result.

    Only what is certain is undone; the rest stays as it was sent.
    """
    if text.isascii() or not _BROKEN_UTF8.search(text):
        return text, ()
    from ftfy import fix_encoding

    lines: list[str] = []
    spans: list[tuple[int, int]] = []
    at = 0
    for line in text.split("\n"):
        mended = fix_encoding(line) if _BROKEN_UTF8.search(line) else line
        before, after = _common(line, mended)
        if not _is_certain(mended[before : len(mended) - after]):
            mended = line
        if mended != line:
            spans.append((at + before, at + len(mended) - after))
        lines.append(mended)
        at += len(mended) + 1
    return "\n".join(lines), tuple(spans)


def _is_certain(mended: str) -> bool:
    """Whether repaired characters are European letters and marks, or several of another script."""
    foreign = [char for char in mended if not char.isascii() and not _EUROPEAN.match(char)]
    return not foreign or len(foreign) >= _MIN_FOREIGN_LETTERS


def _common(old: str, new: str) -> tuple[int, int]:
    """How many characters two strings share at the start, and how many of the rest at the end."""
    shorter = min(len(old), len(new))
    start = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    left = shorter - start
    end = next((at for at in range(left) if old[-1 - at] != new[-1 - at]), left)
    return start, end


def with_dateline(text: str, dateline: str) -> str:
    """The text with a dateline in front, for formats that send it apart; the text alone where it opens with it."""
    if not text or not any(map(str.isalpha, dateline)) or _DATE.match(dateline):  # a bare date is no dateline
        return text
    start = _words_of(text[: len(dateline) + _CHARS_BEFORE_DATELINE])
    if _words_of(dateline) in start:
        return text
    return f"{dateline}{' ' if _DASH.search(dateline) else ' - '}{text.lstrip()}"


def _words_of(text: str) -> str:
    """The words of a text with a blank on each side, whatever marks a wire puts between them."""
    return f" {' '.join(_WORD.findall(text)).casefold()} "


def without_byline_word(byline: str, *, of_element: bool = False) -> str:
    """A byline without its "By"; `of_element` says that the format has an element for it."""
    pattern = _BYLINE_WORD_OF_ELEMENT if of_element else _BYLINE_WORD
    match = pattern.match(byline)
    return byline[match.end() :] if match else byline
