"""Reading `config/routes.toml`: what the operator wrote, as rules; what he wrote wrong, by line."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, Final, get_args

from config.errors import Misconfigured
from config.settings import HERE
from processors.event import Relation
from sinks.media_topics import is_known
from sinks.topics import Kind, Rule, compiled_words
from sinks.words import fold

DEFAULT: Final = HERE / "routes.toml"
LISTS: Final[dict[str, Kind]] = {
    "topics": "topic", "languages": "language", "countries": "country", "feeds": "feed", "entities": "entity",
    "watchlists": "watchlist", "relations": "relation",
}  # fmt: skip
NAMES: Final = (*LISTS, "urgency", "words", "compact")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def load(path: Path = DEFAULT) -> tuple[Rule, ...]:
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
        _rule(name, rule, f"{path}:{_line(text, name)}") for name, rule in told.get("routes", {}).items()
    )


def _rule(name: str, told: Any, where: str) -> Rule:
    if not _NAME.fullmatch(name):
        raise Misconfigured(
            f"{where}: {name!r}: a route's name is part of a topic's: small letters, digits, - and _"
        )
    if not isinstance(told, dict) or not told:
        raise Misconfigured(f"{where}: [routes.{name}] has no condition, so it would take every story")
    for key in told:
        if key not in NAMES:
            near = difflib.get_close_matches(key, NAMES, 1)
            raise Misconfigured(
                f"{where}: {name}: unknown condition {key!r}; "
                + (f"did you mean {near[0]}?" if near else f"known are {', '.join(NAMES)}")
            )
    conditions = {
        kind: _values(key, told[key], f"{where}: {name}") for key, kind in LISTS.items() if key in told
    }
    urgency = told.get("urgency")
    if urgency is not None and (
        not isinstance(urgency, int) or isinstance(urgency, bool) or not 1 <= urgency <= 9
    ):
        raise Misconfigured(f"{where}: {name}: urgency is a number from 1 (flash) to 9, not {urgency!r}")
    words = compiled_words(_strings("words", told.get("words", []), f"{where}: {name}"))
    if told.get("words") and len(words) != len(told["words"]):
        raise Misconfigured(f"{where}: {name}: words: one of them has neither letter nor digit")
    compact = told.get("compact", False)
    if not isinstance(compact, bool):
        raise Misconfigured(f"{where}: {name}: compact is true or false, not {compact!r}")
    if not conditions and urgency is None and not words:
        raise Misconfigured(f"{where}: {name} has no condition, so it would take every story")
    return Rule(name, conditions, urgency, words, compact)


def _values(key: str, told: Any, where: str) -> frozenset[str]:
    values = _strings(key, told, where)
    wrong = [value for value in values if not _is_right(key, value)]
    if wrong or not values:
        raise Misconfigured(
            f"{where}: {key}: {wrong[0]!r} is unknown; {HINTS[key]}" if wrong else f"{where}: {key} is empty"
        )
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
            return is_known(value)
        case "languages":
            return bool(_TAG.fullmatch(value))
        case "countries":
            return len(value) == 2 and value.isascii() and value.isupper()
        case "relations":
            return value in get_args(Relation)
    return bool(value.strip())


def _strings(key: str, told: Any, where: str) -> list[str]:
    if not isinstance(told, list) or not all(isinstance(each, str) for each in told):
        raise Misconfigured(f"{where}: {key} must be a list of strings, not {told!r}")
    return told


def _line(text: str, name: str) -> int:
    """The line on which a rule begins."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf"\s*\[\s*routes\s*\.\s*[\"']?{re.escape(name)}[\"']?\s*\]", line):
            return number
    return 1
