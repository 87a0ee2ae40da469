"""``wiredesk sink``: events from Kafka into an index, to the topics of the routes, to webhooks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from streams.commands.options import settings_option

if TYPE_CHECKING:
    from config.settings import Settings


@click.group("sink")
def command() -> None:
    """Hand events from Kafka on: to an index, to the topics of the routes, to webhooks.

    \b
    Examples:
      wiredesk sink elasticsearch --config fleet.toml
      wiredesk sink routes --config fleet.toml
      wiredesk sink webhooks --config fleet.toml
    """


@command.command("elasticsearch")
@settings_option
def elasticsearch(settings: Settings) -> None:
    """Write to Elasticsearch until SIGINT or SIGTERM; waits for a server that is down, and loses nothing.

    The index must be there (`wiredesk index create`). Offsets are committed once a bulk request is acknowledged.
    """
    from streams.kafka.service import run_forever

    run_forever(settings, lambda stop: _run(settings, stop))


@command.command("routes")
@settings_option
def routes(settings: Settings) -> None:
    """Write to the topics of the routes until SIGINT or SIGTERM; embargoed stories wait for their time.

    The rules are those of `routes.file`; their topics must be there (`wiredesk topics create`). Start as many as you
    like: they share the partitions. One that is killed loses nothing, and nothing comes twice at `read_committed`.
    """
    from msgspec.structs import replace

    from streams.kafka.service import run_forever
    from streams.kafka.worker import work
    from streams.routing import load_work, rules
    from streams.topology import ROUTE

    rules(settings)  # what is wrong with them is told before anything starts
    own = replace(settings, kafka=replace(settings.kafka, application=f"{settings.kafka.application}-routes"))
    run_forever(own, lambda stop: work(own, [ROUTE], stop, load=load_work))


@command.command("webhooks")
@settings_option
def webhooks(settings: Settings) -> None:
    """Post routed stories to the targets of `webhooks.file` until SIGINT or SIGTERM.

    Each is signed (Standard Webhooks) and tried again with growing delays; what a target does not take to the last
    try becomes a dead letter. A target's secret is in WIREDESK_WEBHOOK_<NAME>_SECRET. docs/consuming.md says more.
    """
    from config.errors import Misconfigured
    from streams.embedded.webhooks import targets
    from streams.kafka.service import run_forever
    from streams.kafka.webhooks import deliver
    from streams.routing import rules

    told = targets(settings, rules(settings))
    if not told:
        raise Misconfigured("no webhooks: name a file of targets with webhooks.file")
    run_forever(settings, lambda stop: deliver(settings, told, stop))


async def _run(settings: Settings, stop: asyncio.Event) -> None:
    from sinks.elasticsearch import StoryBulk
    from streams.kafka.sink import Sink

    bulk = StoryBulk(settings.elasticsearch)
    try:
        await Sink("elasticsearch", bulk, settings).run(stop)
    finally:
        await bulk.close()
