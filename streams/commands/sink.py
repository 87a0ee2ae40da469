"""``wiredesk sink``: enriched events from Kafka into an index."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from config.settings import Settings


@click.group("sink")
def command() -> None:
    """Write enriched events from Kafka to an index.

    \b
    Examples:
      wiredesk sink elasticsearch --config fleet.toml
    """


@command.command("elasticsearch")
@click.option("--config", type=click.Path(path_type=Path), help="A settings file (TOML).")
def elasticsearch(config: Path | None) -> None:
    """Write to Elasticsearch until SIGINT or SIGTERM; waits for a server that is down, and loses nothing.

    The index must be there (`wiredesk index create`). Offsets are committed once a bulk request is acknowledged.
    """
    from config.settings import load
    from streams.kafka.service import run_forever

    settings = load(config)
    run_forever(settings, lambda stop: _run(settings, stop))


async def _run(settings: Settings, stop: asyncio.Event) -> None:
    from sinks.elasticsearch import StoryBulk
    from streams.kafka.sink import Sink

    bulk = StoryBulk(settings.elasticsearch)
    try:
        await Sink("elasticsearch", bulk, settings).run(stop)
    finally:
        await bulk.close()
