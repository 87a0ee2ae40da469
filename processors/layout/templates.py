"""Templates of whole lines, as `config/lexicon/agencies.toml` has them, so filed that few are tried on a line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

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
        return any(word in line for word in self.needed) and self.loose.fullmatch(line) is not None


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
