"""``wiredesk run``: everything on this machine."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.commands.options import (
    DATA_OPTION,
    FEEDS_OPTION,
    PORT_OPTION,
    SOURCES_OPTION,
    SettingOption,
    log_files,
    with_settings,
)

if TYPE_CHECKING:
    from config.settings import Settings
    from streams.embedded.serve import Options


EVENTS_OPTION = SettingOption(
    "--events",
    "sinks.events.file",
    "Append each event to this file as a line, once it is committed. [default: sinks.events.file of the settings]",
    click.Path(dir_okay=False),
)


@click.command("run")
@with_settings(FEEDS_OPTION, SOURCES_OPTION, DATA_OPTION, PORT_OPTION, EVENTS_OPTION)
@click.option("--no-desk", is_flag=True, help="Without the web desk.")
@click.option(
    "--no-feeds",
    is_flag=True,
    help="Without polling feeds; sources, the drop folder and samples still come in.",
)
@click.option("--samples", is_flag=True, help="Also show the bundled sample stories.")
def command(
    settings: Settings,
    *,
    no_desk: bool,
    no_feeds: bool,
    samples: bool,
) -> None:
    """Poll, process and show stories on this machine until SIGINT or SIGTERM.

    Stories are deduplicated, segmented and tagged, and shown on http://127.0.0.1:8080. What is in flight at the end is
    finished; kill -9 loses nothing.

    \b
    Examples:
      wiredesk run --samples               with the bundled samples, online or not
      wiredesk run --feeds my.opml --data /var/lib/wiredesk
      wiredesk run --no-desk --events events.jsonl
    """
    from streams.embedded.serve import Options
    from streams.startup import configure_logs

    configure_logs(settings.log)
    log_files(
        settings,
        *([] if no_feeds else ["poll.feeds"]),
        "poll.sources",
        "tag.watchlists",
        "routes.file",
        "webhooks.file",
    )
    options = Options(Path(settings.embedded.data), not no_desk, not no_feeds, samples)
    asyncio.run(_serve_until_signal(settings, options))


async def _serve_until_signal(settings: Settings, options: Options) -> None:
    import structlog

    from streams.embedded.serve import serve

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the last until files are read again at it
        loop.add_signal_handler(name, stop.set)
    await serve(settings, options, stop)
    structlog.get_logger("wiredesk").info("wiredesk has stopped", data=str(options.data))
