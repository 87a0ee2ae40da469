"""The topology is whole: what it says can be run, and what follows from it is as consumers know it."""

from __future__ import annotations

import pytest

from config.settings import Settings
from streams.steps import STAGE_LOADERS
from streams.topology import (
    CLUSTER_WINDOWS,
    CLUSTERED,
    DEAD_LETTERS,
    DUPLICATE,
    ENRICHED,
    GAPS,
    LINEAGE,
    RAW,
    ROUTE,
    ROUTED,
    SINK_READS,
    STATE_WINDOWS,
    STEP_NAMES,
    STEPS,
    TOPICS,
    WEBHOOKS,
    Topic,
    readers,
    retention_hours,
)


def test_every_step_has_a_loader_and_every_loader_a_step() -> None:
    assert set(STEP_NAMES) == set(STAGE_LOADERS)


def test_a_step_reads_what_came_in_or_an_earlier_step_wrote() -> None:
    there = set(STEPS[0].reads)
    for step in STEPS:
        assert set(step.reads) <= there
        there |= set(step.writes)


def test_sinks_read_what_no_step_reads_whole_events_first() -> None:
    assert SINK_READS == (ENRICHED, DUPLICATE)
    assert not any(readers(topic) for topic in SINK_READS)
    assert ROUTE.reads == (ENRICHED,)


def test_topics_are_those_that_fleets_have() -> None:
    assert [topic.name for topic in TOPICS] == [
        "wire.items.raw.v1",
        "wire.items.backfill.v1",
        "wire.stories.normalised.v1",
        "wire.stories.unique.v1",
        "wire.stories.duplicate.v1",
        "wire.stories.segmented.v1",
        "wire.stories.tagged.v1",
        "wire.stories.enriched.v1",
        "wire.state.deduplicate.v1",
        "wire.state.cluster.v1",
        "wire.webhooks.v1",
        "wire.feeds.gaps.v1",
    ]


def test_what_is_read_can_be_rejected_and_has_dead_letters() -> None:
    assert {f"{topic.name}.dlq" for topic in TOPICS if topic not in {LINEAGE, CLUSTERED, GAPS}} == {
        topic.name for topic in DEAD_LETTERS
    }
    assert all(topic.retention == "ever" for topic in DEAD_LETTERS)


@pytest.mark.parametrize(
    ("topic", "hours"),
    [
        (RAW, 5),
        (WEBHOOKS, 5),
        (LINEAGE, STATE_WINDOWS * 24),
        (CLUSTERED, CLUSTER_WINDOWS * 168),
        (RAW.dead_letters, None),
        (ROUTED, None),
    ],
)
def test_a_topic_keeps_its_records_for_its_time(topic: Topic, hours: int | None) -> None:
    settings = Settings()
    assert settings.deduplicate.window_hours * STATE_WINDOWS == retention_hours(LINEAGE, settings, 5)
    expected = STATE_WINDOWS * settings.deduplicate.window_hours if topic is LINEAGE else hours
    assert retention_hours(topic, settings, 5) == expected
