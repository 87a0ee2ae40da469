"""Thirty days of series and tails in eight languages, with what each story is marked by the generator.

Every day each language's two agencies send an instalment of each kind of series (and some short news) under their
own standing lines: one agency has the templates of the half that rules were tuned on, the other those of the half
that was looked at once. Some stories are sent again with another credit, dateline, order or cut; of some a later
version follows. Words and templates stand in ``series_words``; equal seeds give equal streams.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

HALVES: Final = ("seen", "unseen")
# Kinds, the hour at which each is sent, and how many instalments a day.
KINDS: Final = {
    "briefing": (6, 1), "police": (11, 2), "obituary": (14, 2), "market": (17, 1), "weather": (6, 1),
    "results": (22, 1), "horoscope": (5, 1), "live": (13, 1), "digest": (4, 1), "memo": (8, 1), "brief": (10, 4),
}  # fmt: skip
LANGUAGES: Final = tuple(
    sorted(path.stem for path in Path(__file__).with_name("series_words").glob("*.toml"))
)
FIRST_DAY: Final = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
REPEATED_SHARE: Final = 0.2
REVISED_SHARE: Final = 0.1
GAP: Final = re.compile(r"\{([^{}]+)\}")
SIGNS: Final = re.compile(r"\{sign\*4([^{}]*)\{advice\}\}")
FIGURE: Final = re.compile(r"([\d.]+)-([\d.]+)")

Mark = Literal["distinct", "repeat", "version"]


@dataclass(frozen=True, slots=True)
class SeriesStory:
    """A story of the stream; `of` is the uri of the story that it repeats or revises."""

    uri: str
    mark: Mark
    kind: str
    language: str
    half: str
    source: str
    sent: datetime
    headline: str
    paragraphs: tuple[str, ...]
    tail: tuple[str, ...] = ()
    of: str | None = None
    version: str = "1"

    def ninjs(self) -> dict[str, Any]:
        """The story as an item of ninjs 3.1."""
        return {
            "uri": self.uri,
            "version": self.version,
            "versionCreated": self.sent.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "language": self.language,
            "headlines": [{"role": "main", "value": self.headline}],
            "bodies": [
                {
                    "role": "main",
                    "contentType": "text/plain",
                    "value": "\n\n".join((*self.paragraphs, *self.tail)),
                }
            ],
            "infoSources": [{"name": self.source}],
        }


def make_stream(
    seed: int, days: int = 30, languages: tuple[str, ...] = LANGUAGES, halves: tuple[str, ...] = HALVES
) -> list[SeriesStory]:
    """All stories, by the time at which they are sent."""
    stories = [
        story
        for language in languages
        for half in halves
        for story in Agency(language, half, random.Random(f"{seed} {language} {half}")).send(days)  # noqa: S311 -- an example, not a secret
    ]
    return sorted(stories, key=lambda story: (story.sent, story.uri))


@cache
def read_words(language: str) -> dict[str, Any]:
    """The words and templates of a language."""
    return tomllib.loads(
        Path(__file__).with_name("series_words").joinpath(f"{language}.toml").read_text("utf-8")
    )


@dataclass
class Agency:
    """One sender in one language with the templates and tails of one half."""

    language: str
    half: str
    own: random.Random
    count: int = 0
    words: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """Read the words."""
        self.words = read_words(self.language)

    @property
    def source(self) -> str:
        """The sender's name."""
        return f"{self.words['words']['company'][HALVES.index(self.half)].upper()} {self.language.upper()}"

    def send(self, days: int) -> Iterator[SeriesStory]:
        """The stories of some days, with repeats and later versions."""
        for day in range(days):
            for kind, (hour, instalments) in KINDS.items():
                for _ in range(instalments):
                    sent = FIRST_DAY + timedelta(days=day, hours=hour, seconds=self.own.randrange(5400))
                    story = self._write(kind, sent)
                    yield story
                    if self.own.random() < REVISED_SHARE:
                        yield self._revise(story)
                    if self.own.random() < REPEATED_SHARE:
                        yield self._repeat(story)

    def _uri(self) -> str:
        self.count += 1
        return f"urn:series:{self.language}:{self.half}:{self.count}"

    def _write(self, kind: str, sent: datetime) -> SeriesStory:
        copy = Copy(self.words, self.own, sent, self.source)
        if kind == "brief":
            headline, paragraphs = copy.fill("{short}"), [copy.fill("{news}")]
        else:
            template = self.words[self.half][kind]
            headline = copy.fill(template["headline"])
            paragraphs = [copy.fill(part) for part in template["text"].strip().split("\n\n")]
        if kind in {"police", "obituary", "market", "brief"}:
            paragraphs[0] = copy.fill(self.words["dateline"]) + paragraphs[0]
        tails = self.words["tails"][self.half]
        tail = [tails[0], *(line for line in tails[1:] if self.own.random() < 0.5)]
        if self.own.random() < 0.3:
            tail.insert(0, copy.fill(self.words["credit"]))
        return SeriesStory(
            self._uri(), "distinct", kind, self.language, self.half, self.source, sent, headline,
            tuple(paragraphs), tuple(copy.fill(line) for line in tail),
        )  # fmt: skip

    def _repeat(self, story: SeriesStory) -> SeriesStory:
        """The same report again, in another dress."""
        sent = story.sent + timedelta(minutes=self.own.randint(1, 300))
        copy = Copy(self.words, self.own, story.sent, "NNA")
        paragraphs = list(story.paragraphs)
        line = Copy(self.words, self.own, story.sent, self.source).fill(self.words["dateline"])
        if (
            "(" in line
            and paragraphs[0].partition(" - ")[2]
            and story.kind in {"police", "obituary", "market", "brief"}
        ):
            paragraphs[0] = copy.fill(self.words["dateline"]) + paragraphs[0].partition(" - ")[2]
        dress = self.own.choice(("credit", "order", "cut", "source"))
        if dress == "order" and len(paragraphs) > 3:
            paragraphs[1], paragraphs[2] = paragraphs[2], paragraphs[1]
        if dress == "cut" and len(paragraphs) > 3:
            del paragraphs[-1]
        tail = (copy.fill(self.words["credit"]),) if dress == "credit" else ()
        return replace(
            story, uri=self._uri(), mark="repeat", sent=sent, of=story.uri, paragraphs=tuple(paragraphs), tail=tail,
            source=story.source if dress == "cut" else "NNA",
        )  # fmt: skip

    def _revise(self, story: SeriesStory) -> SeriesStory:
        """The same instalment with a sentence more."""
        sent = story.sent + timedelta(minutes=self.own.randint(5, 120))
        more = Copy(self.words, self.own, sent, self.source).fill("{news}")
        at = self.own.randint(1, len(story.paragraphs))
        paragraphs = (*story.paragraphs[:at], more, *story.paragraphs[at:])
        own_uri = self.own.random() < 0.5
        return replace(
            story, uri=self._uri() if own_uri else story.uri, version="1" if own_uri else "2", mark="version",
            sent=sent, of=story.uri, paragraphs=paragraphs,
        )  # fmt: skip


@dataclass
class Copy:
    """One story in the making: gaps with the same number get the same words."""

    words: dict[str, Any]
    own: random.Random
    sent: datetime
    agency: str
    chosen: dict[str, str] = field(default_factory=dict)

    def fill(self, template: str) -> str:
        """The template with words in its gaps."""
        template = SIGNS.sub(self._readings, template)
        while GAP.search(template):
            template = GAP.sub(lambda match: self._word(match[1]), template)
        return template

    def _readings(self, match: re.Match[str]) -> str:
        """Four signs of the zodiac with their readings, none like another."""
        words = self.words["words"]
        signs, hopes, deeds = (self.own.sample(words[part], 4) for part in ("sign", "hope", "deed"))
        return "\n".join(
            f"{sign}{match[1]}{words['advice'][0].replace('{hope}', hope).replace('{deed}', deed)}"
            for sign, hope, deed in zip(signs, hopes, deeds, strict=True)
        )

    def _word(self, gap: str) -> str:
        if "#" not in gap:
            return self._choose(gap)
        if gap.replace("^", "") not in self.chosen:
            self.chosen[gap.replace("^", "")] = self.fill(
                self._choose(gap.partition("#")[0].replace("^", ""))
            )
        word = self.chosen[gap.replace("^", "")]
        return word[:1].upper() + word[1:] if "^" in gap else word

    def _choose(self, name: str) -> str:
        if name.endswith("^"):
            word = self.fill(self._choose(name[:-1]))
            return word[:1].upper() + word[1:]
        if figure := FIGURE.fullmatch(name):
            return self._figure(figure[1], figure[2])
        if name == "name":
            return self._person()
        if name == "date":
            day, month = str(self.sent.day), self.words["months"][self.sent.month - 1]
            dated: str = self.words["date"].replace("{month}", month).replace("{day}", day)
            return dated
        fixed = {
            "weekday": self.words["weekdays"][self.sent.weekday()],
            "year": str(self.sent.year),
            "agency": self.agency,
        }
        if name in fixed:
            return str(fixed[name])
        word = self.own.choice(self.words["words"][name.lower()])
        return str(word.upper() if name.isupper() else word)

    def _figure(self, low: str, high: str) -> str:
        if "." in low:
            return f"{self.own.uniform(float(low), float(high)):.1f}".replace(".", self.words["decimal"])
        return str(self.own.randint(int(low), int(high)))

    def _person(self) -> str:
        given, family = (self.own.choice(self.words["words"][part]) for part in ("given", "family"))
        if self.is_family_first():
            return f"{family}{given}"
        return f"{given} {family}"

    def is_family_first(self) -> bool:
        """Whether the family's name comes first, without a blank."""
        return str(self.words["date"]).endswith("日")
