"""What the agencies' conventions say, as patterns: `config/lexicon/agencies.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from config.settings import HERE
from processors.segment.calendar import folded

PLACEHOLDERS: Final = {
    "name": r"[^\W\d_][\w.'’-]*(?: [\w.'’-]+){0,4}",
    "agency": r"[\w/ -]{2,30}",
    "letters": r"[^\W\d_]{2,5}",
    "code": r"\w{1,6}",
    "number": r"\d{1,4}",
    "date": r"[\w., ]{3,30}",
    "any": r".*",
}


@dataclass(frozen=True, slots=True)
class Conventions:
    """Every agency's marks, and patterns for whole lines by kind of segment."""

    agencies: dict[str, str]  # folded mark: the agency's name
    homes: dict[str, str]  # the agency's name: the country that its datelines leave out
    bare: frozenset[str]  # names of agencies that stand in datelines without brackets
    signoff: re.Pattern[str]
    ending: re.Pattern[str]  # a sign-off after the last full stop of a paragraph
    initials: re.Pattern[str]
    credit: re.Pattern[str]
    note: re.Pattern[str]
    boilerplate: re.Pattern[str]

    def agency(self, mark: str) -> str | None:
        """The agency that a mark stands for, with or without its desk: ``dpa/bb``, ``AFP-Services``."""
        words = folded(mark).strip(" .,:;-")
        for part in (
            words,
            *re.split(r"\s*[/,;]\s*|\s+-\s+|\s+and\s+", words),
            *re.split(r"[ -]", words)[:1],
        ):
            if part in self.agencies:
                return self.agencies[part]
        return None


@cache
def conventions() -> Conventions:
    """The conventions of all agencies."""
    with (HERE / "lexicon" / "agencies.toml").open("rb") as file:
        told: list[dict[str, Any]] = tomllib.load(file)["agency"]
    marks = {folded(mark): entry["name"] for entry in told for mark in entry.get("marks", ())}
    marks |= {folded(entry["name"]): entry["name"] for entry in told}
    signoffs = [t for entry in told for t in entry.get("signoffs", ())]
    return Conventions(
        agencies=marks,
        homes={entry["name"]: entry["country"] for entry in told if "country" in entry},
        bare=frozenset(entry["name"] for entry in told if entry.get("bare")),
        signoff=_lines(signoffs),
        ending=_ending([t for t in signoffs if "{any}" not in t and "{number}" not in t]),
        initials=_lines([t for entry in told for t in entry.get("initials", ())]),
        credit=_lines([t for entry in told for t in entry.get("credits", ())]),
        note=_lines([t for entry in told for t in entry.get("notes", ())]),
        boilerplate=_lines([t for entry in told for t in entry.get("boilerplate", ())]),
    )


def pattern(template: str) -> str:
    """A template as a regular expression."""
    parts = re.split(r"\{(\w+)\}", template)
    made = [
        re.escape(part).replace(r"\ ", r"\s+") if n % 2 == 0 else PLACEHOLDERS[part]
        for n, part in enumerate(parts)
    ]
    return "".join(made)


def _lines(templates: list[str]) -> re.Pattern[str]:
    """For whole lines in small letters."""
    return re.compile("|".join(pattern(template.lower()) for template in dict.fromkeys(templates)))


def _ending(templates: list[str]) -> re.Pattern[str]:
    """After the end of a sentence, as printed."""
    words = "|".join(sorted(map(pattern, dict.fromkeys(templates)), key=len, reverse=True))
    return re.compile(rf"(?:{words})")
