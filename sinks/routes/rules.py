"""Reading `config/routes.toml`: what the operator wrote, as rules; what he wrote wrong, by line."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args

from babel import Locale

from config.errors import Misconfigured
from processors.media_topics import is_media_topic
from processors.model.event import Relation
from sinks.routes.router import Kind, Rule, compiled_words
from sinks.words import Term, fold

LISTS: Final[dict[str, Kind]] = {
    "topics": "topic", "languages": "language", "countries": "country", "feeds": "feed", "entities": "entity",
    "watchlists": "watchlist", "relations": "relation",
}  # fmt: skip
NAMES: Final = (*LISTS, "urgency", "words", "compact")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
NO_COUNTRY: Final = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}  # territories of CLDR that are none
_TABLE: Final = re.compile(r"\s*\[")
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def load(path: Path) -> tuple[Rule, ...]:
    """The rules of a file.

    Raises:
        Misconfigured: the file can't be read, or a rule is wrong; the message names the line.
    """
    try:
        text = path.read_text("utf-8")
        told = tomllib.loads(text)
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: not TOML: {error}") from error
    strays = set(told) - {"routes"}
    if strays or not isinstance(told.get("routes", {}), dict):
        raise Misconfigured(
            f"{path}: {', '.join(sorted(strays)) or 'routes'}: write each rule as [routes.NAME]"
        )
    return tuple(
        _rule(name, rule, _Source(path, text, name)) for name, rule in told.get("routes", {}).items()
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a rule stands, for the operator who has to mend it."""

    path: Path
    text: str
    name: str

    def at(self, *words: object) -> str:
        """``file:line: rule`` of the first line of the rule that has all of these words, else of its first line."""
        lines = self.text.splitlines()
        begin = next((n for n, line in enumerate(lines) if self._opens(line)), 0)
        end = next((n for n in range(begin + 1, len(lines)) if _TABLE.match(lines[n])), len(lines))
        found = begin
        for word in words:
            told = re.compile(rf"(?<![\w-]){re.escape(str(word))}(?![\w-])")
            found = next((n for n in range(found, end) if told.search(lines[n].partition("#")[0])), found)
        return f"{self.path}:{found + 1}: {self.name}"

    def _opens(self, line: str) -> bool:
        return bool(re.match(rf"\s*\[\s*routes\s*\.\s*[\"']?{re.escape(self.name)}[\"']?\s*\]", line))


def _rule(name: str, told: Any, source: _Source) -> Rule:
    if not _NAME.fullmatch(name):
        raise Misconfigured(
            f"{source.at()}: a route's name is part of a topic's: small letters, digits, - and _"
        )
    if not isinstance(told, dict) or not set(told) - {"compact"}:
        raise Misconfigured(f"{source.at()} has no condition, so it would take every story")
    for key in told:
        if key not in NAMES:
            near = difflib.get_close_matches(key, NAMES, 1)
            raise Misconfigured(
                f"{source.at(key)}: unknown condition {key!r}; "
                + (f"did you mean {near[0]}?" if near else f"known are {', '.join(NAMES)}")
            )
    conditions = {kind: _values(key, told[key], source) for key, kind in LISTS.items() if key in told}
    compact = told.get("compact", False)
    if not isinstance(compact, bool):
        raise Misconfigured(f"{source.at('compact')}: compact is true or false, not {compact!r}")
    return Rule(name, conditions, _urgency(told, source), _words(told, source), compact)


def _urgency(told: Mapping[str, Any], source: _Source) -> int | None:
    urgency = told.get("urgency")
    if urgency is None or (isinstance(urgency, int) and not isinstance(urgency, bool) and 1 <= urgency <= 9):
        return urgency
    raise Misconfigured(f"{source.at('urgency')}: urgency is a number from 1 (flash) to 9, not {urgency!r}")


def _words(told: Mapping[str, Any], source: _Source) -> tuple[Term, ...]:
    if "words" not in told:
        return ()
    words = _strings("words", told["words"], source)
    if not words:
        raise Misconfigured(f"{source.at('words')}: words is empty")
    for each in words:
        if "*" in each.removesuffix("*"):
            raise Misconfigured(
                f"{source.at('words', each)}: words: {each!r}: a * stands for any ending, so only at the end"
            )
        if not compiled_words([each]):
            raise Misconfigured(f"{source.at('words', each)}: words: {each!r} has neither letter nor digit")
    return compiled_words(words)


def _values(key: str, told: Any, source: _Source) -> frozenset[str]:
    values = _strings(key, told, source)
    if not values:
        raise Misconfigured(f"{source.at(key)}: {key} is empty")
    if wrong := [value for value in values if not _is_right(key, value)]:
        raise Misconfigured(f"{source.at(key, wrong[0])}: {key}: {wrong[0]!r} is unknown; {HINTS[key]}")
    return frozenset(fold(value) if key == "entities" else value for value in values)


HINTS: Final = {
    "topics": "write Media Topics as medtop:NNNNNNNN",
    "languages": "write tags such as en or pt-BR",
    "countries": "write ISO 3166 codes of two capitals",
    "relations": f"relations are {', '.join(get_args(Relation))}",
    "feeds": "write a feed's id", "entities": "write a name", "watchlists": "write a list's name",
}  # fmt: skip


def _is_right(key: str, value: str) -> bool:
    match key:
        case "topics":
            return is_media_topic(value)
        case "languages":
            return bool(_TAG.fullmatch(value)) and value.partition("-")[0].lower() in _known().languages
        case "countries":
            return len(value) == 2 and value.isalpha() and value in _known().territories.keys() - NO_COUNTRY
        case "relations":
            return value in get_args(Relation)
    return bool(value.strip())


@cache
def _known() -> Locale:
    """CLDR's languages and territories, by their codes."""
    return Locale("en")


def _strings(key: str, told: Any, source: _Source) -> list[str]:
    if not isinstance(told, list) or not all(isinstance(each, str) for each in told):
        raise Misconfigured(f"{source.at(key)}: {key} must be a list of strings, not {told!r}")
    return told
