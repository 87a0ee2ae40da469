"""The sentences that a source repeats are learned from the stream, and belong to none of its stories."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from config.settings import Deduplicate
from processors.deduplicate import Deduplicator, StoryDecision
from processors.deduplicate.standing import read_report
from processors.deduplicate.standing_lines import (
    MAX_SOURCE_SENTENCES,
    MAX_SOURCES,
    StandingLines,
    hash_headline,
)
from processors.model.event import Event
from processors.model.story import InfoSource
from tests.processors.deduplicate.stories import event, report

TAIL = (
    "Our newsroom works for readers like you, whose gifts pay for the ferries that bring us to the islands. "
    "Whoever gives ten crowns a month gets our calendar of tides, and a cup with the lighthouse on it."
)
OPENING = "This is the morning letter of the harbour desk, written by hand and sent to all who asked for it in the autumn."
WORDS = [
    "ferry",
    "harbour",
    "council",
    "bridge",
    "mayor",
    "orchard",
    "tunnel",
    "clinic",
    "glacier",
    "canal",
    "library",
    "quarry",
    "bakery",
    "theatre",
]


def title(number: int) -> str:
    own = random.Random(number)  # noqa: S311 -- an example, not a secret
    return " ".join(own.choice(WORDS) + str(own.randrange(99)) for _ in range(5))


def story(
    number: int, text: str, headline: str | None = None, source: str = "Nordpress", hours: float | None = None
) -> Event:
    """A story of a source, six minutes after the one before."""
    hours = number / 10 if hours is None else hours
    made = event(f"urn:{number}", text, title(number) if headline is None else headline, hours=hours)
    return replace(made, story=replace(made.story, info_sources=(InfoSource(name=source),)))


def decide(events: list[Event], size: int = 64) -> list[StoryDecision]:
    window = Deduplicator(Deduplicate())
    return [
        decision
        for start in range(0, len(events), size)
        for decision in window.decide_all(events[start : start + size])
    ]


def relations(events: list[Event]) -> list[str]:
    return [decision.lineage.relation for decision in decide(events)]


def series(count: int) -> list[Event]:
    """Briefs with one tail, digests in one frame, copies and later versions of some."""
    own = random.Random(count)  # noqa: S311 -- an example, not a secret
    events: list[Event] = []
    for number in range(count):
        brief = own.random() < 0.5
        text = f"{report(number, 1)}\n\n{TAIL}" if brief else f"{OPENING}\n\n{report(number, 3)}\n\n{TAIL}"
        if events and own.random() < 0.2:
            former = own.choice(events[-9:])
            text, headline = former.text + own.choice(["", f"\n\n{report(-number, 1)}"]), former.headline
        else:
            headline = title(number) if brief else "The morning letter"
        events.append(story(number, text, headline, own.choice(["Nordpress", "Sundpost"])))
    return events


def test_stories_with_one_tail_stay_apart_from_the_third_on() -> None:
    made = relations([story(number, f"{report(number, 1)}\n\n{TAIL}") for number in range(500)])
    assert "duplicate" not in made
    assert made[2:] == ["new"] * 498


def test_the_tail_of_ten_thousand_stories_costs_none_of_them_a_word() -> None:
    lines = StandingLines()
    for number in range(10_000):
        words = f"Boat {number} left quay {number % 97} with {number % 89} barrels of herring on board."
        made = read_report(story(number, f"{words}\n\n{TAIL}"), lines)
        lines.learn(made.occasion)
        if number >= 2:
            assert made.text == words
    assert len(lines) < 10


def test_stories_that_share_their_first_paragraph_stay_apart() -> None:
    made = relations([story(number, f"{OPENING}\n\n{report(number, 2)}") for number in range(60)])
    assert "duplicate" not in made
    assert made[2:] == ["new"] * 58


def test_instalments_under_one_headline_stay_apart_once_their_frame_is_known() -> None:
    digests = [
        story(number, f"{OPENING}\n\n{report(number, 4)}\n\n{TAIL}", "The morning letter", hours=24 * number)
        for number in range(12)
    ]
    made = decide(digests)
    assert [decision.lineage.relation for decision in made[3:]] == ["new"] * 9


def test_of_stories_that_are_all_boilerplate_no_headline_is_lost() -> None:
    made = relations([story(number, TAIL) for number in range(40)])
    assert "duplicate" not in made
    assert made[-20:] == ["new"] * 20


def test_a_copy_is_found_whatever_its_source_repeats() -> None:
    former = [story(number, f"{report(number, 2)}\n\n{TAIL}") for number in range(9)]
    copies = [
        story(20, f"{former[1].text}", former[1].headline),
        story(21, former[8].text.replace(TAIL, ""), former[8].headline, source="Sundpost"),
        story(22, former[0].text, former[0].headline, source="Sundpost"),
    ]
    made = decide([*former, *copies])[-3:]
    assert [(decision.lineage.relation, decision.lineage.of) for decision in made] == [
        ("duplicate", "urn:1"),
        ("duplicate", "urn:8"),
        ("duplicate", "urn:0"),
    ]


def test_leads_over_one_background_stay_one_story() -> None:
    background = report(5, 6)
    leads = [
        story(number, f"{report(100 + number, 2)}\n\n{background}", f"Velm bridge vote: act {number}")
        for number in range(7)
    ]
    assert [decision.lineage.story for decision in decide(leads)] == ["urn:0"] * 7


@pytest.mark.parametrize("moment", [3, 64, 150])
def test_what_was_learned_is_restored(moment: int) -> None:
    events = series(200)
    made = decide(events)
    assert {"new", "duplicate", "update"} <= {decision.lineage.relation for decision in made}
    window = Deduplicator(Deduplicate())
    for decision in made[:moment]:
        window.restore(decision.memory)
    assert [window.decide(each) for each in events[moment:]] == made[moment:]


@pytest.mark.parametrize("size", [1, 7, 200])
def test_what_is_learned_does_not_depend_on_how_many_come_together(size: int) -> None:
    events = series(200)
    assert decide(events, size) == decide(events)


def test_a_stranger_teaches_nothing_of_others_and_only_so_much() -> None:
    lines = StandingLines()
    own = [TAIL, report(1, 1)]
    for number in range(6):
        lines.learn(lines.read_occasion("Nordpress", number, title(number), own)[0])
    for number in range(3 * MAX_SOURCE_SENTENCES):
        for again in range(3):
            flood = [TAIL, f"Sentence {number} of a stranger."]
            lines.learn(lines.read_occasion("Stranger", again, title(number * 3 + again), flood)[0])
    assert len(lines) <= MAX_SOURCE_SENTENCES + len(own)
    assert lines.read_occasion("Nordpress", 9, "Another headline", own)[1] == [True, True]
    assert not any(lines.read_occasion("Sundpost", 9, "Another headline", own)[1])


def test_sources_are_bounded_in_number() -> None:
    lines = StandingLines()
    for number in range(MAX_SOURCES + 50):
        for again in range(3):
            lines.learn(lines.read_occasion(f"Stranger {number}", again, title(again), [TAIL])[0])
    assert len(lines) == MAX_SOURCES


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Ferry stays in port", "Ferry stays in port for the night", True),
        ("Ferry stays in port", "Council sells its lighthouse", False),
        ("港湾審議会が有料橋を承認", "港湾審議会が有料橋の計画を承認", True),
        ("港湾審議会が有料橋を承認", "地方裁判所は予算案の却下へ", False),
    ],
)
def test_headlines_are_alike_by_their_words(one: str, other: str, alike: bool) -> None:
    shared = (hash_headline(one) & hash_headline(other)).bit_count()
    assert (shared >= hash_headline(one).bit_count() / 2) == alike
