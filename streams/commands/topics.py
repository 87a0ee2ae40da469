"""``wiredesk topics``: make the Kafka topics, and compare them with the settings."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from streams.commands.options import configure_kafka_logs, count_things, log_files, with_settings

if TYPE_CHECKING:
    from config.settings import Settings


@click.group("topics")
def command() -> None:
    """Create and check the Kafka topics.

    \b
    Examples:
      wiredesk topics create --config fleet.toml
      wiredesk topics check --config fleet.toml
      wiredesk topics grants --config fleet.toml
      wiredesk topics pass wire.items.raw.v1/1/4711 --config fleet.toml
    """


@command.command("create")
@with_settings()
def create_topics(settings: Settings) -> None:
    """Create the topics that are missing; what is there is left as it is.

    Partitions, replication and retention are settings (`[kafka]`). Waits for a broker that does not answer.

    \b
    Examples:
      wiredesk topics create --config fleet.toml
      WIREDESK_KAFKA_REPLICATION=3 wiredesk topics create
    """
    from streams.kafka import topics

    names = _ask_broker(topics.create_topics, settings)
    for name in names:
        click.echo(name)
    click.echo(f"{count_things(len(names), 'topic')} created" if names else "all topics are there", err=True)


@command.command("check")
@with_settings()
def check_topics(settings: Settings) -> None:
    """Show each difference between the topics and the settings, with the command that mends it.

    Exit status: 0 all is as it should be, 1 something differs.

    \b
    Examples:
      wiredesk topics check --config fleet.toml
    """
    from streams.kafka import topics

    differences = _ask_broker(topics.topic_differences, settings, waits=False)
    for line in differences:
        click.echo(line)
    sys.exit(1 if differences else 0)


@command.command("pass")
@click.argument("place", metavar="TOPIC/PARTITION/OFFSET")
@with_settings()
def pass_damage(place: str, settings: Settings) -> None:
    """Pass a batch that is damaged on the broker's disk, for which a partition waits.

    The log names its place. With it all before it is deleted from the partition; refused where a reader of this fleet has
    not read that yet, and where the place can be read. Is another replica of the partition whole? Let it lead instead.

    \b
    Examples:
      wiredesk topics pass wire.items.raw.v1/1/4711 --config fleet.toml
    """
    from streams.kafka import topics

    async def ask(settings: Settings) -> list[str]:
        return [await topics.pass_damage(settings, place)]

    for line in _ask_broker(ask, settings):
        click.echo(line)


@command.command("grants")
@with_settings()
def show_grants(settings: Settings) -> None:
    """Show the lines with Kafka's own tool that give each role of a fleet the rights that it needs, and no others.

    Each role logs in as a user of its own: <kafka.application>-poller, -worker, -sink, -routes, -webhooks and -desk.
    Nothing is asked of the broker; `topics create`, `dlq`, `backfill` and `replay` are the operator's own.

    \b
    Examples:
      wiredesk topics grants --config fleet.toml > grants.sh
    """
    from streams.kafka.grants import grant_commands

    for line in grant_commands(settings):
        click.echo(line)


def _ask_broker(
    question: Callable[[Settings], Awaitable[list[str]]], settings: Settings, *, waits: bool = True
) -> list[str]:
    """The broker's answer; one that is away is waited for, or refused with a line where the command only looks."""
    from streams.kafka.cluster import Cluster, check_broker, wait_for_broker

    async def ask() -> list[str]:
        await (wait_for_broker if waits else check_broker)(Cluster(settings.kafka))
        return await question(settings)

    configure_kafka_logs(settings)
    log_files(settings, "routes.file")
    return asyncio.run(ask())
