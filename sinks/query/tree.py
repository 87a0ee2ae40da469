"""What a query says, as a tree: the parts that a story must have, and how they are joined.

Every node is frozen and compares by what it says, not by where it stood in the text. A leaf is `WordTerm`, `ValueTerm`,
`NumberRange`, `TimeRange` or `Circle`; `AllOf`, `AnyOf` and `NotOf` join. `EveryStory` is the query that says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from processors.times import to_timestamp
from sinks.search_words import SearchTerm

WordPlace = Literal["any", "headline", "text", "slug"]
ValueKind = Literal[
    "feed",
    "source",
    "place",
    "country",
    "person",
    "org",
    "entity",
    "topic",
    "lang",
    "watchlist",
    "is",
    "cluster",
]
NumberKind = Literal["urgency", "words", "sources"]
TimeKind = Literal["time", "received"]
# What stands for itself in a value without quotes.
_PLAIN_CHARS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:/#@-")


@dataclass(frozen=True, slots=True)
class QuerySpan:
    """Where a part stands in the text of the query, in code points."""

    start: int
    length: int


NO_SPAN: Final = QuerySpan(0, 0)


@dataclass(frozen=True, slots=True)
class EveryStory:
    """What fits every story."""


@dataclass(frozen=True, slots=True)
class WordTerm:
    """Words that follow one another in the headline, the text or, as `any`, the other words of a story too."""

    words: tuple[str, ...]
    typed: tuple[str, ...] = field(compare=False)
    prefix: bool = False
    place: WordPlace = "any"
    span: QuerySpan = field(default=NO_SPAN, compare=False)

    @property
    def term(self) -> SearchTerm:
        """The words as the indices and the marks of a text take them."""
        return SearchTerm(self.words, self.typed, self.prefix)


@dataclass(frozen=True, slots=True)
class ValueTerm:
    """A value that a story has (`sinks.query.facts`), or with `prefix` how one begins. `typed` is how it was asked for."""

    kind: ValueKind
    value: str
    prefix: bool = False
    typed: str = field(default="", compare=False)
    span: QuerySpan = field(default=NO_SPAN, compare=False)


@dataclass(frozen=True, slots=True)
class NumberRange:
    """A whole number of a story, between two that count as well; None: without end."""

    kind: NumberKind
    least: int | None
    most: int | None
    span: QuerySpan = field(default=NO_SPAN, compare=False)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in milliseconds since the epoch; with `is_ago`, so long before now."""

    milliseconds: int
    is_ago: bool = False

    def resolve(self, now_ms: int) -> int:
        """The time, as milliseconds since the epoch."""
        return now_ms - self.milliseconds if self.is_ago else self.milliseconds


@dataclass(frozen=True, slots=True)
class TimeRange:
    """The story's own time, or that of its reception, between two moments that count as well; None: without end."""

    kind: TimeKind
    since: Moment | None
    until: Moment | None
    typed: str = field(default="", compare=False)
    span: QuerySpan = field(default=NO_SPAN, compare=False)


@dataclass(frozen=True, slots=True)
class Circle:
    """A place of the story is at most so many kilometres from a point, in degrees WGS 84."""

    latitude: float
    longitude: float
    kilometres: float
    span: QuerySpan = field(default=NO_SPAN, compare=False)


@dataclass(frozen=True, slots=True)
class NotOf:
    """What does not fit a part."""

    part: QueryTree


@dataclass(frozen=True, slots=True)
class AllOf:
    """What fits every one of two or more parts."""

    parts: tuple[QueryTree, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """What fits one of two or more parts."""

    parts: tuple[QueryTree, ...]


QueryLeaf = WordTerm | ValueTerm | NumberRange | TimeRange | Circle
QueryTree = EveryStory | QueryLeaf | NotOf | AllOf | AnyOf


def join_all(parts: tuple[QueryTree, ...]) -> QueryTree:
    """The tree that asks for every part; what says nothing is left out."""
    asked = tuple(part for part in parts if not isinstance(part, EveryStory))
    flat = tuple(inner for part in asked for inner in (part.parts if isinstance(part, AllOf) else (part,)))
    if len(flat) > 1:
        return AllOf(flat)
    return flat[0] if flat else EveryStory()


def wanted_leaves(tree: QueryTree, *, wanted: bool = True) -> Iterator[QueryLeaf]:
    """The leaves that a story may have to fit the query: those under an even number of negations."""
    match tree:
        case NotOf(part):
            yield from wanted_leaves(part, wanted=not wanted)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from wanted_leaves(part, wanted=wanted)
        case EveryStory():
            return
        case leaf:
            if wanted:
                yield leaf


def wanted_words(tree: QueryTree) -> tuple[SearchTerm, ...]:
    """The words of a query that a story may have: those to mark in its text."""
    return tuple(dict.fromkeys(leaf.term for leaf in wanted_leaves(tree) if isinstance(leaf, WordTerm)))


def asks_for(tree: QueryTree, state: str) -> bool:
    """Whether a query asks for stories that are something: ``is:kill``, ``is:duplicate``."""
    return any(
        isinstance(leaf, ValueTerm) and leaf.kind == "is" and leaf.value == state
        for leaf in wanted_leaves(tree)
    )


def format_query(tree: QueryTree) -> str:
    """The query in one form for all that say the same in the same order; it parses to an equal tree."""
    match tree:
        case EveryStory():
            return ""
        case NotOf(part):
            return f"-{_in_brackets(part)}"
        case AllOf(parts):
            return " ".join(
                _in_brackets(part) if isinstance(part, AnyOf) else format_query(part) for part in parts
            )
        case AnyOf(parts):
            return " OR ".join(format_query(part) for part in parts)
        case leaf:
            return _format_leaf(leaf)


def _format_leaf(leaf: QueryLeaf) -> str:
    match leaf:
        case WordTerm():
            field_name = "" if leaf.place == "any" else f"{leaf.place}:"
            return f'{field_name}"{" ".join(leaf.words)}"{"*" if leaf.prefix else ""}'
        case ValueTerm():
            return f"{leaf.kind}:{quote_value(leaf.value)}{'*' if leaf.prefix else ''}"
        case NumberRange():
            return f"{leaf.kind}:{_end(leaf.least)}..{_end(leaf.most)}"
        case TimeRange():
            return f"{leaf.kind}:{_moment(leaf.since)}..{_moment(leaf.until)}"
    return f'near:"{leaf.latitude!r},{leaf.longitude!r},{leaf.kilometres!r}"'


def quote_value(value: str) -> str:
    """A value as it is written behind its field: in quotes, where a sign of it would mean something."""
    if value and _PLAIN_CHARS.issuperset(value) and value[0] not in "-<>.":
        return value
    return f'"{value}"'


def _in_brackets(part: QueryTree) -> str:
    text = format_query(part)
    return f"({text})" if isinstance(part, (AllOf, AnyOf, NotOf)) else text


def _end(number: int | None) -> str:
    return "" if number is None else str(number)


def _moment(moment: Moment | None) -> str:
    if moment is None:
        return ""
    return f"{moment.milliseconds // 60_000}m" if moment.is_ago else to_timestamp(moment.milliseconds)
