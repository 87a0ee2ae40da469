"""Reads files of words into structs, strictly: a key, type or expression that is wrong is told by file, line and key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeVar

import msgspec

from config import Misconfigured

TEMPLATE_FIELDS: Final = frozenset({"name", "agency", "company", "letters", "code", "number", "date", "any"})


_PLACEHOLDER: Final = re.compile(r"\{[a-z_]+\}")
_FAULT: Final = re.compile(r"(?P<problem>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`")
_TOML_LINE: Final = re.compile(r"\(at line (\d+)")
_HEADER: Final = re.compile(r"\[+([^\]]+)\]+")

# msgspec 0.22 crashes where two threads look at the annotations of a class at once, and each step is loaded by a thread.
_CLASS_LOCK: Final = Lock()
File = TypeVar("File")


class Pattern(str):
    """A regular expression; ``{word}`` in it is a placeholder that its reader fills in. Line breaks are left out."""

    __slots__ = ()


NO_PATTERN: Final = Pattern("(?!)")  # matches nowhere


class Template(str):
    """Plain words of a whole line, with ``{field}`` for others: see `TEMPLATE_FIELDS` and the head of agencies.toml."""

    __slots__ = ()


class WordSet(frozenset[str]):
    """Words, which the file separates by blanks or semicolons."""

    __slots__ = ()


class PhraseList(tuple[str, ...]):
    """Phrases, which the file separates by semicolons; a word has no blank in it."""

    __slots__ = ()


class WordTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a file; any other key in it is an error."""


def read_file(path: Path, kind: type[File]) -> File:
    """A file of words as a struct of a kind.

    Raises:
        Misconfigured: it can't be read so; the message names file, line and key.
    """
    text = path.read_text("utf-8")
    try:
        words = tomllib.loads(text)
        with _CLASS_LOCK:
            return msgspec.convert(words, kind, dec_hook=_custom)
    except tomllib.TOMLDecodeError as error:
        line = _TOML_LINE.search(str(error))
        raise Misconfigured(f"{path}:{line[1] if line else len(text.splitlines())}: {error}") from error
    except msgspec.ValidationError as error:
        raise Misconfigured(_fault(path, text, str(error))) from error


def _custom(kind: type, value: Any) -> Any:
    """A value of one of the types above that msgspec doesn't know."""
    if not isinstance(value, str):
        raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
    if kind is Template:
        return _template(value)
    if kind is WordSet:
        return WordSet(value.replace(";", " ").split())
    if kind is PhraseList:
        return PhraseList(filter(None, map(str.strip, value.split(";"))))
    try:
        re.compile(_PLACEHOLDER.sub("x", value := value.replace("\n", "")))
    except re.error as error:
        raise ValueError(f"Not a regular expression: {error}") from error
    return Pattern(value)


def _template(value: str) -> Template:
    unknown = set(re.findall(r"\{(\w*)\}", value)) - TEMPLATE_FIELDS
    if unknown:
        raise ValueError(f"Unknown field {{{min(unknown)}}}, known are {', '.join(sorted(TEMPLATE_FIELDS))}")
    return Template(value)


def _fault(path: Path, text: str, message: str) -> str:
    """One line for the operator: file, line, key, and what is wrong."""
    fault = _FAULT.fullmatch(message)
    keys = _keys((fault["path"] if fault else "") or "")
    if fault and (unknown := _UNKNOWN.fullmatch(fault["problem"])):
        keys = (*keys, unknown[1])
    problem = fault["problem"] if fault else message
    key = ".".join(map(str, keys))
    return f"{path}:{line_of(text, keys)}: {key}: {problem}"


def _keys(path: str) -> tuple[str | int, ...]:
    """The keys of msgspec's path: ``.dates.rule[3].pattern``. It names no keys of tables with free keys."""
    parts = re.findall(r"\.(\w+)|\[(\d+)\]", path)
    return tuple(name or int(number) for name, number in parts)


def line_of(text: str, keys: tuple[str | int, ...]) -> int:
    """The number of the line, from 1, of the deepest key of a path that TOML text has."""
    best = (0, 1)
    counts: dict[str, int] = {}
    table: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            name = header[1].strip()
            table = tuple(part.strip().strip('"') for part in name.split("."))
            if line.startswith("[["):
                table = (*table, counts.get(name, 0))
                counts[name] = counts.get(name, 0) + 1
            place = table
        elif "=" in line:
            place = (*table, line.partition("=")[0].strip().strip('"'))
        else:
            continue
        if len(place) > best[0] and keys[: len(place)] == place:
            best = (len(place), number)
    return best[1]
