"""The alert, the bulletin and the story of one source within the hour are one chain, in any language; other news is not.

``python -m tests.processors.deduplicate.test_alerts [0|1]`` lists the faults of one half, or of both.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest
from msgspec.structs import replace

from config.settings import Deduplicate
from processors.deduplicate import Deduplicator
from processors.model.event import Event, Language, Lineage
from processors.model.story import InfoSource
from tests.processors.deduplicate.stories import event

Told = tuple[str, str]  # headline and text
STEPS = [
    (f"{language} {number}", [(head, text) for head, text in entry["chain"]], tuple(entry["other"]))
    for language, entries in tomllib.loads(Path(__file__).with_name("alerts.toml").read_text("utf-8")).items()
    for number, entry in enumerate(entries)
]


def send(name: str, number: int, told: Told, minutes: int) -> Event:
    headline, text = told
    made = event(f"urn:{number}", text, headline, hours=minutes / 60)
    made = replace(made, language=Language(name.partition(" ")[0], 1.0))
    return replace(made, story=replace(made.story, info_sources=(InfoSource(name="Nordpress"),)))


def find_faults(name: str, chain: list[Told], other: Told) -> list[str]:
    """The other news comes between the alert and its bulletin, and again after the story as news of its own."""
    told = [chain[0], other, *chain[1:]]
    events = [send(name, number, each, 9 * number) for number, each in enumerate(told)]
    made: list[Lineage] = [each.lineage for each in Deduplicator(Deduplicate()).decide_all(events)]
    faults = [
        f"{name} step {number}: {made[number].relation} of {made[number].of}"
        for number in range(2, len(made))
        if (made[number].story, made[number].relation) != ("urn:0", "update")
    ]
    if made[1].relation != "new":
        faults.append(f"{name} other: {made[1].relation} of {made[1].of}")
    return faults


@pytest.mark.parametrize(("name", "chain", "other"), STEPS)
def test_alert_bulletin_and_story_are_one_chain(name: str, chain: list[Told], other: Told) -> None:
    assert find_faults(name, chain, other) == []


if __name__ == "__main__":
    halves = [int(half) for half in sys.argv[1:]] or [0, 1]
    for number, step in enumerate(STEPS):
        if number % 2 in halves:
            print(step[0], find_faults(*step))
