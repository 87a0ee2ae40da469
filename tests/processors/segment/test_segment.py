"""The step: an event in, the event with its segments, dateline, quotations and damage out."""

from __future__ import annotations

from msgspec.structs import replace

from config.settings import SegmentSettings
from processors.model.event import Damage, Event, Language, Provenance
from processors.model.story import Story
from processors.segment import segment

TEXT = (
    "Ferry opens in Ashmere\n\nASHMERE, Ohio, Jan 29 (EFE).- The mayor of Ashmere opened a ferry on Wednesday.\n\n"
    "The boat has important s, according to the town hall, and seats forty people. EFE\n\nabc-de"
)


def event(text: str = TEXT) -> Event:
    return Event(
        Story("urn:x", version_created="2025-01-29T12:00:00Z"),
        text=text,
        language=Language("en", 1.0),
        damage=(Damage(len(text), len(text), "truncated"),),
        provenance=Provenance("2026-11-22T18:00:00Z", "plain-text"),
    )


def test_everything_that_the_step_adds() -> None:
    made = segment(event(), SegmentSettings())
    assert made.headline == "Ferry opens in Ashmere"
    assert [s.kind for s in made.segments or ()] == [
        "headline", "dateline", "paragraph", "paragraph", "signoff", "initials",
    ]  # fmt: skip
    assert made.dateline is not None
    assert (made.dateline.date, made.dateline.agency) == ("2025-01-29", "EFE")
    assert [d.kind for d in made.damage or ()] == ["missing-words", "truncated"]


def test_damage_that_normalise_told_is_not_told_twice() -> None:
    once = segment(event(), SegmentSettings())
    assert segment(once, SegmentSettings()) == once


def test_an_empty_text_has_no_parts() -> None:
    made = segment(event(""), SegmentSettings())
    assert (made.segments, made.dateline, made.quotes) == ((), None, ())


def test_a_text_beyond_the_limit_is_one_paragraph() -> None:
    made = segment(replace(event(f"  {TEXT}\n"), damage=()), SegmentSettings(max_chars=20))
    assert [(s.start, s.end, s.kind) for s in made.segments or ()] == [(2, len(TEXT) + 2, "paragraph")]
