"""A rule that fails costs its own tag: the story goes on, and the failure is told, counted and logged."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from config.settings import Settings, Tag
from processors import segment as segment_step
from processors import tag as tag_step
from processors.errors import Unreachable
from processors.model.codec import encode
from processors.model.event import Event, Feature, Language, Provenance
from processors.model.story import Story
from processors.rule_guard import RuleGuard
from streams.health import count_outcomes
from streams.messages import Record
from streams.steps import Work
from streams.topology import STEPS

TEXT = 'OSLO, March 3 (Wire) - "We met on Monday," President Olena Marchuk told Henrik Solberg in Bergen.'
GOOD = Event(Story("urn:x", version_created="2025-03-03T12:00:00Z"), text=TEXT, language=Language("en", 1.0),
             provenance=Provenance(format="text", received="2025-03-03T12:00:00Z"))  # fmt: skip


def fail(*_: Any, **__: Any) -> NoReturn:
    raise ValueError("a fault of ours, with words of the story")


@pytest.fixture(scope="module")
def segmented() -> Event:
    return segment_step.segment(GOOD, Settings().segment)


TAG_RULES = ["find_dates", "find_topics", "gather_entities", "mark_entities", "_resolve_quotes", "fill_story"]


@pytest.mark.parametrize("name", TAG_RULES)
def test_a_failing_rule_of_tag_costs_its_own_tag(
    name: str, segmented: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tag_step.Tagger(Tag()).tag([segmented])[0]
    monkeypatch.setattr(tag_step, name, fail)
    tagged = tag_step.Tagger(Tag()).tag_guarded([segmented])[0]
    assert [each.rule for each in tagged.failed_rules] == ["fail"]
    assert tagged.evidence == (Feature("failed_fail", 1.0),)
    assert "words" not in tagged.failed_rules[0].reason
    assert "ValueError in test_rule_guard.py" in tagged.failed_rules[0].reason
    if name != "find_dates":
        assert tagged.event.dates == whole.dates != ()
    if name != "gather_entities":
        assert [mention.text for mention in tagged.event.mentions or ()] == [
            mention.text for mention in whole.mentions or ()
        ]


def test_a_failing_rule_about_names_leaves_the_names_as_they_were(
    segmented: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tag_step, "RULES", (*tag_step.RULES[:3], fail, *tag_step.RULES[3:]))
    tagged = tag_step.Tagger(Tag()).tag_guarded([segmented])[0]
    assert len(tagged.failed_rules) == 1
    assert "Olena Marchuk" in [entity.name for entity in tagged.event.entities or ()]


@pytest.mark.parametrize("name", ["find_segments", "find_damage", "read_dateline", "find_quotes"])
def test_a_failing_rule_of_segment_costs_its_own_part(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_step, name, fail)
    guard = RuleGuard()
    event = segment_step.segment(GOOD, Settings().segment, guard)
    assert len(guard.failed) == 1
    assert event.segments
    assert (event.dateline is None) == (name in {"find_segments", "read_dateline"})
    assert bool(event.quotes) == (name != "find_quotes")


def test_a_failure_is_counted_and_logged_once_the_batch_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_step, "find_damage", fail)
    (step,) = (step for step in STEPS if step.name == "segment")
    outcomes = Work(step, Settings())([Record(step.reads[0].name, 0, 7, b"urn:x", encode(GOOD), 0)])
    before = REGISTRY.get_sample_value("wire_failed_rules_total", {"step": "segment", "rule": "fail"}) or 0.0
    with capture_logs() as lines:
        count_outcomes("segment", [outcome for outcome in outcomes if isinstance(outcome, tuple)])
    assert (
        REGISTRY.get_sample_value("wire_failed_rules_total", {"step": "segment", "rule": "fail"})
        == before + 1
    )
    (line,) = (line for line in lines if line["log_level"] == "error")
    assert (line["step"], line["rule"], line["log_level"]) == ("segment", "fail", "error")


@pytest.mark.parametrize("error", [MemoryError(), Unreachable("no answer")])
def test_what_is_no_fault_of_a_rule_is_raised(error: Exception) -> None:
    def rule() -> int:
        raise error

    with pytest.raises(type(error)):
        RuleGuard().run(rule, 0)
