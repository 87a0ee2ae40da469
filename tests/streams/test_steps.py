"""Steps as functions: state that can't be read is told, and one bad input of a batch hurts no other."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from config.settings import Settings
from processors.deduplicate.words import split_words
from streams.steps import load_stage
from tests.processors.deduplicate.stories import event, report


def test_state_of_another_version_is_told_once() -> None:
    stage = load_stage("deduplicate", Settings())
    stage.restore(b"a record of another age")
    with capture_logs() as told:
        stage([event("a", report(1))])
        stage([event("b", report(2))])
    assert [(line["log_level"], line["records"]) for line in told] == [("warning", 1)]


def test_a_batch_is_decided_as_its_stories_one_by_one() -> None:
    events = [event(f"u{number}", report(number // 3), f"Ferry {number // 3} opens") for number in range(40)]
    together, alone = load_stage("deduplicate", Settings()), load_stage("deduplicate", Settings())
    assert together(events) == [alone([each])[0] for each in events]


def test_a_story_that_breaks_the_fingerprint_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(texts: list[str]) -> object:
        if any("poison" in text for text in texts):
            raise ArithmeticError("broken")
        return split_words(texts)

    monkeypatch.setattr("processors.deduplicate.fingerprint.split_words", breaking)
    stage = load_stage("deduplicate", Settings())
    outcomes = stage([event("a", report(1)), event("b", "poison"), event("c", report(3))])
    assert [isinstance(outcome, ArithmeticError) for outcome in outcomes] == [False, True, False]
