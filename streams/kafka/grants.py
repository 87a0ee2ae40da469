"""Which rights on the broker each part of a fleet needs, and no others: one user a role.

The poller reads hostile bytes: whoever takes it over must not be able to write finished events, move offsets of the
workers, or fence them. What a role reads and writes follows from the topology.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from config.settings import Settings
from sinks.routes.router import route_topic
from streams.kafka.cluster import Cluster
from streams.sinks import sink_steps
from streams.topology import (
    BACKFILL,
    CRASH_COUNTS,
    FEED_STATES,
    GAPS,
    RAW,
    ROUTE,
    STEPS,
    WEBHOOKS,
    CompactedTopic,
    Step,
    Topic,
)

BrokerOperation = Literal["Read", "Write", "Delete", "Describe", "DescribeConfigs"]
READ_OPERATIONS: Final[tuple[BrokerOperation, ...]] = ("Read", "Describe")
WRITE_OPERATIONS: Final[tuple[BrokerOperation, ...]] = ("Write", "Describe")
ROUTED_PREFIX: Final = route_topic("*").partition("*")[0]  # of the topics of all routes


@dataclass(frozen=True, slots=True)
class Grant:
    """Operations that a role may do on one topic, group or transactional id, or on all whose names begin so."""

    role: str
    kind: Literal["topic", "group", "transactional-id"]
    name: str
    operations: tuple[BrokerOperation, ...]
    is_prefix: bool = False


def role_grants(settings: Settings) -> list[Grant]:
    """The rights of every role, in the order of the pipeline."""
    cluster = Cluster(settings.kafka)
    return [
        *_poller_grants(cluster),
        *_step_grants(cluster, "worker", STEPS, cluster.group),
        *_step_grants(cluster, "routes", (ROUTE,), cluster.group_of("routes")),
        Grant("routes", "topic", cluster.topic(ROUTED_PREFIX), WRITE_OPERATIONS, is_prefix=True),
        *_sink_grants(cluster),
        *_webhook_grants(cluster),
        *(_topic_grant(cluster, "desk", topic, READ_OPERATIONS) for topic in (FEED_STATES, RAW, BACKFILL)),
        *(_all_topics(cluster, role) for role in ("poller", "worker", "routes", "sink", "webhooks", "desk")),
    ]


def user_name(settings: Settings, role: str) -> str:
    """The user of a role: ``wiredesk-poller``."""
    return f"{settings.kafka.application}-{role}"


def grant_commands(settings: Settings) -> list[str]:
    """The lines with Kafka's own tool that give all roles their rights; ``admin.properties`` is the operator's login."""
    alike: dict[tuple[object, ...], list[Grant]] = {}
    for grant in role_grants(settings):
        alike.setdefault((grant.role, grant.kind, grant.operations, grant.is_prefix), []).append(grant)
    return [_grant_command(settings, grants) for grants in alike.values()]


def _grant_command(settings: Settings, grants: Sequence[Grant]) -> str:
    """The line for grants that differ in their names only: each is a start of a Java machine."""
    first = grants[0]
    operations = " ".join(f"--operation {operation}" for operation in first.operations)
    names = dict.fromkeys(f"--{grant.kind} {shlex.quote(grant.name)}" for grant in grants)
    return (
        f"kafka-acls.sh --bootstrap-server {settings.kafka.servers} --command-config admin.properties --force --add"
        f" --allow-principal User:{user_name(settings, first.role)} {operations} {' '.join(names)}"
        f" --resource-pattern-type {'prefixed' if first.is_prefix else 'literal'}"
    )


def _poller_grants(cluster: Cluster) -> Iterator[Grant]:
    for topic in (RAW, RAW.dead_letters, GAPS):
        yield _topic_grant(cluster, "poller", topic, WRITE_OPERATIONS)
    yield _topic_grant(cluster, "poller", FEED_STATES, ("Read", "Write", "Describe"))
    yield Grant("poller", "group", cluster.group_of("poll"), READ_OPERATIONS)
    yield Grant(
        "poller", "transactional-id", cluster.transactional_id("poll", ""), WRITE_OPERATIONS, is_prefix=True
    )


def _step_grants(cluster: Cluster, role: str, steps: tuple[Step, ...], group: str) -> Iterator[Grant]:
    """What a worker needs for steps: their inputs, outputs, dead letters and states, and the counts of crashes."""
    reads = dict.fromkeys(topic for step in steps for topic in step.reads)
    writes = dict.fromkeys(topic for step in steps for topic in step.writes)
    for topic in reads:
        yield _topic_grant(cluster, role, topic, READ_OPERATIONS)
        yield _topic_grant(cluster, role, topic.dead_letters, WRITE_OPERATIONS)
    for topic in writes:
        yield _topic_grant(cluster, role, topic, WRITE_OPERATIONS)
    states: list[Topic | CompactedTopic] = [step.state for step in steps if step.state]
    for state in (*states, CRASH_COUNTS):
        yield _topic_grant(cluster, role, state, ("Read", "Write", "Describe"))
    yield Grant(role, "group", group, READ_OPERATIONS)
    for step in steps:
        yield Grant(role, "transactional-id", f"{group}-{step.name}-", WRITE_OPERATIONS, is_prefix=True)


def _sink_grants(cluster: Cluster) -> Iterator[Grant]:
    for step in sink_steps("kafka"):
        for topic in step.reads:
            yield _topic_grant(cluster, "sink", topic, READ_OPERATIONS)
            yield _topic_grant(cluster, "sink", topic.dead_letters, WRITE_OPERATIONS)
        yield Grant("sink", "group", cluster.group_of(step.name), READ_OPERATIONS)
        if step.held:
            yield _topic_grant(cluster, "sink", step.held, ("Read", "Write", "Describe", "Delete"))
            yield Grant("sink", "group", cluster.group_of(f"{step.name}-held"), READ_OPERATIONS)


def _webhook_grants(cluster: Cluster) -> Iterator[Grant]:
    yield Grant("webhooks", "topic", cluster.topic(ROUTED_PREFIX), READ_OPERATIONS, is_prefix=True)
    yield _topic_grant(cluster, "webhooks", WEBHOOKS, READ_OPERATIONS)
    yield _topic_grant(cluster, "webhooks", WEBHOOKS.dead_letters, WRITE_OPERATIONS)
    yield Grant("webhooks", "group", cluster.group_of("webhook-"), READ_OPERATIONS, is_prefix=True)


def _all_topics(cluster: Cluster, role: str) -> Grant:
    """Every part looks at its start whether all topics are there and set as they must be, and asks for their ends."""
    return Grant(role, "topic", cluster.topic("wire."), ("Describe", "DescribeConfigs"), is_prefix=True)


def _topic_grant(
    cluster: Cluster, role: str, topic: Topic | CompactedTopic, operations: tuple[BrokerOperation, ...]
) -> Grant:
    return Grant(role, "topic", cluster.topic(topic.name), operations)
