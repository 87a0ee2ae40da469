"""Texts for loops over a text: many names, lines, quotes, dates, marks, deep nesting, long words, and words of the lexicon.

What no pattern shows: code that compares each name with all others, or looks for the end of each line anew.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.hostile.patterns import LANGUAGES, Pump

# ``{}`` is a number, so that no two units are equal.
UNITS: Final = (
    "Ada Quill, ", "Ada{} Quill{}, ", "Ada{} Quill, ", "Ada Quill{}, ", "Quill{} Corp., ", "in North Quill{}, ", "ADA QUILL ", "A", "a ", "A ", "Mr. ",
    "Mayor ", "U.S. ", "J. ", "Ada Quill (AQ{}), ", "Ada and Ivo and ", "the University of ", "Quill-Brandt-", "Ada{}'s ", "al-Quill{} ", "van de ",
    '"Yes," said Ada Quill. ', '"Yes," ', "“Yes” ", "«Oui» ", "'", '"', "„Ja“, sagte Ada. ", "he said that ", "said ", 'Ada{} said: "No." ', "- Yes, said Ada.\n",
    "on 3 May 2024, ", "on Monday ", "May ", "3 ", "12:30 ", "2024-05-03 ", "0.000", "1,000", "the 3rd of ", "last week ", "in 19{}, ", "Jan. 3, ", "two years ago ",
    "LISBON, Jan 29 (EFE).- ", "(NNA) - ", "PORT ALDER, ", "Port Alder, Jan 22 (NNA) - x\n", "By Ada Quill\n", "EFE/yv\n", "X-{}: a\n", "NNA ab/{}\n", "(Photo: Ada{})\n",
    "ADVISORY\n", "EDS: ", "EMBARGOED UNTIL 3 MAY ", "Kill ", "CORRECTS ", "1stLd-Writethru ", "slug-{}-slug ", "Adds {}\n", "Recasts, ", "UPDATE {}-", "Repeats {}. ",
    "\t", " ", "\n", "\r", "\r\n\r\n", "\xa0", "\u200b", "\u0301", "\x01", "\x00", "\x1f", "\ufeff", "\u202e", "\U0001f600", " \n", "\n \n", "  x\n", "x  {}  y\n", "a\tb\tc\n",
    ".", "...", "-", "--", "- ", "* item {}\n", "=", "_", "~", "#", "@", "/", "\\", "|", "| a | b |\n", "+---", "^", "<", ">", "&", "&amp;", "&#38;", "&lt;", "%20", "(", ")", "()", "[", "{{",
    "<b>", "<p>", "<p>x</p>", "<div><div>", "</b>", "<a href=x>", "<img src='a{}.jpg' width='1'>", "<br>", "<table><tr><td>x", "<li>x", "<!--", "-->", "<![CDATA[", "<?x ?>", "<script>",
    "<x:a>", "<a b='", "<!ENTITY a{} 'b'>", "&a;", "]]>", "xmlns:a{}='u' ", "ZCZC\n", "NNNN\n", "ZCZC x\nNNNN\n", "http://wire.example/{} ", "ada@wire.example ", "#ferry ",
    "éèê", "Ã©", "Ж", "中", "日本語", "ع", "ﬀ", "ß", "İ", "A\u0301", "x" * 50 + " ", "X" * 50 + " ", "1" * 50 + " ", "a-", "a'", "a.", "a,", "a;", "a:b ", "a/b ", "Ab", "aB", "A1", "1A ", "$1m ", "5% ",
    "AAPL.O ", "<AAPL.O> ", "(NYSE: AQ{}) ", "1-0 ", "Quill {}-{} Brandt\n", "Q{} 12 34 56\n", "1. Quill 2:{}\n", "=?utf-8?q?a?= ", "a@b(", "a <b@c>, ", "<a@b>", ";", ",", "; a=b", ': "',
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NumberedPump(Pump):
    """A pump whose units differ by a number."""

    def text(self, size: int) -> str:
        """Unit after unit, until the size is reached."""
        if "{}" not in self.unit:
            return Pump.text(self, size)
        parts, length = [self.prefix], 0
        for number in itertools.count():
            parts.append(self.unit.replace("{}", str(number)))
            length += len(parts[-1])
            if length >= size:
                return "".join(parts) + self.suffix
        raise AssertionError("numbers end")


def loop_pumps(chance: random.Random) -> Iterator[NumberedPump]:
    """Each unit alone, then two to four of them together, and words of the lexicon between them, without end."""
    for unit in UNITS:
        yield NumberedPump("", unit, chance.choice(("", "", ".", "x", "\n\nMore.")))
    words = _lexicon_words()
    while True:
        parts = [
            chance.choice(UNITS if chance.random() < 0.7 else words) for _ in range(chance.randint(2, 4))
        ]
        prefix = chance.choice(("", "", chance.choice(UNITS), chance.choice(words)))
        yield NumberedPump(prefix, "".join(parts), chance.choice(("", ".", "x", chance.choice(UNITS))))


def _lexicon_words() -> list[str]:
    """Words and phrases of all languages, as they stand in the lexicon."""
    from msgspec import structs

    from config.lexicon import language

    words: set[str] = set()

    def visit(value: object) -> None:
        if isinstance(value, str):
            if len(value) < 40 and "{" not in value and "(" not in value:
                words.add(value + " ")
        elif isinstance(value, dict):
            for key, member in value.items():
                visit(key)
                visit(member)
        elif isinstance(value, (list, tuple, set, frozenset)):
            for member in value:
                visit(member)
        elif hasattr(value, "__struct_fields__"):
            visit(structs.asdict(value))  # type: ignore[arg-type]

    for tag in LANGUAGES:
        visit(language(tag))
    return sorted(words)
