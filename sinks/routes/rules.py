"""Reading `config/routes.toml`: what the operator wrote, as rules; what is wrong with it, by line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args

from babel import Locale

from config import Misconfigured, raise_fault
from config.files import read_tables
from processors.media_topics import is_media_topic
from processors.model.event import Relation
from sinks.query import QueryTree, check_query, parse_query
from sinks.routes.router import ConditionKind, RouteRule, compile_words
from sinks.search_words import SearchTerm, fold

LIST_KINDS: Final[dict[str, ConditionKind]] = {
    "topics": "topic", "languages": "language", "countries": "country", "feeds": "feed", "entities": "entity",
    "watchlists": "watchlist", "relations": "relation",
}  # fmt: skip
CONDITION_NAMES: Final = (*LIST_KINDS, "urgency", "words", "min_sources", "min_novelty", "query", "compact")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
MAX_SHOWN_CHARS: Final = 80  # of a query's part that is wrong, in a line of a log
NON_COUNTRIES: Final = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}  # territories of CLDR that are none
_TABLE: Final = re.compile(r"\s*\[")
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def read_rules(path: Path, on_fault: Callable[[Misconfigured], None] = raise_fault) -> tuple[RouteRule, ...]:
    """The rules of a file. `on_fault` gets a fault of one rule, by default raised.

    Raises:
        Misconfigured: the file can't be read, or a rule is wrong; the message names the line.
    """
    text, tables = read_tables(path, "routes", "name a file of rules with routes.file")
    rules = []
    for name, table in tables.items():
        try:
            rules.append(_parse_rule(name, table, _RuleText(path, text, name)))
        except Misconfigured as error:
            on_fault(error)
    return tuple(rules)


@dataclass(frozen=True, slots=True)
class _RuleText:
    """The place of a rule in its file, for the operator who has to mend it."""

    path: Path
    text: str
    name: str

    def at(self, *words: object) -> str:
        """``file:line: rule`` of the first line of the rule that has all of these words, else of its first line."""
        lines = self.text.splitlines()
        begin = next((n for n, line in enumerate(lines) if self._opens(line)), 0)
        end = next((n for n in range(begin + 1, len(lines)) if _TABLE.match(lines[n])), len(lines))
        number = begin
        for word in words:
            pattern = re.compile(rf"(?<![\w-]){re.escape(str(word))}(?![\w-])")
            number = next(
                (n for n in range(number, end) if pattern.search(lines[n].partition("#")[0])), number
            )
        return f"{self.path}:{number + 1}: {self.name}"

    def _opens(self, line: str) -> bool:
        return bool(re.match(rf"\s*\[\s*routes\s*\.\s*[\"']?{re.escape(self.name)}[\"']?\s*\]", line))


def _parse_rule(name: str, table: Any, source: _RuleText) -> RouteRule:
    if not _NAME.fullmatch(name):
        raise Misconfigured(
            f"{source.at()}: a route's name is part of a topic's: small letters, digits, - and _"
        )
    if not isinstance(table, dict) or not set(table) - {"compact"}:
        raise Misconfigured(f"{source.at()} has no condition, so it would take every story")
    for key in table:
        if key not in CONDITION_NAMES:
            near = difflib.get_close_matches(key, CONDITION_NAMES, 1)
            raise Misconfigured(
                f"{source.at(key)}: unknown condition {key!r}; "
                + (f"did you mean {near[0]}?" if near else f"known are {', '.join(CONDITION_NAMES)}")
            )
    conditions = {kind: _values(key, table[key], source) for key, kind in LIST_KINDS.items() if key in table}
    compact = table.get("compact", False)
    if not isinstance(compact, bool):
        raise Misconfigured(f"{source.at('compact')}: compact is true or false, not {compact!r}")
    text, query = _query(table, source)
    return RouteRule(
        name, conditions, _urgency(table, source), _words(table, source), compact,
        _least_sources(table, source), _least_novelty(table, source), query, text,
    )  # fmt: skip


def _query(table: Mapping[str, Any], source: _RuleText) -> tuple[str, QueryTree | None]:
    """The text of a rule's query, and its tree."""
    text = table.get("query", "")
    if "query" not in table:
        return "", None
    if not isinstance(text, str) or not text.strip():
        raise Misconfigured(
            f"{source.at('query')}: query is what is searched, such as 'headline:ferry', not {text!r}"
        )
    if error := check_query(text):
        part = text[error.start : error.start + error.length]
        raise Misconfigured(f"{source.at('query')}: query: {error}: {part[:MAX_SHOWN_CHARS]}")
    return text, parse_query(text)


def _least_sources(table: Mapping[str, Any], source: _RuleText) -> int:
    number = table.get("min_sources", 0)
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= 1_000_000:
        return number
    raise Misconfigured(
        f"{source.at('min_sources')}: min_sources is how many sources have the event, not {number!r}"
    )


def _least_novelty(table: Mapping[str, Any], source: _RuleText) -> float:
    share = table.get("min_novelty", 0.0)
    if isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share <= 1:
        return float(share)
    raise Misconfigured(f"{source.at('min_novelty')}: min_novelty is a number from 0 to 1, not {share!r}")


def _urgency(table: Mapping[str, Any], source: _RuleText) -> int | None:
    urgency = table.get("urgency")
    if urgency is None or (isinstance(urgency, int) and not isinstance(urgency, bool) and 1 <= urgency <= 9):
        return urgency
    raise Misconfigured(f"{source.at('urgency')}: urgency is a number from 1 (flash) to 9, not {urgency!r}")


def _words(table: Mapping[str, Any], source: _RuleText) -> tuple[SearchTerm, ...]:
    if "words" not in table:
        return ()
    words = _strings("words", table["words"], source)
    if not words:
        raise Misconfigured(f"{source.at('words')}: words is empty")
    for word in words:
        if "*" in word.removesuffix("*"):
            raise Misconfigured(
                f"{source.at('words', word)}: words: {word!r}: a * stands for any ending, so only at the end"
            )
        if not compile_words([word]):
            raise Misconfigured(f"{source.at('words', word)}: words: {word!r} has neither letter nor digit")
    return compile_words(words)


def _values(key: str, values: Any, source: _RuleText) -> frozenset[str]:
    values = _strings(key, values, source)
    if not values:
        raise Misconfigured(f"{source.at(key)}: {key} is empty")
    if wrong := [value for value in values if not _is_valid(key, value)]:
        raise Misconfigured(f"{source.at(key, wrong[0])}: {key}: {wrong[0]!r} is unknown; {HINTS[key]}")
    return frozenset(fold(value) if key == "entities" else value for value in values)


HINTS: Final = {
    "topics": "write Media Topics as medtop:NNNNNNNN",
    "languages": "write tags such as en or pt-BR",
    "countries": "write ISO 3166 codes of two capitals",
    "relations": f"relations are {', '.join(get_args(Relation))}",
    "feeds": "write a feed's id", "entities": "write a name", "watchlists": "write a list's name",
}  # fmt: skip


def _is_valid(key: str, value: str) -> bool:
    match key:
        case "topics":
            return is_media_topic(value)
        case "languages":
            return bool(_TAG.fullmatch(value)) and value.partition("-")[0].lower() in _cldr().languages
        case "countries":
            return len(value) == 2 and value.isalpha() and value in _cldr().territories.keys() - NON_COUNTRIES
        case "relations":
            return value in get_args(Relation)
    return bool(value.strip())


@cache
def _cldr() -> Locale:
    """CLDR's languages and territories, by their codes."""
    return Locale("en")


def _strings(key: str, values: Any, source: _RuleText) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Misconfigured(f"{source.at(key)}: {key} must be a list of strings, not {values!r}")
    return values
