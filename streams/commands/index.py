"""``wiredesk index``: what must stand on Elasticsearch."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from streams.commands.options import with_settings

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

    from config.settings import Elasticsearch, Settings

    Task = Callable[[AsyncElasticsearch, Elasticsearch], Awaitable[list[str]]]

wait_option = click.option(
    "--wait",
    type=click.FloatRange(min=0),
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
@with_settings()
@wait_option
def create_index(settings: Settings, wait: float) -> None:
    """Make templates, this month's index behind its aliases and the index of marks; what is there stays."""
    from sinks.elasticsearch import index

    for line in _run_task(index.create, settings, wait):
        click.echo(line)


@command.command("check")
@with_settings()
@wait_option
def check_index(settings: Settings, wait: float) -> None:
    """Show what is wrong on the server. Exit status 1 where something is."""
    from sinks.elasticsearch import index

    faults = _run_task(index.check, settings, wait)
    for line in faults:
        click.echo(line)
    if faults:
        sys.exit(1)
    click.echo("the index is as it must be")


@command.command("reindex")
@with_settings()
@wait_option
def renew_index(settings: Settings, wait: float) -> None:
    """Copy into new indices with the templates of today and move the aliases; writers and readers go on."""
    from sinks.elasticsearch.reindex import copy_indices

    for line in _run_task(copy_indices, settings, wait):
        click.echo(line)


@command.command("prune")
@with_settings()
@wait_option
@click.option("--keep", type=click.IntRange(min=1), required=True, metavar="MONTHS",
              help="How many months to keep, this one included.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only show what would be deleted.")
def prune_index(settings: Settings, wait: float, keep: int, *, dry_run: bool) -> None:
    """Delete the indices of old months. Stories that were over two years old when they came stay."""
    from sinks.elasticsearch import index

    for line in _run_task(partial(index.prune_months, keep=keep, dry_run=dry_run), settings, wait):
        click.echo(line)


def _run_task(task: Task, settings: Settings, wait: float) -> list[str]:
    """Run a task on the server; a server that does not answer is one line and status 1."""
    from processors.errors import Transient

    try:
        return asyncio.run(_retry(task, settings.elasticsearch, wait))
    except Transient as error:
        click.echo(f"wiredesk: {error}", err=True)
        sys.exit(1)


async def _retry(task: Task, settings: Elasticsearch, wait: float) -> list[str]:
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
