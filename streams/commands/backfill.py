"""``wiredesk backfill``: old news from files, behind live traffic and without alerts."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from streams.commands.options import (
    DATA_OPTION,
    configure_kafka_logs,
    count_things,
    format_option,
    kafka_option,
    parse_milliseconds,
    with_settings,
)

if TYPE_CHECKING:
    from config.settings import Settings
    from processors.errors import Rejected
    from processors.model.event import RawItem
    from streams.backfill import Archive, SentCounts

NO_FEED = "backfill"  # of files that are of no feed in particular
PROGRESS_S = 5.0  # between two lines of progress
ASK_S = 0.5  # between two looks at what waits


@click.command("backfill")
@click.argument("paths", nargs=-1, required=True, metavar="(PATH | -)...", type=click.Path(allow_dash=True))
@kafka_option
@click.option(
    "--feed",
    default=NO_FEED,
    show_default=True,
    help="The feed's id; one of the feed list gives its source, language and zone too. By default the files may be of"
    " several publishers.",
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
@with_settings(DATA_OPTION)
def command(
    settings: Settings,
    *,
    paths: tuple[str, ...],
    kafka: bool,
    feed: str,
    format_: str | None,
    received: str | None,
    journal: Path | None,
    wait: bool,
) -> None:
    """Send files of old news through the pipeline: indexed like all others, but sent to nobody as news.

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
    from sinks.stories import now_ms
    from streams.backfill import Backfill, Journal, find_input_files

    for path in paths:
        if path != "-" and not Path(path).exists():
            raise click.BadParameter(f"{path}: no such file or folder", param_hint="PATH")
    chosen = find_input_files(paths, now_ms(), parse_milliseconds("--received", received))
    archive = open_archive(settings, kafka=kafka)
    try:
        work = Backfill(
            archive,
            _template(settings, feed, format_),
            Journal(journal),
            settings.normalise.max_item_bytes,
            _show_refused,
        )
        shown_at = time.monotonic()
        for sent in work.run(chosen, sys.stdin.buffer):
            if time.monotonic() - shown_at > PROGRESS_S:
                shown_at = time.monotonic()
                click.echo(_describe(sent), err=True)
        click.echo(_describe(work.sent), err=True)
        is_taken = _wait_for_pipeline(
            archive, wait=wait, data=None if kafka else Path(settings.embedded.data)
        )
    finally:
        archive.close()
    sys.exit(1 if work.sent.rejected or not is_taken else 0)


def open_archive(settings: Settings, *, kafka: bool) -> Archive:
    """The topic of the back-fill; the embedded log is made where it is missing."""
    from streams.embedded.data_file import DATABASE
    from streams.embedded.maintenance import EmbeddedArchive

    if kafka:
        from streams.kafka.session import BackfillTopic

        configure_kafka_logs(settings)
        return BackfillTopic(settings)
    return EmbeddedArchive(Path(settings.embedded.data) / DATABASE)


def _wait_for_pipeline(archive: Archive, *, wait: bool, data: Path | None) -> bool:
    """Show how much waits; with `wait`, until nothing does, and say whether that came to be.

    `data` is the folder of the `wiredesk run` that should take it: where none runs, nobody ever will.
    """
    from streams.embedded.folder_lock import find_holder

    shown_at = 0.0
    while waiting := archive.waiting():
        if data is not None and find_holder(data) is None:
            click.echo(
                f"{waiting:,} wait, and no `wiredesk run` takes them: start one with --data {data}", err=True
            )
            return not wait
        if time.monotonic() - shown_at > PROGRESS_S:
            shown_at = time.monotonic()
            click.echo(
                f"{waiting:,} wait for the pipeline, which takes them when live items leave room", err=True
            )
        if not wait:
            return True
        time.sleep(ASK_S)
    click.echo("the pipeline has taken all of them", err=True)
    return True


def _describe(sent: SentCounts) -> str:
    parts = [f"{count_things(sent.items, 'item')} of {count_things(sent.files, 'file')} sent"]
    if sent.sent_before:
        parts.append(f"{sent.sent_before:,} were sent before")
    if sent.rejected:
        parts.append(f"{sent.rejected:,} rejected")
    return ", ".join(parts)


def _show_refused(path: str, line: int | None, error: Rejected) -> None:
    place = path if line is None else f"{path}:{line}"
    click.echo(f"{place}: {error.type}: {error}", err=True)


def _template(settings: Settings, feed_id: str, format_: str | None) -> RawItem:
    """What is known of every item: the feed, and what the feed list says of it."""
    from config.files import find_file
    from processors.model.event import RawItem
    from streams.pollers.feed_list import load_feeds

    origin = feed_id if feed_id == NO_FEED else None
    item = RawItem(b"", "", feed=feed_id, format=format_, backfill=True, origin=origin)
    feed = next((feed for feed in load_feeds(settings.poll.feeds) if feed.id == feed_id), None)
    if feed is None:
        return item
    click.echo(f"language and zone of {feed_id} are those of {find_file(settings.poll.feeds)}", err=True)
    return replace(item, language=feed.language, source=feed.source, timezone=feed.timezone, origin=None)
