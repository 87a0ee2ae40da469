"""``wiredesk worker``: steps of the pipeline on Kafka."""

from __future__ import annotations

from pathlib import Path

import click

from streams.commands.steps import ALL_STEPS, names


@click.command("worker")
@click.option("--steps", default=ALL_STEPS, show_default=True, help="The steps to run here.")
@click.option("--config", type=click.Path(path_type=Path), help="A settings file (TOML).")
def command(steps: str, config: Path | None) -> None:
    """Run pipeline steps on Kafka until SIGINT or SIGTERM, then finish what is in hand.

    Start as many as you like: they share the partitions of the topics. One that is killed loses nothing, and nothing
    comes twice for readers at `read_committed`. The topics must be there (`wiredesk topics create`).

    \b
    Examples:
      wiredesk worker --config fleet.toml
      wiredesk worker --steps segment,tag         more hands for the slow steps
      WIREDESK_KAFKA_SERVERS=kafka:9092 wiredesk worker
    """
    from config.settings import load
    from streams.kafka.service import run_forever
    from streams.kafka.worker import work
    from streams.topology import STEPS

    wanted = names(steps)
    chosen = [step for step in STEPS if step.name in wanted]
    settings = load(config)
    run_forever(settings, lambda stop: work(settings, chosen, stop))
