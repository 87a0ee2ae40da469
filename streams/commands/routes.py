"""``wiredesk routes``: check the rules, say which of them an event fits and why, follow a route."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import click

_routes = click.option(
    "--routes", type=click.Path(path_type=Path), help="A file of rules. [default: the bundled routes.toml]"
)


@click.group("routes")
def command() -> None:
    r"""Check, explain and follow the routes to topics of their own.

    \b
    Examples:
      wiredesk routes check --routes my-routes.toml
      wiredesk process dispatch.txt | wiredesk routes explain -
      wiredesk routes follow urgent | your-program
    """


@command.command("check")
@_routes
def check(routes: Path | None) -> None:
    """Read the rules and list them. Exit status 2 where one is wrong, naming its line."""
    from sinks.routes.rules import DEFAULT, load

    for rule in load(routes or DEFAULT):
        click.echo(f"{rule.name}\t{rule.topic}")


@command.command("explain")
@click.argument("story", type=click.File("rb"), metavar="EVENT.json|-")
@_routes
@click.option("--all", "all_", is_flag=True, help="Also the rules that do not fit.")
def explain(story: BinaryIO, routes: Path | None, all_: bool) -> None:
    """Say which rules the events of a file fit, one event a line, and why."""
    from processors.errors import Malformed
    from processors.model.codec import decode
    from processors.model.event import Event
    from sinks.routes.router import FOLLOWING, Router, is_kill
    from sinks.routes.rules import DEFAULT, load
    from sinks.stories import lineage

    router = Router(load(routes or DEFAULT))
    for number, line in enumerate(story, 1):
        if not line.strip():
            continue
        try:
            event = decode(line, Event)
        except Malformed as error:
            click.echo(f"wiredesk: line {number}: {error}", err=True)
            sys.exit(1)
        click.echo(event.story.uri)
        shown = [match for match in router.explain(event) if match.fits or all_]
        for match in shown:
            click.echo(f"  {'fits' if match.fits else '  no'}  {match.route}: {'; '.join(match.reasons)}")
        if not shown:
            click.echo("  no rule fits")
        if is_kill(event) or lineage(event).relation in FOLLOWING:
            click.echo("  follows the story that it touches to wherever that went")
        if event.story.embargoed_until:
            click.echo(f"  is held back until {event.story.embargoed_until}")


@command.command("follow")
@click.argument("name")
@_routes
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="The folder of the embedded runtime.",
)
@click.option(
    "--after", type=click.IntRange(-1), help="Go on after this offset; -1: from the oldest. [default: now]"
)
@click.option("--offsets", is_flag=True, help="Put the offset and a tab before each event.")
@click.option("--once", is_flag=True, help="End at the end, instead of waiting for more.")
def follow(name: str, routes: Path | None, data: Path, after: int | None, offsets: bool, once: bool) -> None:
    """Write the events of a route of `wiredesk run`, one a line, as they come. On Kafka, read the topic."""
    from config.errors import Misconfigured
    from sinks.routes.rules import DEFAULT, load
    from streams.embedded.log import Log, located
    from streams.embedded.route_stream import follow as followed

    topics = {rule.name: rule.topic for rule in load(routes or DEFAULT)}
    if name not in topics:
        raise Misconfigured(f"no rule is called {name!r}; rules are {', '.join(topics)}")
    log = Log(located(data))
    try:
        for record in followed(log, topics[name], after, once=once):
            line = b"%d\t%b\n" % (record.offset, record.value) if offsets else record.value + b"\n"
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        sys.stdout = None  # nothing is left to be flushed at the end
    finally:
        log.close()
