"""What the agencies' conventions say, as patterns: `config/lexicon/agencies.toml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from config.lexicon import agencies
from processors.dates.month_names import fold_accents
from processors.layout.templates import Templates, pattern


@dataclass(frozen=True, slots=True)
class Conventions:
    """Every agency's marks, and templates of whole lines by kind of segment."""

    agencies: dict[str, str]  # fold_accents mark: the agency's name
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
        words = fold_accents(mark).strip(" .,:;-")
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
    known = agencies().agency
    marks = {fold_accents(mark): agency.name for agency in known for mark in agency.marks}
    marks |= {fold_accents(agency.name): agency.name for agency in known}
    signoffs = [sign for agency in known for sign in (*agency.signoffs, agency.name, f"({agency.name})")]
    return Conventions(
        agencies=marks,
        homes={agency.name: agency.country for agency in known if agency.country},
        zones={agency.name: agency.zone for agency in known if agency.zone},
        bare=frozenset(agency.name for agency in known if agency.bare),
        signoff=Templates.of(signoffs),
        ending=_ending([sign for sign in signoffs if "{any}" not in sign and "{number}" not in sign]),
        initials=Templates.of(template for agency in known for template in agency.initials),
        credit=Templates.of(template for agency in known for template in agency.credits),
        note=Templates.of(template for agency in known for template in agency.notes),
        boilerplate=Templates.of(template for agency in known for template in agency.boilerplate),
    )


def _ending(templates: list[str]) -> re.Pattern[str]:
    """After the end of a sentence, as printed."""
    words = "|".join(sorted(map(pattern, dict.fromkeys(templates)), key=len, reverse=True))
    return re.compile(rf"(?:{words})")
