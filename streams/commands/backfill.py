"""``wiredesk backfill``: old news from files, behind live traffic and without alerts."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from streams.commands import times
from streams.commands.formats import format_option

if TYPE_CHECKING:
    from config.settings import Settings
    from processors.errors import Rejected
    from processors.model.event import RawItem
    from streams.backfill import Archive, Sent

TELL_S = 5.0  # between two lines of progress
ASK_S = 0.5


@click.command("backfill")
@click.argument("paths", nargs=-1, required=True, metavar="(PATH | -)...", type=click.Path(allow_dash=True))
@click.option("--kafka", is_flag=True, help="Into the Kafka runtime's topic. [default: the embedded log]")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="The embedded log's folder. [default: data]",
)
@click.option(
    "--feed",
    default="backfill",
    show_default=True,
    help="The feed's id; one of the feed list gives its language and zone too.",
)
@format_option
@click.option(
    "--received",
    metavar="TIMESTAMP",
    help="RFC 3339 time at which the items came. [default: when a file was changed]",
)
@click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Remember here what was sent; with the same file, a run that was cut off goes on.",
)
@click.option("--wait", is_flag=True, help="Return once the pipeline has taken all items.")
@click.option("--config", type=click.Path(path_type=Path), help="A settings file (TOML).")
def command(
    paths: tuple[str, ...],
    *,
    kafka: bool,
    data: Path | None,
    feed: str,
    format_: str | None,
    received: str | None,
    journal: Path | None,
    wait: bool,
    config: Path | None,
) -> None:
    """Send files of old news through the pipeline: indexed like all others, but told to nobody as news.

    Files, folders and `-` hold what `wiredesk process` reads: `-` and *.jsonl one ninjs item a line, any other file
    one document. Live items go first: the pipeline takes old ones while it has nothing else to do. A story that came
    before, by its uri and version, changes nothing, so a run may be repeated. Exit status: 0 all was sent, 1 some
    items were rejected, 2 bad usage.

    \b
    Examples:
      wiredesk backfill archive/2024/ --journal 2024.journal
      wiredesk backfill --kafka --config fleet.toml --feed efe --wait dispatches/*.txt
      zcat items.jsonl.gz | wiredesk backfill -
    """
    from config.settings import load
    from streams.backfill import Backfill, Journal, sources

    settings = load(config)
    for path in paths:
        if path != "-" and not Path(path).exists():
            raise click.BadParameter(f"{path}: no such file or folder", param_hint="PATH")
    chosen = sources(paths, int(time.time() * 1000), times.moment("--received", received))
    archive = _archive(settings, data, kafka)
    try:
        work = Backfill(
            archive,
            _template(settings, feed, format_),
            Journal(journal),
            settings.normalise.max_item_bytes,
            _refused,
        )
        told = time.monotonic()
        for sent in work.run(chosen, sys.stdin.buffer):
            if time.monotonic() - told > TELL_S:
                told = time.monotonic()
                click.echo(_so_far(sent), err=True)
        click.echo(_so_far(work.sent), err=True)
        _await(archive, wait=wait)
    finally:
        archive.close()
    sys.exit(1 if work.sent.rejected else 0)


def _await(archive: Archive, *, wait: bool) -> None:
    """Tell how much waits; with `wait`, until nothing does."""
    told = 0.0
    while waiting := archive.waiting():
        if time.monotonic() - told > TELL_S:
            told = time.monotonic()
            click.echo(
                f"{waiting:,} wait for the pipeline, which takes them when live items leave room", err=True
            )
        if not wait:
            return
        time.sleep(ASK_S)
    click.echo("the pipeline has taken all of them", err=True)


def _so_far(sent: Sent) -> str:
    parts = [f"{sent.items:,} items of {sent.files:,} files sent"]
    if sent.known:
        parts.append(f"{sent.known:,} were sent before")
    if sent.rejected:
        parts.append(f"{sent.rejected:,} rejected")
    return ", ".join(parts)


def _refused(path: str, line: int | None, error: Rejected) -> None:
    place = path if line is None else f"{path}:{line}"
    click.echo(f"{place}: {error.type}: {error}", err=True)


def _archive(settings: Settings, data: Path | None, kafka: bool) -> Archive:
    from streams.backfill import EmbeddedArchive
    from streams.embedded.log import DATABASE

    if kafka:
        from streams.kafka.backfill import TopicArchive
        from streams.kafka.cluster import quieten
        from streams.logs import configure

        configure(settings.log)
        quieten()
        return TopicArchive(settings)
    return EmbeddedArchive((data or Path(settings.embedded.data)) / DATABASE)


def _template(settings: Settings, feed: str, format_: str | None) -> RawItem:
    """What is known of every item: the feed, and what the feed list says of it."""
    from config.errors import Misconfigured
    from processors.model.event import RawItem
    from streams.pollers.feed_list import load_feeds

    made = RawItem(b"", "", feed=feed, format=format_, backfill=True)
    try:
        known = next((each for each in load_feeds(settings.poll.feeds) if each.id == feed), None)
    except Misconfigured:
        known = None
    if known is None:
        return made
    return replace(made, language=known.language, source=known.source, timezone=known.timezone)
