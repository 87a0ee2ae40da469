"""``wiredesk routes``: check the rules, and say which of them an event fits, and why."""

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
    r"""Check and explain the routes to topics of their own.

    \b
    Examples:
      wiredesk routes check --routes my-routes.toml
      wiredesk process dispatch.txt | wiredesk routes explain -
    """


@command.command("check")
@_routes
def check(routes: Path | None) -> None:
    """Read the rules and list them. Exit status 2 where one is wrong, naming its line."""
    from sinks.routes import DEFAULT, load

    for rule in load(routes or DEFAULT):
        click.echo(f"{rule.name}\t{rule.topic}")


@command.command("explain")
@click.argument("story", type=click.File("rb"), metavar="EVENT.json|-")
@_routes
@click.option("--all", "all_", is_flag=True, help="Also the rules that do not fit.")
def explain(story: BinaryIO, routes: Path | None, all_: bool) -> None:
    """Say which rules the events of a file fit, one event a line, and why."""
    from processors.codec import decode
    from processors.errors import Malformed
    from processors.event import Event
    from sinks.routes import DEFAULT, load
    from sinks.topics import Router

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
