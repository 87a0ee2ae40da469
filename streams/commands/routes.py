"""``wiredesk routes``: check the rules, say which of them an event fits and why, follow a route."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from streams.commands.options import DATA_OPTION, ROUTES_OPTION, with_settings

if TYPE_CHECKING:
    from config.settings import Settings


@click.group("routes")
def command() -> None:
    """Check, explain and follow the routes to topics of their own.

    \b
    Examples:
      wiredesk routes check --routes my-routes.toml
      wiredesk process dispatch.txt | wiredesk routes explain -
      wiredesk routes follow urgent | your-program
    """


@command.command("check")
@with_settings(ROUTES_OPTION)
def check_rules(settings: Settings) -> None:
    """Read the rules and list them. Exit status 2 where one is wrong, naming its line."""
    from config.files import find_file
    from streams.routing import load_rules

    loaded = load_rules(settings)
    for rule in loaded:
        click.echo(f"{rule.name}\t{rule.topic}")
    place = f" in {find_file(settings.routes.file)}" if settings.routes.file else ""
    click.echo(f"{len(loaded)} rules{place}", err=True)


@command.command("explain")
@click.argument("story", type=click.File("rb"), metavar="EVENT.json|-")
@click.option("--all", "all_", is_flag=True, help="Also the rules that do not fit.")
@with_settings(ROUTES_OPTION)
def explain_routes(settings: Settings, story: BinaryIO, all_: bool) -> None:
    """Say which rules the events of a file fit, one event a line, and why."""
    from processors.errors import Malformed
    from processors.model.codec import decode
    from processors.model.event import Event
    from sinks.routes.router import FOLLOWING_RELATIONS, Router, is_kill
    from sinks.stories import lineage
    from streams.routing import load_rules

    router = Router(load_rules(settings))
    for number, line in enumerate(story, 1):
        if not line.strip():
            continue
        try:
            event = decode(line, Event)
        except Malformed as error:
            click.echo(f"wiredesk: line {number}: {error}", err=True)
            sys.exit(1)
        click.echo(event.story.uri)
        matches = [match for match in router.explain(event) if match.fits or all_]
        for match in matches:
            click.echo(f"  {'fits' if match.fits else '  no'}  {match.route}: {'; '.join(match.reasons)}")
        if not matches:
            click.echo("  no rule fits")
        if is_kill(event) or lineage(event).relation in FOLLOWING_RELATIONS:
            click.echo("  follows the story that it touches to wherever that went")
        if event.story.embargoed_until:
            click.echo(f"  is held back until {event.story.embargoed_until}")


@command.command("follow")
@click.argument("name")
@click.option(
    "--after", type=click.IntRange(-1), help="Go on after this offset; -1: from the oldest. [default: now]"
)
@click.option("--offsets", is_flag=True, help="Put the offset and a tab before each event.")
@click.option("--once", is_flag=True, help="End at the end, instead of waiting for more.")
@with_settings(ROUTES_OPTION, DATA_OPTION)
def follow_route(
    settings: Settings,
    name: str,
    *,
    after: int | None,
    offsets: bool,
    once: bool,
) -> None:
    """Write the events of a route of `wiredesk run`, one a line, as they come. On Kafka, read the topic."""
    from config import Misconfigured
    from streams.embedded.data_file import find_data_file
    from streams.embedded.log import Log
    from streams.embedded.route_stream import follow_topic
    from streams.routing import load_rules

    topics = {rule.name: rule.topic for rule in load_rules(settings)}
    if name not in topics:
        raise Misconfigured(f"no rule is called {name!r}; rules are {', '.join(topics)}")
    log = Log(find_data_file(Path(settings.embedded.data)))
    try:
        for record in follow_topic(log, topics[name], after, once=once):
            line = b"%d\t%b\n" % (record.offset, record.value) if offsets else record.value + b"\n"
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        sys.stdout = None  # nothing is left to be flushed at the end
    finally:
        log.close()
