"""Stories with marked places (``pins.txt``), and how many of them the tagger has right.

``python -m tests.processors.tag.marked_pins A`` prints the faults of a half.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot
from pathlib import Path

from config.settings import Settings
from processors.model.event import Event, Place
from processors.tag import Tagger
from tests.processors.tag.conftest import tag_copy

PINS = Path(__file__).with_name("pins.txt")
TOWN_DEGREES = 0.6  # of a town from its mark where it has no id


@dataclass(frozen=True, slots=True)
class Mark:
    """What a name of a story is."""

    name: str
    country: str | None  # None: no place, or no coordinates
    kind: str  # none, loc, country, town, region, unknown, any
    number: int | None = None
    where: tuple[float, float] | None = None
    degrees: float = TOWN_DEGREES


@dataclass(frozen=True, slots=True)
class MarkedStory:
    """A story and the marks of its names."""

    number: str
    half: str
    language: str
    text: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the tagger says of a mark."""

    story: MarkedStory
    mark: Mark
    says: str  # right, untold, country, place


def read_stories(half: str = "") -> Iterator[MarkedStory]:
    """The marked stories, of one half where one is given."""
    for block in PINS.read_text("utf-8").split("\n# ")[1:]:
        head, text, marks = block.strip().split("\n", 2)
        number, part, language = head.split()
        if half in ("", part):
            yield MarkedStory(
                number, part, language, text, tuple(map(_mark, marks.removeprefix("> ").split("; ")))
            )


def _mark(written: str) -> Mark:
    name, value = written.split("=")
    if value in {"none", "loc"}:
        return Mark(name, None, value)
    country, *rest = value.split()
    if rest in (["?"], ["*"]):
        return Mark(name, country, "unknown" if rest == ["?"] else "any")
    if len(rest) == 1:
        return Mark(name, country, "country", int(rest[0]))
    if rest[-1][0] == "r":
        return Mark(name, country, "region", None, (float(rest[0]), float(rest[1])), float(rest[2][1:]))
    number = int(rest.pop(0)) if len(rest) == 3 else None
    return Mark(name, country, "town", number, (float(rest[0]), float(rest[1])))


def judge(tagger: Tagger, stories: list[MarkedStory]) -> list[Outcome]:
    """What the tagger says of each mark of the stories."""
    events = tag_copy(tagger, ((story.text, story.language) for story in stories))
    return [
        Outcome(story, mark, _verdict(event, mark))
        for story, event in zip(stories, events, strict=True)
        for mark in story.marks
    ]


def _verdict(event: Event, mark: Mark) -> str:
    entities = [
        entity
        for entity in event.entities or ()
        if entity.label == "LOC"
        and mark.name.casefold() in {each.casefold() for each in (entity.name, *entity.aliases)}
    ]
    places = [entity.place for entity in entities if entity.place]
    if mark.kind == "none":
        return "country" if places else "right"
    if mark.kind == "loc":
        if any(place.latitude is not None for place in places):
            return "place"
        return "right" if entities else "untold"
    if not places:
        return "untold"
    verdicts = [_verdict_of_place(place, mark) for place in places]
    return next((each for each in ("country", "place", "untold") if each in verdicts), "right")


def _verdict_of_place(place: Place, mark: Mark) -> str:
    if place.country != mark.country:
        return "country"
    has_coordinates = place.latitude is not None and place.longitude is not None
    if mark.kind == "unknown":
        return "place" if has_coordinates else "right"
    if not has_coordinates:
        return "untold"
    if mark.kind == "any":
        return "right"
    if mark.number is not None:
        return "right" if place.geoname_id == mark.number else "place"
    latitude, longitude = mark.where or (0.0, 0.0)
    off = hypot((place.latitude or 0.0) - latitude, (place.longitude or 0.0) - longitude)
    return "right" if off <= mark.degrees else "place"


def main() -> None:
    """Print the faults of a half, and the counts."""
    outcomes = judge(Tagger(Settings().tag), list(read_stories(*sys.argv[1:2])))
    counts = Counter(outcome.says for outcome in outcomes)
    for outcome in outcomes if "--counts" not in sys.argv else ():
        if outcome.says != "right":
            mark = outcome.mark
            print(
                outcome.story.number, outcome.story.language, outcome.says, mark.name, mark.kind, mark.country
            )
    told = len(outcomes) - counts["untold"]
    print(
        dict(counts),
        f"country {1 - counts['country'] / told:.3f} place {1 - (counts['country'] + counts['place']) / told:.3f} of told, right of all {counts['right'] / len(outcomes):.3f}",
    )


if __name__ == "__main__":
    main()
