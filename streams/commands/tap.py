"""``wiredesk tap``: the records of a topic as they come."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.commands.options import DATA_OPTION, configure_kafka_logs, kafka_option, with_settings

if TYPE_CHECKING:
    from config.settings import Settings
    from streams.messages import Record


@click.command("tap")
@with_settings(DATA_OPTION)
@click.argument("topic")
@click.argument("query", required=False, default="")
@kafka_option
@click.option(
    "--short", is_flag=True, help="A line a record: time, relation, uri, headline. [default: JSON Lines]"
)
@click.option("--limit", type=click.IntRange(min=1), help="End after so many records.")
@click.option(
    "--from-start", is_flag=True, help="Also what the topic still has. [default: what comes from now on]"
)
@click.option("--once", is_flag=True, help="End at the topic's present end.")
def command(
    settings: Settings,
    *,
    topic: str,
    query: str,
    kafka: bool,
    short: bool,
    limit: int | None,
    from_start: bool,
    once: bool,
) -> None:
    """Write the records of TOPIC as they come, those whose story fits QUERY. Nothing is committed, nobody is held up.

    TOPIC is a name of the topology, or the end of one (enriched, raw, out.economy); QUERY is in the language of the
    desk's search. Stories under embargo are marked: what is written here is not for publication. On one machine, what
    lies between the steps is kept for `embedded.passed_hours`.

    \b
    Examples:
      wiredesk tap enriched --short
      wiredesk tap --kafka --config fleet.toml enriched 'relation:kill OR topic:medtop:04000000'
      wiredesk tap raw --from-start --limit 1
    """
    from config import Misconfigured
    from sinks.query import QueryError, parse_query
    from streams.tap import choose_topic, make_filter, write_json, write_line

    name = choose_topic(topic, settings)
    try:
        tree = parse_query(query) if query.strip() else None
    except QueryError as error:
        raise Misconfigured(f"query: {error.message}{f' ({error.hint})' if error.hint else ''}") from error
    fits, write = make_filter(tree), write_line if short else write_json

    left = limit
    try:
        for record in _follow(settings, name, kafka=kafka, from_start=from_start, once=once):
            if not record.value or not fits(record):
                continue
            sys.stdout.buffer.write(write(record) + b"\n")
            sys.stdout.buffer.flush()
            left = left and left - 1
            if left == 0:
                return
    except (BrokenPipeError, KeyboardInterrupt):
        sys.stdout = None  # nothing is left to be flushed at the end


def _follow(settings: Settings, topic: str, *, kafka: bool, from_start: bool, once: bool) -> Iterator[Record]:
    if kafka:
        yield from _follow_kafka(settings, topic, from_start=from_start, once=once)
        return
    from streams.embedded.data_file import find_data_file
    from streams.embedded.log import Log
    from streams.embedded.route_stream import follow_topic

    log = Log(find_data_file(Path(settings.embedded.data), or_kafka=True))
    try:
        yield from follow_topic(log, topic, -1 if from_start else None, once=once)
    finally:
        log.close()


def _follow_kafka(settings: Settings, topic: str, *, from_start: bool, once: bool) -> Iterator[Record]:
    from streams.kafka.cluster import Cluster
    from streams.kafka.session import Session

    configure_kafka_logs(settings)
    with Session(Cluster(settings.kafka)) as session:
        if once:
            yield from session.records([topic]) if from_start else ()
            return
        yield from session.follow(topic, from_start=from_start)
