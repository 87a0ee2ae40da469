"""``wiredesk poll``: feeds into Kafka."""

from __future__ import annotations

from pathlib import Path

import click
from msgspec.structs import replace


@click.command("poll")
@click.option("--feeds", help="Feeds to poll: a .toml or .opml file. [default: the bundled list]")
@click.option("--config", type=click.Path(path_type=Path), help="A settings file (TOML).")
def command(feeds: str | None, config: Path | None) -> None:
    """Poll feeds and publish raw items to Kafka until SIGINT or SIGTERM.

    Start as many as you like with the same feed list: they share its feeds, all feeds of a host together, and when one
    dies the others go on where it was. What a feed has told (validators, entries seen, its rhythm) is kept in a topic.

    \b
    Examples:
      wiredesk poll --config fleet.toml
      wiredesk poll --feeds my.opml
    """
    from config.settings import load
    from streams.kafka.poll import poll_feeds
    from streams.kafka.service import run_forever

    settings = load(config)
    if feeds:
        settings = replace(settings, poll=replace(settings.poll, feeds=feeds))
    run_forever(settings, lambda stop: poll_feeds(settings, stop))
