"""``wiredesk trace``: where a story is, and how it came there."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from processors.times import HOUR_MS, to_milliseconds
from streams.commands.options import (
    DATA_OPTION,
    ROUTES_OPTION,
    kafka_option,
    open_raw_log,
    parse_milliseconds,
    with_settings,
)

if TYPE_CHECKING:
    from config.settings import Settings
    from sinks.search import StoredStory

# Before now, where neither the index nor --since says when a story came. Longer reads more of the broker's topics.
DEFAULT_SPAN_MS: Final = 48 * HOUR_MS
SLACK_MS: Final = 5 * 60_000  # how far a poller's clock may be ahead of what wrote the records


@click.command("trace")
@with_settings(DATA_OPTION, ROUTES_OPTION)
@click.argument("query", metavar="URI|GUID")
@kafka_option
@click.option(
    "--since",
    metavar="TIMESTAMP",
    help="Look no further back. [default: when the index says it came, or two days]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def command(settings: Settings, *, query: str, kafka: bool, since: str | None, as_json: bool) -> None:
    """Say where a story is: its raw item, what each step made of it, repeats, routes, dead letters, and the index.

    The story is named by its uri, or by an identifier that its publisher gave it (guid, message number). Times are when
    the broker took a record; on one machine, when its item was received. Status 1: nothing is known of it.

    \b
    Examples:
      wiredesk trace urn:newsml:nda.example:20260131:ferry-1
      wiredesk trace --kafka --config fleet.toml https://nda.example/ferry --json
    """
    import msgspec

    from sinks.stories import now_ms
    from streams.routing import load_rules
    from streams.trace import StoryTrace, describe_trace, find_passages, make_standing

    begin = parse_milliseconds("--since", since)
    routes = [rule.topic for rule in load_rules(settings)]
    with open_raw_log(settings, kafka=kafka) as log:
        uri = query
        stored = asyncio.run(_look_up(settings, query, kafka=kafka))
        if stored is None and (named := log.find_uri(query)):
            uri, stored = named, asyncio.run(_look_up(settings, named, kafka=kafka))
        if begin is None:
            begin = now_ms() - DEFAULT_SPAN_MS
            if stored and stored.event.provenance:
                begin = to_milliseconds(stored.event.provenance.received) - SLACK_MS
        passages = find_passages(log, uri, begin, routes)
    uris = dict.fromkeys(
        [*([stored.event.story.uri] if stored else []), *(passage.uri for passage in passages if passage.uri)]
    )
    if stored is None and uris:
        stored = asyncio.run(_look_up(settings, next(iter(uris)), kafka=kafka))
    index = make_standing(stored.event, stored.hidden or "", stored.by or "") if stored else None
    traces = tuple(dict.fromkeys(passage.trace for passage in passages if passage.trace))
    trace = StoryTrace(query, tuple(uris), traces, passages, index)
    if as_json:
        click.echo(msgspec.json.encode(trace).decode())
    else:
        for line in describe_trace(trace):
            click.echo(line)
    if not passages and index is None:
        sys.exit(1)


async def _look_up(settings: Settings, uri: str, *, kafka: bool) -> StoredStory | None:
    """The story that the index shows under a uri."""
    if kafka:
        from sinks.elasticsearch import ElasticStories

        distributed = ElasticStories(settings.elasticsearch)
        try:
            return await distributed.get(uri)
        finally:
            await distributed.close()
    from sinks.sqlite.writer import StorySearch
    from streams.embedded.data_file import find_data_file

    embedded = StorySearch(find_data_file(Path(settings.embedded.data), or_kafka=True))
    try:
        return await embedded.get(uri)
    finally:
        embedded.close()
