"""Watch lists: the names and patterns that an operator cares about, found in stories.

A file of them is TOML (`config/watchlists.toml` shows how). However many names there are, a story costs one look-up a
word; each pattern costs a search of the story.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, get_args

from msgspec.structs import replace

from config import Misconfigured, raise_fault
from config.files import find_file
from processors.model.event import Entity, Label, Mention
from processors.tag.copy import Copy, NameSpan, merge_names
from processors.tag.pattern_safety import is_exponential
from processors.tag.phrase_search import CopyWords, PhraseIndex

LIST_MEMBERS: Final = frozenset({"label", "names", "patterns", "file"})
MAX_PIECE_CHARS: Final = 2000  # that a pattern searches at a time: a pattern like ``.*`` costs their square
LISTED_WEIGHT: Final = (
    2.0  # of a label that the list gives, against the recogniser's 1; 0 where it gives none
)


@dataclass(frozen=True, slots=True)
class WatchedName:
    """One name of a list, as written, and the label that the list gives."""

    list: str
    name: str
    label: Label | None


@dataclass(frozen=True, slots=True)
class WatchPattern:
    """One pattern of a list."""

    list: str
    expression: re.Pattern[str]
    label: Label | None


@dataclass(frozen=True, slots=True)
class WatchHit:
    """A place in a copy where a list has a hit."""

    name: NameSpan
    list: str


@dataclass(frozen=True, slots=True)
class WatchLists:
    """All lists of a file, ready to search."""

    names: PhraseIndex[WatchedName]
    patterns: tuple[WatchPattern, ...]

    @classmethod
    def read(cls, name: str) -> Self:
        """Read a file of watch lists, found by the rule of `config.files`; no name, no lists.

        Raises:
            Misconfigured: the file can't be read, or says what no list can have; the line is named.
        """
        entries = [entry for members in read_lists(name).values() for entry in members]
        watched = [entry for entry in entries if isinstance(entry, WatchedName)]
        patterns = tuple(entry for entry in entries if isinstance(entry, WatchPattern))
        return cls(PhraseIndex.of((entry.name, entry) for entry in watched), patterns)

    def find(self, copy: Copy, words: CopyWords) -> list[WatchHit]:
        """Every hit in a copy."""
        hits = []
        for hit in self.names.find(words):
            start, end = words.starts[hit.first], words.ends[hit.last]
            written = " ".join(copy.text[start:end].split())
            hits += [
                WatchHit(_span_of_hit(start, end, entry.label), entry.list)
                for entry in hit.values
                if written in {entry.name, entry.name.upper()} or entry.name.islower()
            ]
        if self.patterns:
            hits += (hit for start, end in _pieces(copy) for hit in self._matches(copy.text, start, end))
        return hits

    def _matches(self, text: str, start: int, end: int) -> Iterator[WatchHit]:
        for pattern in self.patterns:
            for match in pattern.expression.finditer(text, start, end):
                if match.end() > match.start():
                    yield WatchHit(_span_of_hit(*match.span(), pattern.label), pattern.list)


def read_lists(
    name: str, on_fault: Callable[[Misconfigured], None] = raise_fault
) -> dict[str, list[WatchedName | WatchPattern]]:
    """The lists of a file, which is found by the rule of `config.files`; no name, no lists.

    `on_fault` gets what the file says that no list can have, with its line; by default it is raised.
    """
    lists: dict[str, list[WatchedName | WatchPattern]] = {}
    if not name:
        return lists
    path = find_file(name)
    source = _text(path)
    try:
        document = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path}: not TOML: {error}") from error
    tables = document.get("lists", {})
    if not isinstance(tables, dict) or set(document) - {"lists"}:
        raise Misconfigured(f"{path}: a watch list stands under [lists.NAME]")
    for title, members in tables.items():
        try:
            lists[title] = list(_entries(path, source, title, members))
        except Misconfigured as error:
            on_fault(error)
    return lists


def list_files(name: str) -> list[Path]:
    """The files of names that a file of watch lists names, as far as it can be read."""
    path = find_file(name)
    try:
        lists = tomllib.loads(path.read_text("utf-8")).get("lists", {})
    except (OSError, ValueError):
        return []
    tables = lists.values() if isinstance(lists, dict) else ()
    names = [table["file"] for table in tables if isinstance(table, dict) and "file" in table]
    return [path.parent / str(file) for file in names]


def add_hits(names: Sequence[NameSpan], hits: Sequence[WatchHit]) -> list[NameSpan]:
    """The names, and the hits where no name stands, only a shorter one, or one that the list knows better."""
    if not hits:
        return list(names)
    kept = [name for name in names if not any(_beats(hit.name, name) for hit in hits)]
    return merge_names(kept, [hit.name for hit in hits])


def _beats(hit: NameSpan, name: NameSpan) -> bool:
    if (hit.start, hit.end) == (name.start, name.end):
        return hit.weight > 0
    return hit.start <= name.start and name.end <= hit.end


def _span_of_hit(start: int, end: int, label: Label | None) -> NameSpan:
    return NameSpan(start, end, label or "MISC", LISTED_WEIGHT if label else 0.0)


def mark_entities(
    entities: Sequence[Entity], mentions: Sequence[Mention], copy: Copy, hits: Sequence[WatchHit]
) -> tuple[Entity, ...]:
    """The entities with the names of the lists that have one of their mentions."""
    if not hits:
        return tuple(entities)
    lists: dict[str | None, list[str]] = {}
    for mention in mentions:
        start = mention.start + (copy.shift if mention.inside == "text" else 0)
        end = start + mention.end - mention.start
        for hit in hits:
            if hit.name.start < end and start < hit.name.end:
                lists.setdefault(mention.entity, []).append(hit.list)
    return tuple(
        replace(entity, watchlists=tuple(dict.fromkeys(lists[entity.id]))) if entity.id in lists else entity
        for entity in entities
    )


def _pieces(copy: Copy) -> Iterator[tuple[int, int]]:
    """What patterns search at a time: the parts of a copy, long ones cut at a blank.

    So a pattern that looks far ahead from each place (``.*``) takes time in proportion to the text, not to its square.
    """
    for part in copy.parts:
        start = part.start
        while part.end - start > MAX_PIECE_CHARS:
            blank = copy.text.rfind(" ", start, start + MAX_PIECE_CHARS)
            end = blank if blank > start else start + MAX_PIECE_CHARS
            yield start, end
            start = end
        yield start, part.end


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise Misconfigured(
            f"{path}: {error.strerror}; name a file of watch lists in tag.watchlists"
        ) from error
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{path}: not UTF-8: {error}") from error


def _entries(path: Path, source: str, title: str, members: Any) -> Iterator[WatchedName | WatchPattern]:
    """The names and patterns of one list."""
    where = f"{path}, line {_line(source, f'lists.{title}')}: [lists.{title}]"
    if not isinstance(members, dict) or set(members) - LIST_MEMBERS:
        raise Misconfigured(f"{where} may have {', '.join(sorted(LIST_MEMBERS))} and nothing else")
    label = members.get("label")
    if label not in {None, *get_args(Label)}:
        raise Misconfigured(f"{where}: label must be one of {', '.join(get_args(Label))}, not {label!r}")
    for member in ("names", "patterns"):
        if not _strings(members.get(member, [])):
            raise Misconfigured(f"{where}: {member} must be a list of strings")
    yield from (WatchedName(title, name, label) for name in members.get("names", []))
    for expression in members.get("patterns", []):
        yield _pattern(title, expression, label, f"{path}, line {_line(source, expression)}")
    if file := members.get("file"):
        yield from _from_file(path.parent / str(file), title, label)


def _from_file(path: Path, title: str, label: Label | None) -> Iterator[WatchedName | WatchPattern]:
    for number, line in enumerate(_text(path).splitlines(), 1):
        words = line.strip()
        if len(words) > 2 and words.startswith("/") and words.endswith("/"):
            yield _pattern(title, words[1:-1], label, f"{path}, line {number}")
        elif words and not words.startswith("#"):
            yield WatchedName(title, words, label)


def _pattern(title: str, expression: str, label: Label | None, where: str) -> WatchPattern:
    try:
        endless = is_exponential(expression)
        compiled = re.compile(expression)
    except (re.error, RecursionError, OverflowError) as error:
        raise Misconfigured(f"{where}: {expression!r} is no regular expression: {error}") from error
    if endless:
        raise Misconfigured(
            f"{where}: {expression!r} can take for ever on some stories: a repeat in a repeat reads the same letters "
            "in many ways; write it with one repeat, or with an atomic group (?>…)"
        )
    return WatchPattern(title, compiled, label)


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _line(source: str, words: str) -> int:
    """The line where the words stand, as they are or with TOML's backslashes; 1 where they can't be found."""
    escaped = words.replace("\\", "\\\\")
    lines = source.splitlines()
    return next(
        (
            n
            for n, line in enumerate(lines, 1)
            if not line.lstrip().startswith("#") and (words in line or escaped in line)
        ),
        1,
    )
