"""Copy as nobody should send it, through all steps: none at all, a megabyte in a paragraph, capitals, emoji.

Each is a story afterwards, with its text untouched and tags of what the tagger reads; a text four times as long takes
no step longer than its length tells.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest

from config.settings import Settings
from processors.model.event import Event, RawItem
from streams.steps import NewEvent, load_stage
from streams.topology import STEP_NAMES

SENTENCE = "Henrik Solberg met President Olena Marchuk in Oslo on Monday. "
COPY = {"sentences": SENTENCE, "capitals": SENTENCE.upper(), "emoji": "🚨👋🏽 "}
SHORT, TIMES_LONGER = 60_000, 4  # characters
MEGABYTE = 1_000_000
MAX_GROWTH = 12  # of the time of four times the text: three times what it tells, since others use the machine
NOISE_S = 0.2


@pytest.fixture(scope="module")
def stages() -> dict[str, Any]:
    settings = Settings()
    return {name: load_stage(name, settings) for name in STEP_NAMES}


def run_steps(stages: dict[str, Any], text: str, uri: str) -> tuple[Event, dict[str, float]]:
    """The story that comes out, and the CPU time of each step."""
    document = {
        "uri": uri,
        "version": "1",
        "language": "en",
        "versioncreated": "2026-01-22T15:00:00Z",
        "headlines": [{"role": "main", "value": "Ferry sinks"}],
        "bodies": [{"role": "main", "contentType": "text/plain", "value": text}],
    }
    values: Sequence[Any] = [RawItem(json.dumps(document).encode(), "2026-01-22T16:00:00Z", feed="hill")]
    seconds = {}
    for name, stage in stages.items():
        began = time.process_time()
        (outcome,) = stage(values)
        seconds[name] = time.process_time() - began
        assert not isinstance(outcome, Exception), (name, outcome)
        (new,) = outcome
        assert isinstance(new, NewEvent), (name, new)
        assert new.failed_rules == (), name
        values = [new.event]
    return values[0], seconds


def evidence_of(event: Event, step: str) -> dict[str, float]:
    assert event.provenance
    (trace,) = (trace for trace in event.provenance.steps if trace.name == step)
    return {feature.name: feature.value for feature in trace.evidence}


@pytest.mark.parametrize("text", ["", " \n\n "])
def test_a_story_without_text_is_one_with_its_headline(stages: dict[str, Any], text: str) -> None:
    event, _ = run_steps(stages, text, f"urn:test:none:{len(text)}")

    assert (event.headline, event.text) == ("Ferry sinks", "")
    assert (event.segments, event.dateline, event.quotes, event.damage) == ((), None, (), ())
    assert (event.mentions, event.dates) == ((), ())


@pytest.mark.parametrize("kind", COPY)
def test_each_step_takes_odd_copy_in_time_that_grows_as_its_length(stages: dict[str, Any], kind: str) -> None:
    short = COPY[kind] * (SHORT // len(COPY[kind]))
    _, before = run_steps(stages, short, f"urn:test:{kind}:short")
    event, after = run_steps(stages, short * TIMES_LONGER, f"urn:test:{kind}:long")

    assert event.text == (short * TIMES_LONGER).strip()
    assert [segment.kind for segment in event.segments or ()] == ["paragraph"]
    assert event.damage == ()
    slow = {
        name: (before[name], after[name])
        for name in before
        if after[name] > MAX_GROWTH * before[name] + NOISE_S
    }
    assert slow == {}


def test_names_and_dates_in_capitals_are_read(stages: dict[str, Any]) -> None:
    event, _ = run_steps(stages, SENTENCE.upper().strip(), "urn:test:capitals:one")

    assert "OSLO" in {mention.text for mention in event.mentions or ()}
    assert [date.value for date in event.dates or ()] == ["2026-01-19"]


def test_a_megabyte_in_a_paragraph_is_a_story_whose_tags_end_at_the_limit(stages: dict[str, Any]) -> None:
    text = SENTENCE * (MEGABYTE // len(SENTENCE))
    event, _ = run_steps(stages, text, "urn:test:megabyte")

    assert event.text == text.strip()
    assert [(segment.start, segment.end) for segment in event.segments or ()] == [(0, len(event.text))]
    limit = Settings().tag.max_chars
    assert max(mention.end for mention in event.mentions or ()) <= limit
    assert max(date.end for date in event.dates or ()) <= limit
    assert evidence_of(event, "tag")["unread_chars"] == len(event.text) - limit
