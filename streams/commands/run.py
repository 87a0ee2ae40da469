"""``wiredesk run``: everything on this machine."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

if TYPE_CHECKING:
    from config.settings import Settings
    from streams.embedded.serve import Options


@click.command("run")
@click.option("--config", type=click.Path(path_type=Path), help="A settings file (TOML).")
@click.option("--feeds", help="Feeds to poll: a .toml or .opml file. [default: the bundled list]")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the log and the index are kept. [default: data]",
)
@click.option("--port", type=click.IntRange(0, 65535), help="The desk's port. [default: 8080]")
@click.option("--no-desk", is_flag=True, help="Without the web desk.")
@click.option("--no-feeds", is_flag=True, help="Without polling; the drop folder and samples still come in.")
@click.option("--samples", is_flag=True, help="Also show the bundled sample stories.")
@click.option(
    "--events",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append each event to this file as a line, once it is committed.",
)
def command(
    config: Path | None,
    feeds: str | None,
    data: Path | None,
    port: int | None,
    no_desk: bool,
    no_feeds: bool,
    samples: bool,
    events: Path | None,
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
    from config.settings import load
    from streams.embedded.serve import Options
    from streams.logs import configure

    settings = _told(load(config), feeds, data, port)
    configure(settings.log)
    folder = Path(settings.embedded.data)
    asyncio.run(_until_signal(settings, Options(folder, events, not no_desk, not no_feeds, samples)))


async def _until_signal(settings: Settings, options: Options) -> None:
    from streams.embedded.serve import serve

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await serve(settings, options, stop)


def _told(settings: Settings, feeds: str | None, data: Path | None, port: int | None) -> Settings:
    """The settings under what the command line says."""
    if feeds:
        settings = replace(settings, poll=replace(settings.poll, feeds=feeds))
    if data:
        settings = replace(settings, embedded=replace(settings.embedded, data=str(data)))
    if port is not None:
        settings = replace(settings, desk=replace(settings.desk, port=port))
    return settings
