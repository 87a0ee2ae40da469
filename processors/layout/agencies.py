"""What the agencies' conventions say, as patterns: `config/lexicon/agencies.toml`.

Templates of whole lines are filed so that few are tried on a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from config.lexicon import agencies
from processors.dates.calendar import fold_accents

PLACEHOLDERS: Final = {
    "name": r"[^\W\d_][\w.'’-]*(?: [\w.'’-]+){0,4}",
    "agency": r"[\w/ -]{2,30}",
    "company": r"[^\W_][\w.,;:&+/()'’–™®-]{0,40}(?: [\w.,;:&+/()'’–™®-]{1,40}){0,6}",
    "letters": r"[^\W\d_]{2,5}",
    "code": r"\w{1,6}",
    "number": r"\d{1,4}",
    "date": r"[\w., ]{3,30}",
    "any": r".*",
}
COMMON_WORDS: Final = ("/", "photo", "foto")  # what many templates have, so that one look serves them all


@dataclass(frozen=True, slots=True)
class Conventions:
    """Every agency's marks, and templates of whole lines by kind of segment."""

    agencies: dict[str, str]  # fold_accents mark: the agency's name
    homes: dict[str, str]  # the agency's name: the country that its datelines leave out
    zones: dict[str, str]  # the agency's name: the zone of its times of the day (IANA)
    colons: frozenset[str]  # names of agencies whose datelines end in a colon
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
        colons=frozenset(agency.name for agency in known if agency.dateline.endswith(":")),
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


@dataclass(frozen=True, slots=True)
class Templates:
    """What lines in small letters are known by.

    Templates that open with words of their own fail at a line's first letters. Those that open with a placeholder
    (``{name}/TASS``) are tried only where one of `needed` stands in the line: each of them has one.
    """

    fixed: re.Pattern[str]
    loose: re.Pattern[str]
    needed: tuple[str, ...]

    @classmethod
    def of(cls, templates: Iterable[str]) -> Templates:
        """The templates, without regard to case."""
        low = [template.lower() for template in dict.fromkeys(templates)]
        loose = [template for template in low if template.startswith("{")]
        return cls(
            _any_of(template for template in low if not template.startswith("{")),
            _any_of(loose),
            tuple(dict.fromkeys(map(needed_by, loose))),
        )

    def describe(self, line: str) -> bool:
        """Whether one of them is the whole line, which is in small letters."""
        if self.fixed.fullmatch(line):
            return True
        for word in self.needed:
            if word in line:
                return self.loose.fullmatch(line) is not None
        return False


def pattern(template: str) -> str:
    """A template as a regular expression."""
    parts = re.split(r"\{(\w+)\}", template)
    made = [
        re.escape(part).replace(r"\ ", r"\s+") if n % 2 == 0 else PLACEHOLDERS[part]
        for n, part in enumerate(parts)
    ]
    return "".join(made)


def needed_by(template: str) -> str:
    """Letters or marks that stand in every line that the template describes: a common one, else its longest word."""
    words = re.split(r"\{\w+\}|\s+", template)
    return next((mark for mark in COMMON_WORDS if any(mark in word for word in words)), max(words, key=len))


def _any_of(templates: Iterable[str]) -> re.Pattern[str]:
    """One of the templates; one that none is matches nothing."""
    return re.compile("|".join(map(pattern, templates)) or r"(?!)")
