"""A query's tree for SQLite: an expression of FTS5, and conditions on columns for what no index of words can say.

The values of a story (`sinks.query.facts.story_values`) stand beside its words as words of the column `keys`, so that
FTS5 joins words, feeds, names and topics in one walk through its lists. They begin with a sign that no word has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import cos, radians
from typing import Final

from processors.model.event import Event
from sinks.query.facts import story_numbers, story_points, story_values, story_words
from sinks.query.matching import EARTH_RADIUS_KM
from sinks.query.tree import (
    AllOf,
    AnyOf,
    Circle,
    EveryStory,
    NotOf,
    NumberRange,
    QueryTree,
    TimeRange,
    ValueKind,
    ValueTerm,
    WordTerm,
)
from sinks.query.values import MAX_NUMBER
from sinks.search_words import fold

WORD_COLUMNS: Final = ("headline", "text", "other", "slug", "keys")
_SEARCHED_COLUMNS: Final = "{headline text other}"
# One letter a field, behind the sign that begins a key. They are stored: a change makes all keys anew (`INDEX_RULE`).
KEY_LETTERS: Final[Mapping[ValueKind | str, str]] = {
    "feed": "f", "source": "s", "place": "p", "country": "c", "person": "n", "org": "o", "entity": "e", "topic": "t",
    "lang": "l", "watchlist": "w", "is": "i", "cluster": "k", "urgency": "u",
}  # fmt: skip
_KEY_SIGN: Final = "\ue001"
EVERY_KEY: Final = f"{_KEY_SIGN}0"  # which every story has: what "all but" begins with
# FTS5 parts words at all ASCII signs but letters and digits; in a key each stands as one of the private signs.
_KEY_SIGNS: Final = {
    code: 0xE100 + code for code in range(128) if not (chr(code).isascii() and chr(code).isalnum())
}
MAX_URGENCY: Final = 9
_DEGREE_KM: Final = EARTH_RADIUS_KM * radians(1)


@dataclass(slots=True)
class CompiledQuery:
    """A query for SQLite: `match` for FTS5, or None; conditions on ``{s}``, the table of stories, and all parameters.

    `time_conditions` narrow the column `time` alone. `has_prefix`: FTS5 looks through many words at each search.
    """

    match: str | None = None
    conditions: list[str] = field(default_factory=list)
    time_conditions: list[str] = field(default_factory=list)
    parameters: dict[str, object] = field(default_factory=dict)
    has_prefix: bool = False

    def bind(self, value: object) -> str:
        """The name of a new parameter."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"


def compile_query(tree: QueryTree, now_ms: int) -> CompiledQuery:
    """The tree for SQLite. What must fit in any case and can be asked of FTS5 is one expression, the rest conditions."""
    compiled = CompiledQuery(has_prefix=_has_prefix(tree))
    parts = tree.parts if isinstance(tree, AllOf) else (tree,)
    words = tuple(part for part in parts if _is_of_words(part) and not isinstance(part, EveryStory))
    if words:
        compiled.match = _match(AllOf(words) if len(words) > 1 else words[0])
        compiled.parameters["match"] = compiled.match
    for part in parts:
        if isinstance(part, TimeRange) and part.kind == "time":
            compiled.time_conditions.append(_condition(part, now_ms, compiled))
        elif not _is_of_words(part):
            compiled.conditions.append(_condition(part, now_ms, compiled))
    return compiled


def story_row_words(event: Event) -> tuple[str, ...]:
    """What stands in `WORD_COLUMNS` for a story."""
    texts = story_words(event)
    return (*(fold(texts[name]) for name in WORD_COLUMNS[:-1]), " ".join(_story_keys(event)))


def story_row_numbers(event: Event) -> tuple[int, int | None]:
    """What stands in the columns `words` and `sources`."""
    numbers = story_numbers(event)
    return numbers["words"], numbers.get("sources")


def story_row_points(event: Event) -> tuple[tuple[float, float], ...]:
    """What stands in the table of points."""
    return story_points(event)


def _story_keys(event: Event) -> Iterable[str]:
    yield EVERY_KEY
    for kind, values in story_values(event).items():
        yield from sorted(_key(kind, value) for value in values)
    if event.story.urgency is not None:
        yield _key("urgency", str(event.story.urgency))


def _key(kind: ValueKind | str, value: str) -> str:
    return f"{_KEY_SIGN}{KEY_LETTERS[kind]}{value.translate(_KEY_SIGNS)}"


def _has_prefix(tree: QueryTree) -> bool:
    match tree:
        case AllOf(parts) | AnyOf(parts):
            return any(map(_has_prefix, parts))
        case NotOf(part):
            return _has_prefix(part)
        case WordTerm() | ValueTerm():
            return tree.prefix
    return False


def _is_of_words(tree: QueryTree) -> bool:
    """Whether FTS5 can say it."""
    match tree:
        case AllOf(parts) | AnyOf(parts):
            return all(map(_is_of_words, parts))
        case NotOf(part):
            return _is_of_words(part)
        case NumberRange(kind):
            return kind == "urgency"
        case TimeRange() | Circle():
            return False
    return True


def _match(tree: QueryTree) -> str:
    """The expression of FTS5. Its NOT stands between two sides, so that what is only refused is refused of every story."""
    match tree:
        case AllOf(parts):
            asked = " AND ".join(_match(part) for part in parts if not isinstance(part, NotOf))
            refused = "".join(f" NOT {_match(part.part)}" for part in parts if isinstance(part, NotOf))
            return f"(({asked or _quoted(EVERY_KEY)}){refused})"
        case AnyOf(parts):
            return f"({' OR '.join(map(_match, parts))})"
        case NotOf(part):
            return f"({_quoted(EVERY_KEY)} NOT {_match(part)})"
    return _match_leaf(tree)


def _match_leaf(leaf: QueryTree) -> str:
    match leaf:
        case WordTerm(words, _, prefix, place):
            columns = _SEARCHED_COLUMNS if place == "any" else f"{{{place}}}"
            return f"{columns} : {_quoted(' '.join(words))}{' *' if prefix else ''}"
        case ValueTerm(kind, value, prefix):
            return f"{{keys}} : {_quoted(_key(kind, value))}{' *' if prefix else ''}"
        case NumberRange(kind, least, most):
            first, last = max(least or 0, 0), min(MAX_URGENCY if most is None else most, MAX_URGENCY)
            keys = [f"{{keys}} : {_quoted(_key(kind, str(number)))}" for number in range(first, last + 1)]
            return f"({' OR '.join(keys)})" if keys else f"({_quoted(EVERY_KEY)} NOT {_quoted(EVERY_KEY)})"
    return _quoted(EVERY_KEY)


def _quoted(words: str) -> str:
    return f'"{words}"'


def _condition(tree: QueryTree, now_ms: int, compiled: CompiledQuery) -> str:
    """The condition of SQL, which is 0 or 1 and never NULL."""
    if _is_of_words(tree):
        bound = compiled.bind(_match(tree))
        return f"{{s}}.id IN (SELECT rowid FROM story_words WHERE story_words MATCH {bound})"
    match tree:
        case AllOf(parts):
            return f"({' AND '.join(_condition(part, now_ms, compiled) for part in parts)})"
        case AnyOf(parts):
            return f"({' OR '.join(_condition(part, now_ms, compiled) for part in parts)})"
        case NotOf(part):
            return f"NOT {_condition(part, now_ms, compiled)}"
    return _leaf_condition(tree, now_ms, compiled)


def _leaf_condition(leaf: QueryTree, now_ms: int, compiled: CompiledQuery) -> str:
    match leaf:
        case NumberRange(kind, least, most):
            low, high = compiled.bind(least or 0), compiled.bind(MAX_NUMBER if most is None else most)
            return f"IFNULL({{s}}.{kind} BETWEEN {low} AND {high}, 0)"
        case TimeRange(kind, since, until):
            ends = ((">=", since), ("<=", until))
            asked = [f"{{s}}.{kind} {sign} {compiled.bind(end.resolve(now_ms))}" for sign, end in ends if end]
            return f"({' AND '.join(asked)})"
        case Circle():
            return _circle_condition(leaf, compiled)
    raise AssertionError(leaf)


def _circle_condition(circle: Circle, compiled: CompiledQuery) -> str:
    """The points within a box around the circle, of those the ones within it; the box is left out near poles and 180°."""
    span = circle.kilometres / _DEGREE_KM * 1.001 + 0.001
    south, north = circle.latitude - span, circle.latitude + span
    box = f"latitude BETWEEN {compiled.bind(south)} AND {compiled.bind(north)}"
    if south > -89 and north < 89:
        wide = span / min(cos(radians(south)), cos(radians(north)))
        west, east = circle.longitude - wide, circle.longitude + wide
        if west > -180 and east < 180:
            box += f" AND longitude BETWEEN {compiled.bind(west)} AND {compiled.bind(east)}"
    here = ", ".join(compiled.bind(value) for value in (circle.latitude, circle.longitude))
    far = compiled.bind(circle.kilometres)
    return (
        f"{{s}}.id IN (SELECT id FROM story_points WHERE {box}"
        f" AND distance_km({here}, latitude, longitude) <= {far})"
    )
