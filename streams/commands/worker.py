"""``wiredesk worker``: steps of the pipeline on Kafka."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from streams.commands.options import ALL_STEPS, log_files, parse_steps, with_settings

if TYPE_CHECKING:
    from config.settings import Settings


@click.command("worker")
@click.option("--steps", default=ALL_STEPS, show_default=True, help="The steps to run here.")
@with_settings()
def command(settings: Settings, steps: str) -> None:
    """Run pipeline steps on Kafka until SIGINT or SIGTERM, then finish what is in hand.

    Start as many as you like: they share the partitions of the topics. One that is killed loses nothing, and nothing
    comes twice for readers at `read_committed`. The topics must be there (`wiredesk topics create`).

    \b
    Examples:
      wiredesk worker --config fleet.toml
      wiredesk worker --steps segment,tag         more hands for the slow steps
      WIREDESK_KAFKA_SERVERS=kafka:9092 wiredesk worker
    """
    from streams.kafka.service import run_forever
    from streams.kafka.worker import run_worker
    from streams.topology import STEPS

    names = parse_steps(steps)
    chosen = [step for step in STEPS if step.name in names]

    async def run(stop: asyncio.Event) -> None:
        log_files(settings, *(["tag.watchlists"] if "tag" in names else []))
        await run_worker(settings, chosen, stop)

    run_forever(settings, run)
