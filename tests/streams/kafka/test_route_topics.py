"""Each role needs only its own topics; a rule without its topic is left out, and the others go on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config import Misconfigured
from config.settings import Routes, Settings
from sinks.routes.router import RouteRule
from streams.kafka.route_topics import RouteTopics
from streams.kafka.topics import (
    POLL_TOPICS,
    WEBHOOK_TOPICS,
    check_topics,
    create_topics,
    sink_topics,
    step_topics,
)
from streams.sinks import sink_steps
from streams.topology import ENRICHED, ROUTE, ROUTED, STEPS
from tests.conftest import KafkaForTest

pytestmark = pytest.mark.kafka

HARBOUR = RouteRule("harbour", {})
MUSEUM = RouteRule("museum", {})


async def test_a_role_starts_with_its_own_topics_alone_and_reads_no_rules_of_others(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    rules = tmp_path / "routes.toml"
    rules.write_text("[routes.museum]\nwords = [")  # somebody is at work on it
    settings = Settings(kafka=kafka.settings(partitions=1), routes=Routes(file=str(rules)))
    roles = [POLL_TOPICS, step_topics(STEPS), step_topics([ROUTE]), WEBHOOK_TOPICS]
    roles += [sink_topics(step) for step in sink_steps("kafka")]
    for needed in roles:
        await create_topics(settings, needed)
        await check_topics(settings, needed)
    rules.write_text('[routes.museum]\nwords = ["museum"]\n')
    with pytest.raises(Misconfigured, match=r"wire\.out\.museum\.v1 .*missing: wiredesk topics create"):
        await check_topics(settings)  # who asks for all of them is told


async def test_a_role_does_not_start_without_a_topic_of_its_own(kafka: KafkaForTest) -> None:
    settings = Settings(kafka=kafka.settings(partitions=1))
    needed = step_topics([ROUTE])
    assert ROUTED.name in needed
    assert ENRICHED.name in needed
    await create_topics(settings, needed - {ROUTED.name})
    with pytest.raises(Misconfigured, match=rf"{ROUTED.name} is missing: wiredesk topics create"):
        await check_topics(settings, needed)


async def test_a_rule_without_its_topic_is_told_once_and_taken_up_when_it_is_there(
    kafka: KafkaForTest,
) -> None:
    settings = Settings(kafka=kafka.settings(partitions=1))
    await create_topics(settings, {HARBOUR.topic}, [HARBOUR])
    in_force: list[tuple[RouteRule, ...]] = []
    topics = RouteTopics(settings, lambda rules: in_force.append(tuple(rules)))
    with capture_logs() as lines:
        await topics.use([HARBOUR, MUSEUM])
        await topics.use([HARBOUR, MUSEUM])
        await create_topics(settings, {MUSEUM.topic}, [MUSEUM])
        await topics.use([HARBOUR, MUSEUM])
    assert in_force == [(HARBOUR,), (HARBOUR, MUSEUM)]
    told = [line for line in lines if line["event"].startswith(("a rule is left out", "the topics of rules"))]
    assert [line.get("route") or line.get("routes") for line in told] == ["museum", ["museum"]]
    assert told[0]["topic"] == f"{settings.kafka.prefix}wire.out.museum.v1"


async def test_the_topic_of_a_rule_is_made_where_the_settings_say_so(kafka: KafkaForTest) -> None:
    settings = Settings(kafka=kafka.settings(partitions=1), routes=Routes(create_topics=True))
    in_force: list[Iterable[RouteRule]] = []
    await RouteTopics(settings, in_force.append).use([MUSEUM])
    assert in_force == [(MUSEUM,)]
    await check_topics(settings, {MUSEUM.topic})
