"""``wiredesk sink``: events from Kafka into the sinks of the topology, to the topics of the routes, to webhooks."""

from __future__ import annotations

import asyncio
import inspect
from importlib import import_module
from typing import TYPE_CHECKING

import click

from streams.commands.options import log_files, with_settings

if TYPE_CHECKING:
    from config.settings import Settings


class SinkGroup(click.Group):
    """A group with a command for each sink of the topology, beside its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the topology, then the group's own."""
        from streams.sinks import sink_steps

        return [*(step.name for step in sink_steps("kafka")), *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of one sink; None for an unknown name."""
        from streams.sinks import sink_steps

        names = {step.name for step in sink_steps("kafka")}
        return _sink_command(cmd_name) if cmd_name in names else super().get_command(ctx, cmd_name)


@click.group("sink", cls=SinkGroup)
def command() -> None:
    """Hand events from Kafka on: to a sink, to the topics of the routes, to webhooks.

    \b
    Examples:
      wiredesk sink elasticsearch --config fleet.toml
      wiredesk sink routes --config fleet.toml
      wiredesk sink webhooks --config fleet.toml
    """


@command.command("routes")
@with_settings()
def routes(settings: Settings) -> None:
    """Write to the topics of the routes until SIGINT or SIGTERM; embargoed stories wait for their time.

    The rules are those of `routes.file`; one whose topic is missing (`wiredesk topics create`) is told and left out until it
    is there. Start as many as you like: they share the partitions. One that is killed loses nothing, and nothing comes twice at `read_committed`.
    """
    from config.settings import override_settings
    from streams.kafka.service import run_forever
    from streams.kafka.worker import run_routes
    from streams.routing import load_rules

    load_rules(settings)  # a fault of theirs ends the command before anything starts
    own = override_settings(settings, {"kafka.application": f"{settings.kafka.application}-routes"})

    async def run(stop: asyncio.Event) -> None:
        log_files(settings, "routes.file")
        await run_routes(own, stop)

    run_forever(own, run)


@command.command("webhooks")
@with_settings()
def webhooks(settings: Settings) -> None:
    """Post routed stories to the targets of `webhooks.file` until SIGINT or SIGTERM.

    Each is signed (Standard Webhooks) and tried again with growing delays; what a target does not take to the last
    try becomes a dead letter. A target's secret is in WIREDESK_WEBHOOK_<NAME>_SECRET. docs/consuming.md says more.
    """
    from config import Misconfigured
    from streams.kafka.routes import deliver_stories
    from streams.kafka.service import run_forever
    from streams.routing import load_rules
    from streams.webhooks.targets import load_targets

    chosen = load_targets(settings, load_rules(settings))
    if not settings.webhooks.file:
        raise Misconfigured("no webhooks: name a file of targets with webhooks.file")

    async def run(stop: asyncio.Event) -> None:
        log_files(settings, "routes.file", "webhooks.file")
        await deliver_stories(settings, chosen, stop)

    run_forever(settings, run)


def _sink_command(name: str) -> click.Command:
    from streams.sinks import sink_steps

    step = next(step for step in sink_steps("kafka") if step.name == name)
    about = inspect.getdoc(import_module(step.module)) or ""

    @click.command(name, help=f"{SINK_HELP}\n\n{about}", short_help=about.partition("\n")[0])
    @with_settings()
    def run(settings: Settings) -> None:
        from config import Misconfigured
        from streams.kafka.service import run_forever
        from streams.kafka.sink import SinkRunner
        from streams.sinks import load_sink

        sink = load_sink(step, settings)
        if sink is None:
            raise Misconfigured(f"the settings leave the sink {name} out: see [sinks.{name}]")
        runner = SinkRunner(step, sink, settings)
        if name != "alerts":
            run_forever(settings, runner.run)
            return
        from streams.kafka.alerts import run_alerts

        run_forever(settings, lambda stop: run_alerts(runner, settings, stop))

    return run


SINK_HELP = (
    "Write to this sink until SIGINT or SIGTERM; waits while it is down, and loses nothing. "
    "Offsets are committed once it has taken the events."
)
