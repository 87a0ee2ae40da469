"""``wiredesk topics``: make the Kafka topics, and compare them with the settings."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

CONFIG = click.option("--config", type=click.Path(path_type=Path), help="A settings file (TOML).")


@click.group("topics")
def command() -> None:
    """Create and check the Kafka topics.

    \b
    Examples:
      wiredesk topics create --config fleet.toml
      wiredesk topics check --config fleet.toml
    """


@command.command("create")
@CONFIG
def create(config: Path | None) -> None:
    """Create the topics that are missing; what is there is left as it is.

    Partitions, replication and retention are settings (`[kafka]`). Waits for a broker that does not answer.

    \b
    Examples:
      wiredesk topics create --config fleet.toml
      WIREDESK_KAFKA_REPLICATION=3 wiredesk topics create
    """
    from config.settings import load
    from streams.kafka import topics
    from streams.kafka.cluster import Cluster, quieten, wait_for
    from streams.logs import configure

    settings = load(config)
    configure(settings.log)
    quieten()

    async def run() -> list[str]:
        await wait_for(Cluster(settings.kafka))
        return await topics.create(settings)

    made = asyncio.run(run())
    for name in made:
        click.echo(name)
    click.echo(f"{len(made)} topics created" if made else "all topics are there", err=True)


@command.command("check")
@CONFIG
def check(config: Path | None) -> None:
    """Tell each difference between the topics and the settings, with the command that mends it.

    Exit status: 0 all is as it should be, 1 something differs.

    \b
    Examples:
      wiredesk topics check --config fleet.toml
    """
    from config.settings import load
    from streams.kafka import topics
    from streams.kafka.cluster import Cluster, quieten, wait_for
    from streams.logs import configure

    settings = load(config)
    configure(settings.log)
    quieten()

    async def run() -> list[str]:
        await wait_for(Cluster(settings.kafka))
        return await topics.differences(settings)

    found = asyncio.run(run())
    for line in found:
        click.echo(line)
    sys.exit(1 if found else 0)
