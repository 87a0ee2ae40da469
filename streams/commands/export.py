"""``wiredesk export``: stories out of an index into a file."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from processors.times import to_timestamp
from streams.commands.options import DATA_OPTION, parse_milliseconds, with_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from config.settings import Settings
    from processors.model.event import Relation
    from sinks.export import ExportFormat, ExportWriter
    from sinks.search import Query, Stories

# For one page: an export may wait where a reader of the desk may not; for ever, it would hide a broken index.
PAGE_TIMEOUT_S = 600.0
FORMATS = [
    *(
        "jsonl",
        "csv",
        "parquet",
        "ninjs-3.1",
        "ninjs-2.2",
        "ninjs-1.6",
        "newsml-g2",
        "rss",
        "atom",
        "jsonfeed",
    )
]
RELATIONS = click.Choice(["new", "duplicate", "update", "correction", "kill"])


@click.command("export")
@click.option("--query", "words", default="", metavar="WORDS", help='Words, "a phrase", -without, begin*.')
@click.option("--language", metavar="TAG", help="A language (en) or a regional variant (pt-BR).")
@click.option("--feed", metavar="ID", help="Only of this feed.")
@click.option("--entity", metavar="NAME", help="Only stories that name somebody or something.")
@click.option("--topic", metavar="CODE", help="Only of this Media Topic (medtop:04000000) and those below.")
@click.option("--relation", type=RELATIONS, help="Only stories with this relation to their chain.")
@click.option("--since", metavar="TIMESTAMP", help="RFC 3339: only stories of this time or later.")
@click.option("--duplicates", is_flag=True, help="Repeats as well.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many stories. [default: all]")
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    multiple=True,
    default=["jsonl"],
    show_default=True,
    help="jsonl: whole events; csv, parquet: a row a story; the others: a standard's items, with their whole text.",
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="[default: standard output]"
)
@DATA_OPTION.add_to
@with_settings()
@click.option(
    "--from",
    "search",
    type=click.Choice(["embedded", "elasticsearch"]),
    help="The index to read. [default: desk.search of the settings]",
)
def command(
    settings: Settings,
    *,
    words: str,
    language: str | None,
    feed: str | None,
    entity: str | None,
    topic: str | None,
    relation: Relation | None,
    since: str | None,
    duplicates: bool,
    limit: int | None,
    format_: tuple[ExportFormat, ...],
    output: Path | None,
    embedded_data: str | None,
    search: str | None,
) -> None:
    """Write the stories that fit, newest first, to a file or standard output.

    Killed, corrected and still embargoed stories are left out, as on the desk; `--relation kill` lists the kills.

    \b
    Examples:
      wiredesk export --query ferry > ferry.jsonl
      wiredesk export --topic medtop:04000000 --since 2026-11-01T00:00:00Z --format csv -o economy.csv
      wiredesk export --language en --format ninjs-1.6 > english.jsonl
      wiredesk export --from elasticsearch --language es --format parquet -o spanish.parquet
    """
    from config.settings import override_settings
    from sinks.export import make_writer
    from sinks.search import Query

    if len(format_) > 1:
        raise click.UsageError(f"--format: one at a time, not {', '.join(format_)}")
    since_ms = parse_milliseconds("--since", since)
    query = Query(
        words,
        language=language,
        feed=feed,
        relation=relation,
        entity=entity,
        topic=topic,
        since=None if since_ms is None else to_timestamp(since_ms),
        duplicates=duplicates,
    )
    search = search or ("embedded" if embedded_data else settings.desk.search)
    settings = override_settings(settings, {"embedded.data": embedded_data})
    with _open_output(output, format_[0]) as stream:
        count = asyncio.run(_export(settings, search, query, limit, make_writer(format_[0], stream)))
    click.echo(f"{count} stories", err=True)


@contextmanager
def _open_output(path: Path | None, format_: str) -> Iterator[BinaryIO]:
    """The file; it gets its name only when it is whole."""
    if path is None:
        if format_ == "parquet" and sys.stdout.isatty():
            raise click.UsageError("Parquet is binary: name a file with --output")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    from config import Misconfigured

    part = path.with_name(f".{path.name}.part")
    try:
        stream = part.open("wb")
    except OSError as error:
        raise Misconfigured(
            f"{path}: {error.strerror}; name a file that can be written with --output"
        ) from error
    try:
        with stream:
            yield stream
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


async def _export(
    settings: Settings, search: str, query: Query, limit: int | None, writer: ExportWriter
) -> int:
    from contextlib import aclosing

    from sinks.export import search_pages

    count = 0
    async with _open_index(settings, search) as source, aclosing(search_pages(source, query, limit)) as pages:
        async for events in pages:
            writer.write(events)
            count += len(events)
            if sys.stderr.isatty():
                click.echo(f"\r{count} stories …", nl=False, err=True)
    writer.close()
    return count


@asynccontextmanager
async def _open_index(settings: Settings, search: str) -> AsyncIterator[Stories]:
    """The index to read."""
    if search == "elasticsearch":
        from sinks.elasticsearch import ElasticStories

        distributed = ElasticStories(settings.elasticsearch, timeout_s=PAGE_TIMEOUT_S)
        try:
            yield distributed
        finally:
            await distributed.close()
        return
    from sinks.sqlite.writer import StorySearch
    from streams.embedded.data_file import find_data_file

    embedded = StorySearch(find_data_file(Path(settings.embedded.data)), timeout_s=PAGE_TIMEOUT_S)
    try:
        yield embedded
    finally:
        embedded.close()
