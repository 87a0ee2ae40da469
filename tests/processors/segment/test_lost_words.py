"""Words lost in transit are told, and clean copy is left alone: two marked sets, written before the program read them.

Run as a program, it prints the figures of a half and what is wrong there:
``python -m tests.processors.segment.test_lost_words A``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from processors.layout import lay_out
from processors.model.event import Damage
from processors.segment.damage import find_damage

HERE = Path(__file__).parent
LOST = re.compile(r"\{([^}]+)\}")
# Around a paragraph, so that it stands in prose. Names alone: they are of every language.
OPENING = "Henrik Solberg, Ashmere."
CLOSING = "Olena Marchuk, Karlsund."
# Of a hundred lost words; the others leave a sentence behind that could have been meant.
MIN_FOUND = 52
MAX_ALARMS = 1  # of three hundred clean stories


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of a set, and where words were lost of it."""

    half: str
    language: str
    text: str
    gaps: tuple[int, ...] = ()

    def damages(self) -> list[Damage]:
        text = f"{OPENING}\n\n{self.text}\n\n{CLOSING}"
        found = find_damage(text, lay_out(text, self.language, "Notes"), self.language)
        return [damage for damage in found if damage.kind != "truncated"]

    def is_found(self) -> bool:
        """Whether damage is told within a word of a gap."""
        start = len(OPENING) + 2
        spans = [(damage.start - start, damage.end - start) for damage in self.damages()]
        return any(
            first - MAX_WORD_CHARS <= gap <= last + MAX_WORD_CHARS
            for gap in self.gaps
            for first, last in spans
        )


MAX_WORD_CHARS = 12


def read_paragraphs(name: str) -> Iterator[Paragraph]:
    language, number = "", 0
    for line in (HERE / name).read_text("utf-8").splitlines():
        if line.startswith("=="):
            language = line.split()[1]
        elif line and not line.startswith("#"):
            number += 1
            yield _without_lost_words("AB"[(number - 1) % 2], language, line)


def _without_lost_words(half: str, language: str, line: str) -> Paragraph:
    """The line as it arrives: the words gone, and of two blanks around them one."""
    text, gaps, at = "", [], 0
    for lost in LOST.finditer(line):
        text += line[at : lost.start()]
        at = lost.end()
        if text.endswith(" ") and line[at : at + 1] == " ":
            at += 1
        gaps.append(len(text))
    return Paragraph(half, language, text + line[at:], tuple(gaps))


def clean_stories() -> list[Paragraph]:
    """Three hundred clean stories: a paragraph each, then three each."""
    alone = list(read_paragraphs("clean_copy.txt"))
    joined = [
        Paragraph(first.half, first.language, f"{first.text}\n\n{second.text}\n\n{third.text}")
        for first, second, third in zip(alone, alone[1:], alone[2:], strict=False)
        if first.language == third.language
    ]
    return [*alone, *joined[: 300 - len(alone)]]


def test_three_hundred_clean_stories_raise_one_alarm_at_most() -> None:
    stories = clean_stories()
    alarms = [(story.text, story.damages()) for story in stories if story.damages()]
    assert len(stories) == 300
    assert len(alarms) <= MAX_ALARMS, alarms


def test_half_of_lost_words_is_found() -> None:
    lost = list(read_paragraphs("lost_words.txt"))
    assert len(lost) == 100
    assert sum(paragraph.is_found() for paragraph in lost) >= MIN_FOUND


def main(half: str) -> None:
    lost = [each for each in read_paragraphs("lost_words.txt") if each.half in half]
    stories = [each for each in clean_stories() if each.half in half]
    print(half, "found", sum(each.is_found() for each in lost), "of", len(lost))
    print(half, "alarms", sum(bool(each.damages()) for each in stories), "of", len(stories))
    if half == "A":
        for each in lost:
            print("+" if each.is_found() else "-", each.text)
        for each in stories[: len(stories) // 2]:
            for damage in each.damages():
                start = damage.start - len(OPENING) - 2
                print(
                    damage.kind,
                    repr(each.text[max(0, start - 40) : start]),
                    "|",
                    each.text[start : start + 30],
                )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "A")
