"""``wiredesk replay``: raw items of a time range once more, after a parser's change."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import click

from streams.commands.backfill import open_archive
from streams.commands.options import (
    DATA_OPTION,
    kafka_option,
    open_raw_log,
    parse_milliseconds,
    with_settings,
)
from streams.topology import STEPS

if TYPE_CHECKING:
    from config.settings import Settings
    from streams.replay import Report

PROGRESS_S = 5.0  # between two lines of progress
COMPARABLE_STEPS = tuple(step.name for step in STEPS if not step.state)


@click.command("replay")
@click.option(
    "--since", required=True, metavar="TIMESTAMP", help="Items received at or after this RFC 3339 time."
)
@click.option("--until", metavar="TIMESTAMP", help="Items received before this time. [default: now]")
@click.option("--feed", help="Only of this feed.")
@click.option(
    "--dry-run", is_flag=True, help="Change nothing; show what would differ from what the log holds."
)
@click.option(
    "--through",
    type=click.Choice(COMPARABLE_STEPS),
    default="normalise",
    show_default=True,
    help="With --dry-run: compare what comes out of this step.",
)
@click.option(
    "--examples",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="With --dry-run: how many to show.",
)
@click.option(
    "--backfilled", is_flag=True, help="The items of back-fills and replays, instead of the live ones."
)
@click.option(
    "--rerun",
    is_flag=True,
    help="All steps look at every item again, also where it reads as before: the tagger's rules have changed, or a topic"
    " between the steps was lost.",
)
@kafka_option
@with_settings(DATA_OPTION)
def command(
    settings: Settings,
    *,
    since: str,
    until: str | None,
    feed: str | None,
    dry_run: bool,
    through: str,
    examples: int,
    backfilled: bool,
    rerun: bool,
    kafka: bool,
) -> None:
    """Run the raw items of a time range again, as the parsers read them today.

    They go the way of a back-fill: behind live items, without alerts. A story that reads otherwise now is an update; one
    that reads as before goes to the topic of repeats alone. With --rerun it keeps its place in its chain, and the index
    takes its new event in the old one's stead. How far back one can go is the retention of the raw items.

    \b
    Examples:
      wiredesk replay --since 2026-01-30T00:00:00Z --feed efe --dry-run
      wiredesk replay --since 2026-01-30T00:00:00Z --feed efe
      wiredesk replay --kafka --config fleet.toml --since 2026-01-30T06:00:00Z --until 2026-01-30T07:00:00Z
    """
    from sinks.stories import now_ms
    from streams.replay import Range, compare_replay, raw_items, replay_batches
    from streams.topology import BACKFILL, RAW

    now = now_ms()
    begin, end = parse_milliseconds("--since", since) or 0, parse_milliseconds("--until", until) or now
    if begin >= end:
        raise click.UsageError("--since must be before --until, and not in the future")
    wanted = Range(begin, end, feed)
    topic = (BACKFILL if backfilled else RAW).name
    with open_raw_log(settings, kafka=kafka) as log:
        if dry_run:
            progress = _Progress()
            _show(compare_replay(log, topic, wanted, through, settings, examples, progress), through)
            return
        with closing(open_archive(settings, kafka=kafka)) as archive:
            number = 0
            for batch in replay_batches(raw_items(log, topic, wanted), rerun=rerun):
                archive.append(batch)
                number += len(batch)
            click.echo(f"{number:,} items replayed")
            if waiting := archive.waiting():
                click.echo(
                    f"{waiting:,} wait for the pipeline, which takes them when live items leave room",
                    err=True,
                )


class _Progress:
    """A line now and then."""

    def __init__(self) -> None:
        self._shown_at = time.monotonic()

    def __call__(self, report: Report) -> None:
        if time.monotonic() - self._shown_at > PROGRESS_S:
            self._shown_at = time.monotonic()
            click.echo(f"{report.items:,} items compared", err=True)


def _show(report: Report, through: str) -> None:
    click.echo(f"{report.items:,} items, compared with what {through} made of them:")
    rows = (
        (report.same, "stories are the same"),
        (report.differ, "stories differ"),
        (report.new, "stories are new"),
        (report.gone, "stories would be gone"),
        (report.repeats, f"repeats, which {through} never sees"),
        (
            report.rejected.total(),
            f"items are rejected{_types(report)}; {report.letters:,} dead letters there are",
        ),
    )
    for number, what in rows:
        click.echo(f"{number:>9,}  {what}")
    if report.members:
        click.echo("Stories in which a member differs:")
    for member, number in report.members.most_common():
        click.echo(f"{number:>9,}  {member}")
    for example in report.examples:
        version = f" version {example.version}" if example.version else ""
        click.echo(
            f"\n{example.uri}{version}: {example.member}\n  - {_line(example.old)}\n  + {_line(example.new)}"
        )


def _types(report: Report) -> str:
    counts = ", ".join(f"{kind} {number:,}" for kind, number in report.rejected.most_common())
    return f" ({counts})" if counts else ""


def _line(text: str) -> str:
    return text.replace("\n", "⏎").replace("\t", "⇥")
