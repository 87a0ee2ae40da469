"""``wiredesk index``: what must stand on Elasticsearch."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

    from config.settings import Elasticsearch

    Task = Callable[[AsyncElasticsearch, Elasticsearch], Awaitable[list[str]]]

_config = click.option("--config", type=click.Path(path_type=Path), help="A settings file (TOML).")
_wait = click.option(
    "--wait",
    type=float,
    default=0.0,
    metavar="SECONDS",
    help="Keep trying this long while the server is down.",
)


@click.group("index")
def command() -> None:
    """Create, check, renew and prune the Elasticsearch index.

    \b
    Examples:
      wiredesk index create --wait 120
      wiredesk index check
      wiredesk index reindex               # after an upgrade that changed the mapping
      wiredesk index prune --keep 13 --dry-run
    """


@command.command("create")
@_config
@_wait
def create(config: Path | None, wait: float) -> None:
    """Make templates, this month's index behind its aliases and the index of marks; what is there stays."""
    from sinks.elasticsearch import index

    for line in _asked(index.create, config, wait):
        click.echo(line)


@command.command("check")
@_config
@_wait
def check(config: Path | None, wait: float) -> None:
    """Tell what is wrong on the server. Exit status 1 where something is."""
    from sinks.elasticsearch import index

    wrong = _asked(index.check, config, wait)
    for line in wrong:
        click.echo(line)
    if wrong:
        sys.exit(1)
    click.echo("the index is as it must be")


@command.command("reindex")
@_config
@_wait
def reindex(config: Path | None, wait: float) -> None:
    """Copy into new indices with the templates of today and move the aliases; writers and readers go on."""
    from sinks.elasticsearch.reindex import reindex as copy

    for line in _asked(copy, config, wait):
        click.echo(line)


@command.command("prune")
@_config
@_wait
@click.option("--keep", type=click.IntRange(min=1), required=True, metavar="MONTHS",
              help="How many months to keep, this one included.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only tell what would be deleted.")
def prune(config: Path | None, wait: float, keep: int, *, dry_run: bool) -> None:
    """Delete the indices of old months. Stories that were over two years old when they came stay."""
    from sinks.elasticsearch import index

    for line in _asked(partial(index.prune, keep=keep, dry_run=dry_run), config, wait):
        click.echo(line)


def _asked(task: Task, config: Path | None, wait: float) -> list[str]:
    """Run a task on the server; a server that does not answer is one line and status 1."""
    from config.settings import load
    from processors.errors import Transient

    settings = load(config).elasticsearch
    try:
        return asyncio.run(_tried(task, settings, wait))
    except Transient as error:
        click.echo(f"wiredesk: {error}", err=True)
        sys.exit(1)


async def _tried(task: Task, settings: Elasticsearch, wait: float) -> list[str]:
    from processors.errors import Transient
    from sinks.elasticsearch.client import connect
    from streams.retry import INDEX

    client = connect(settings)
    try:
        async with asyncio.timeout(wait or None):
            for delay in INDEX.delays():
                try:
                    return await task(client, settings)
                except Transient as error:
                    if not wait:
                        raise
                    click.echo(f"waiting: {error}", err=True)
                    await asyncio.sleep(delay)
    except TimeoutError:
        click.echo(f"wiredesk: {settings.url} did not answer within {wait:g} s", err=True)
        sys.exit(1)
    finally:
        await client.close()
    raise AssertionError("delays are endless")
