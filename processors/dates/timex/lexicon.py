"""The words and rules of one language, from ``config/lexicon/dates-<language>.toml``.

A table gives each word (or fixed phrase) a code that is the same in every language:

============== =====================================================================================
month          1 to 12
weekday        0 (Monday) to 6; weekdays: the plural words
unit, units    ``D W M Q Y E C WE``: day … year, decade, century, weekend; singular and plural words
clock          ``H M S``
season         ``SP SU FA WI``
shift          -1 (last), 0 (this), 1 (next)
number         its value; compounds ("twenty-one") are made by the grammar
ordinal        its value
many           ``X`` (several, a few)
relative_day   days from the reference date
part           ``MO AF EV NI``, or a time of day
this_part      the same, of the reference date; with ``-`` of the day before
reference      ``PRESENT_REF PAST_REF FUTURE_REF``
holiday        ``MM-DD``; ``MM-N-D`` the Nth weekday D of a month (``L`` the last); ``E+N`` days from Easter
every          the period, ``P1D``
============== =====================================================================================

A ``[[rule]]`` has a `kind` (how `resolution` reads it) and a `pattern`: a regular expression, case-blind, in which
``{table}`` stands for any word of a table, ``{n}`` for a number in words or digits, ``{day}`` and ``{year}`` for
digits, and a blank for white space. `after`, `not_after`, `before` and `not_before` look at what surrounds the
expression, `not` at its words.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

SAME: Final = {"no": "nb", "nn": "nb"}  # Norwegian without its form, and Nynorsk, are read as Bokmål


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to write a time."""

    kind: str
    pattern: str
    after: str = ""
    not_after: str = ""
    before: str = ""
    not_before: str = ""
    unless: str = ""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What one language's file says; `tables` maps table to word to code."""

    language: str
    tables: Mapping[str, Mapping[str, str]]
    rules: tuple[Rule, ...]
    day_suffix: str
    lead: str
    lead_kinds: frozenset[str]
    past_after: str
    future: str
    past: str
    future_before: str


@cache
def lexicon(language: str) -> Lexicon | None:
    """The lexicon of a language subtag (``en``), or None where there is none."""
    path = files("config") / "lexicon" / f"dates-{SAME.get(language, language)}.toml"
    if not path.is_file():
        return None
    told = tomllib.loads(path.read_text("utf-8"))
    rules = tuple(_rule(rule) for rule in told.pop("rule"))
    forms, tense = told.pop("forms"), told.pop("tense")
    tables = {name: {word: str(code) for word, code in table.items()} for name, table in told.items()}
    return Lexicon(
        language=language,
        tables=tables,
        rules=rules,
        day_suffix=forms.get("day_suffix", ""),
        lead=forms.get("lead", ""),
        lead_kinds=frozenset(forms.get("lead_kinds", ())),
        past_after=forms.get("past_after", ""),
        future=_joined(tense["future"]),
        past=_joined(tense["past"]),
        future_before=tense["future_before"],
    )


def _rule(told: Mapping[str, Any]) -> Rule:
    return Rule(**{"unless" if name == "not" else name: value for name, value in told.items()})


def _joined(pattern: str) -> str:
    """A pattern without the line breaks that the file has for its reader."""
    return pattern.replace("\n", "")
