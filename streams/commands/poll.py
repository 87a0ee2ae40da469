"""``wiredesk poll``: feeds into Kafka."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from streams.commands.options import FEEDS_OPTION, SOURCES_OPTION, log_files, with_settings

if TYPE_CHECKING:
    from config.settings import Settings


@click.command("poll")
@with_settings(FEEDS_OPTION, SOURCES_OPTION)
def command(settings: Settings) -> None:
    """Poll feeds, and the sources beside them, and publish raw items to Kafka until SIGINT or SIGTERM.

    Start as many as you like with the same lists: they share the feeds, all feeds of a host together, and when one
    dies the others go on where it was. What is known of a feed (validators, entries seen, its rhythm) is kept in a topic.

    \b
    Examples:
      wiredesk poll --config fleet.toml
      wiredesk poll --feeds my.opml
    """
    from streams.kafka.poll import poll_feeds
    from streams.kafka.service import run_forever

    async def run(stop: asyncio.Event) -> None:
        log_files(settings, "poll.feeds", "poll.sources")
        await poll_feeds(settings, stop)

    run_forever(settings, run)
