"""A consumer whose records wait and whose offset stands still is named, with a reason; records and letters count."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from processors.errors import Bug, Empty, Malformed
from processors.model.codec import encode
from processors.model.event import ClusterStanding, Event, Feature, Lineage, Provenance, StepTrace
from processors.model.story import Story
from streams.health import (
    STUCK_AFTER_S,
    ProgressWatch,
    count_outcomes,
    publish_lag,
    publish_window,
)
from streams.messages import Message, Record, dead_letter


def watch_at(*observed: tuple[float, int, int]) -> ProgressWatch:
    """A watch that saw one consumer at times, offsets and lags."""
    watch = ProgressWatch()
    for now, offset, records in observed:
        watch.observe("tag", offset=offset, records=records, now=now)
    return watch


@pytest.mark.parametrize(("seconds", "stuck"), [(STUCK_AFTER_S - 0.1, False), (STUCK_AFTER_S, True)])
def test_a_consumer_that_passes_nothing_for_long_is_stuck(seconds: float, stuck: bool) -> None:
    watch = watch_at((0, 7, 3))
    assert bool(watch.describe_stuck(seconds)) == stuck


def test_the_line_says_who_waits_with_how_many_records_for_how_long() -> None:
    line = watch_at((0, 7, 3), (100, 7, 64)).describe_stuck(200)
    assert line == "tag has passed none of 64 waiting records for 200 s; see the log"


def test_a_consumer_that_passes_anything_is_not_stuck_however_much_waits() -> None:
    watch = watch_at((0, 7, 3), (100, 8, 10_000))
    assert watch.describe_stuck(219) is None
    assert watch.describe_stuck(221)


def test_nothing_that_waits_is_nothing_stuck_and_the_time_begins_with_the_first_record() -> None:
    watch = watch_at((0, 7, 0), (1000, 7, 0))
    assert watch.describe_stuck(1000) is None
    watch.observe("tag", offset=7, records=1, now=1001)
    assert watch.describe_stuck(1001 + STUCK_AFTER_S - 2) is None


def test_a_reason_that_a_consumer_knows_is_told_at_once() -> None:
    watch = ProgressWatch()
    watch.observe("index", offset=0, records=1, now=0, reason="no answer")
    assert watch.describe_stuck(0) == "index waits: no answer"
    watch.observe("index", offset=1, records=0, now=1)
    assert watch.describe_stuck(1) is None


def test_each_that_is_stuck_is_told() -> None:
    watch = ProgressWatch()
    for name in ("segment", "tag"):
        watch.observe(name, offset=0, records=1, now=0)
    assert (watch.describe_stuck(500) or "").count("has passed none") == 2


RECORD = Record("wire.items.raw.v1", 0, 0, b"bbc", b"x", 0)
MADE = Message("wire.stories.normalised.v1", b"en", b"{}", 0)


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"step": "a test", **labels}) or 0.0


def test_a_record_counts_once_and_its_dead_letters_each() -> None:
    letters = (dead_letter(RECORD, "a test", Empty("")), dead_letter(RECORD, "a test", Malformed("")))
    bug = (dead_letter(RECORD, "a test", Bug("ours"), 3),)
    count_outcomes("a test", [(MADE, MADE), (), (MADE, *letters), letters[:1], bug])
    assert figure("wire_records_total", outcome="made") == 2
    assert figure("wire_records_total", outcome="rejected") == 2
    assert figure("wire_dead_letters_total", type="Empty") == 2
    assert figure("wire_dead_letters_total", type="Malformed") == 1
    assert figure("wire_records_total", outcome="bug") == figure("wire_dead_letters_total", type="Bug") == 1


def count_of_kills(outcome: str) -> float:
    return REGISTRY.get_sample_value("wire_kills_total", {"outcome": outcome}) or 0.0


def test_kills_are_counted_by_whether_they_reach_a_story() -> None:
    before = count_of_kills("reached"), count_of_kills("unreached")
    events = [
        Event(Story("urn:a"), text='"relation":"kill"', lineage=Lineage("urn:a", "new")),
        Event(Story("urn:k"), lineage=Lineage("urn:a", "kill", "urn:a", None, 2)),
        Event(Story("urn:l"), lineage=Lineage("urn:l", "kill")),
        Event(Story("urn:m"), lineage=Lineage("urn:m", "kill")),
    ]
    outcomes = [(Message("wire.stories.unique.v1", b"", encode(event), 0),) for event in events]
    count_outcomes("deduplicate", outcomes)
    count_outcomes("segment", outcomes)
    assert (count_of_kills("reached"), count_of_kills("unreached")) == (before[0] + 1, before[1] + 2)


def count_of_claims(relation: str) -> float:
    return REGISTRY.get_sample_value("wire_foreign_claims_total", {"relation": relation}) or 0.0


def test_claims_of_another_sources_story_are_counted_but_for_copies() -> None:
    before = count_of_claims("kill"), count_of_claims("duplicate")
    step = StepTrace("deduplicate", "4", (Feature("other-source", 1.0),))
    provenance = Provenance("2026-03-02T12:00:00Z", "ninjs", "hill", steps=(step,))
    events = [
        Event(Story("urn:a"), lineage=Lineage("urn:a", "kill"), provenance=provenance),
        Event(Story("urn:b"), lineage=Lineage("urn:a", "duplicate", "urn:a"), provenance=provenance),
        Event(Story("urn:c"), lineage=Lineage("urn:c", "kill")),
    ]
    count_outcomes(
        "deduplicate", [(Message("wire.stories.unique.v1", b"", encode(event), 0),) for event in events]
    )
    assert (count_of_claims("kill"), count_of_claims("duplicate")) == (before[0] + 1, before[1])


def joins(outcome: str) -> float:
    return REGISTRY.get_sample_value("wire_clustered_stories_total", {"outcome": outcome}) or 0.0


def test_stories_are_counted_by_whether_they_begin_a_cluster() -> None:
    before = joins("first"), joins("joined")
    standings = [ClusterStanding('urn:"a"', n, 1, ("en",), "2026-03-02T12:00:00Z") for n in (1, 2, 13)]
    events = [
        Event(Story("urn:a"), text='"cluster":{"id":"urn:x","sequence":1', cluster=s) for s in standings
    ]
    outcomes = [(Message("wire.stories.enriched.v1", b"", encode(event), 0),) for event in events]
    count_outcomes("cluster", outcomes)
    count_outcomes("tag", outcomes)
    assert (joins("first"), joins("joined")) == (before[0] + 1, before[1] + 2)


def test_what_steps_remember_is_shown_and_what_they_do_not_is_not() -> None:
    publish_window("a test", {"stories": 7, "clusters": 3})
    publish_window("another test", {})
    assert figure("wire_window_stories") == 7
    assert REGISTRY.get_sample_value("wire_clusters") == 3
    assert REGISTRY.get_sample_value("wire_window_stories", {"step": "another test"}) is None


def test_a_lag_that_nobody_knows_is_absent_and_not_the_last_one() -> None:
    publish_lag("a test", 12, 3.5)
    assert (figure("wire_lag_records"), figure("wire_oldest_unprocessed_age_seconds")) == (12, 3.5)
    publish_lag("a test", None, None)
    for name in ("wire_lag_records", "wire_oldest_unprocessed_age_seconds"):
        assert REGISTRY.get_sample_value(name, {"step": "a test"}) is None
    publish_lag("a test", None, None)


def test_a_batch_is_one_line_and_each_of_its_records_one_at_debug() -> None:
    headers = (("ce_subject", b"urn:a"), ("traceparent", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"))
    made = Message("wire.stories.normalised.v1", b"en", b"{}", 0, headers)
    with capture_logs() as lines:
        count_outcomes("a test", [(made,), (made, made), (dead_letter(RECORD, "a test", Empty("")),)])
    (batch,) = [line for line in lines if line["log_level"] == "info"]
    assert (batch["step"], batch["records"], batch["made"], batch["rejected"]) == ("a test", 3, 2, 1)
    followed = [line for line in lines if line["log_level"] == "debug"]
    assert [(line["uri"], line["trace"]) for line in followed[:3]] == [("urn:a", "a" * 32)] * 3
