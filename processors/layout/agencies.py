"""What the agencies' conventions say, as patterns: `config/lexicon/agencies.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from config.settings import HERE
from processors.dates.month_names import folded
from processors.layout.templates import Templates, pattern


@dataclass(frozen=True, slots=True)
class Conventions:
    """Every agency's marks, and templates of whole lines by kind of segment."""

    agencies: dict[str, str]  # folded mark: the agency's name
    homes: dict[str, str]  # the agency's name: the country that its datelines leave out
    zones: dict[str, str]  # the agency's name: the zone of its times of the day (IANA)
    bare: frozenset[str]  # names of agencies that stand in datelines without brackets
    signoff: Templates
    ending: re.Pattern[str]  # a sign-off after the last full stop of a paragraph
    initials: Templates
    credit: Templates
    note: Templates
    boilerplate: Templates

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
        zones={entry["name"]: entry["zone"] for entry in told if "zone" in entry},
        bare=frozenset(entry["name"] for entry in told if entry.get("bare")),
        signoff=Templates.of(signoffs),
        ending=_ending([t for t in signoffs if "{any}" not in t and "{number}" not in t]),
        initials=Templates.of([t for entry in told for t in entry.get("initials", ())]),
        credit=Templates.of([t for entry in told for t in entry.get("credits", ())]),
        note=Templates.of([t for entry in told for t in entry.get("notes", ())]),
        boilerplate=Templates.of([t for entry in told for t in entry.get("boilerplate", ())]),
    )


def _ending(templates: list[str]) -> re.Pattern[str]:
    """After the end of a sentence, as printed."""
    words = "|".join(sorted(map(pattern, dict.fromkeys(templates)), key=len, reverse=True))
    return re.compile(rf"(?:{words})")
