"""Character sets of teleprinter wires: ISO 646 national variants, ISO 6937, code pages 437, 850 and 1252.

IPTC 7901 and ANPA 1312 don't say which they use, so where the settings don't either, the set is chosen in which
accented letters stand inside of words, and nothing else does.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any, Final

import config
from processors.normalise.language import identify

_NATIONAL: Final = "#$@[\\]^`{|}~"
_IN_WORDS: Final = re.compile(r"(?<=[A-Za-z])[\[\\\]{|}~](?=[a-z\s.,])|(?<![A-Za-z])[\[\\\]{|}~](?=[a-z]{2})")
_SELDOM: Final = "[\\]{|}~"
_CONTROL: Final = re.compile("[\x80-\x9f]")


def decode_wire(payload: bytes, charset: str | None = None, language: str | None = None) -> str:
    """The characters of a teleprinter message. `charset` is what the settings tell, `language` a BCP 47 tag."""
    if charset and (told := _told(payload, charset)) is not None:
        return told
    if payload.isascii():
        return _national(payload.decode("ascii"), language)
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        pass
    forms = [
        payload.decode("cp1252", "replace"),
        iso_6937(payload),
        payload.decode("cp850"),
        payload.decode("cp437"),
    ]
    return max(forms, key=_likeness)


def iso_6937(payload: bytes) -> str:
    """ISO 6937: a non-spacing mark stands before its letter."""
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


def iso_646(text: str, nation: str) -> str:
    """ASCII read as a national variant of ISO 646; `nation` is a language (``de``)."""
    return text.translate(str.maketrans(_NATIONAL, _lexicon()["iso-646"][nation]))


def western(payload: bytes) -> str | None:
    """The characters where windows-1252 makes nothing but accented letters and marks that stand rightly."""
    text = payload.decode("cp1252", "replace")
    odd = sum(1 for char in text if char > "\x7f")
    return text if _likeness(text) * 4 >= odd * 5 else None


def _told(payload: bytes, charset: str) -> str | None:
    name = re.sub(r"[^a-z0-9]", "", charset.lower())
    if name in {"iso6937", "iso69372", "isoir156", "isoir142"}:
        return iso_6937(payload)
    if (match := re.fullmatch(r"iso646([a-z]{2})", name)) and match[1] in _lexicon()["iso-646"]:
        return iso_646(payload.decode("ascii", "replace"), match[1])
    if name in {"usascii", "ascii", "iso88591", "latin1"}:
        return None
    try:
        return payload.decode(charset)
    except (LookupError, UnicodeDecodeError):
        return None


def _national(text: str, language: str | None) -> str:
    """Brackets and bars inside of words are letters of a national variant: of the language told, else found."""
    if not any(char in text for char in _SELDOM):
        return text
    hits = len(_IN_WORDS.findall(text))
    if hits < 3 or hits * 400 < len(text):
        return text
    nations = _lexicon()["iso-646"]
    primary = (language or "").partition("-")[0].lower()
    if primary in nations:
        return iso_646(text, primary)
    if primary:
        return text
    found = {nation: identify(iso_646(text, nation)) for nation in nations}
    fitting = {nation: told.confidence for nation, told in found.items() if told.tag == nation}
    return iso_646(text, max(fitting, key=fitting.__getitem__)) if fitting else text


def _likeness(text: str) -> int:
    """Lower-case accented letters inside of words and marks around them, less what can't stand there."""
    score = 0
    for match in re.finditer(r"[^\x00-\x7f]", text):
        char, before, after = (
            match[0],
            text[match.start() - 1 : match.start()],
            text[match.end() : match.end() + 1],
        )
        inside = before.isalpha() or after.isalpha()
        if char.isalpha() and char in "éèêëàâäáãåçñóòôöõúùûüíîïìßæøœšžčřýÿőűąęłżźćśńăîșțğış":
            score += 2 if inside else 0
        elif char.isalpha() and char.isupper():
            score += 1 if inside and not before.islower() else -2
        elif char in "“”‘’„–—«»€£§°…·¿¡\u00a0":
            score += 0 if before.isalpha() and after.isalpha() and char != "’" else 1
        else:
            score -= 2
    return score - 2 * len(_CONTROL.findall(text))


@cache
def _lexicon() -> dict[str, Any]:
    path = Path(config.__file__).parent / "lexicon" / "charsets.toml"
    return tomllib.loads(path.read_text("utf-8"))


@cache
def _iso_6937() -> tuple[dict[int, str], dict[int, str]]:
    table = _lexicon()["iso-6937"]
    marks = {int(byte, 16): mark for byte, mark in table["marks"].items()}
    rows = {int(start, 16): row for start, row in table.items() if isinstance(row, str)}
    return {
        start + at: char for start, row in rows.items() for at, char in enumerate(row) if char != " "
    }, marks
