"""``wiredesk desk``: the web desk over Elasticsearch."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import click

from streams.commands.options import PORT_OPTION, TOKENS_OPTION, SettingOption, log_files, with_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.settings import Settings
    from sinks.desk.control import DeskControls
    from sinks.desk.ports import FeedHealth
    from streams.kafka.fleet import FleetState
    from streams.pollers.feed import Feed
    from streams.pollers.feed_health import PolledFeeds
    from streams.reload import ReloadPart

HOST_OPTION = SettingOption(
    "--host", "desk.host", "The address to answer on. Any but loopback demands a token. [default: 127.0.0.1]"
)
# The topic of the pollers' states is read whole: more often than this costs the broker, less often shows old states.
FEED_STATES_AGE_S = 10.0


@click.command("desk")
@with_settings(HOST_OPTION, PORT_OPTION, TOKENS_OPTION)
@click.option(
    "--feeds", metavar="FILE", help="The pollers' list of feeds, whose health is read from Kafka and shown."
)
@click.option(
    "--fleet",
    is_flag=True,
    help="Show what the steps on Kafka are behind, and let operators work off dead letters and change the list of --feeds.",
)
def command(settings: Settings, feeds: str | None, *, fleet: bool) -> None:
    """Show the stories of the Elasticsearch index until SIGINT or SIGTERM.

    A server that does not answer is waited for; the desk says so meanwhile. `wiredesk run` has its own desk.

    \b
    Examples:
      wiredesk desk --config fleet.toml --feeds feeds.toml
      wiredesk desk --config fleet.toml --feeds feeds.toml --fleet --tokens tokens.json
      WIREDESK_DESK_TOKEN_FILE=/run/secrets/desk wiredesk desk --host 0.0.0.0
    """
    from config.settings import override_settings
    from streams.startup import configure_logs

    settings = override_settings(settings, {"poll.feeds": feeds})
    configure_logs(settings.log)
    if feeds:
        log_files(settings, "poll.feeds")
    asyncio.run(_serve_until_signal(settings, shows_feeds=bool(feeds), fleet=fleet))


class NoFeeds:
    """No list was named."""

    async def list(self) -> Sequence[FeedHealth]:
        """No feeds."""
        return ()


def _shown_feeds(settings: Settings) -> tuple[PolledFeeds, list[ReloadPart]]:
    """The feeds of the pollers' list, and the list as what is read again."""
    from functools import partial

    from streams.kafka.poll import load_states
    from streams.operator_files import feeds_part
    from streams.pollers.feed_health import PolledFeeds
    from streams.pollers.feed_list import FeedBook, load_feeds

    book = FeedBook()

    async def use_feeds(listed: Sequence[Feed]) -> None:
        book.replace(listed)

    part = feeds_part(settings, use_feeds)
    book.replace(load_feeds(settings.poll.feeds))
    return PolledFeeds(book, partial(load_states, settings), FEED_STATES_AGE_S), [part]


def _make_controls(settings: Settings, feeds: PolledFeeds | NoFeeds, fleet: FleetState) -> DeskControls:
    """What an operator may do: with Kafka, through the topics that commands use too."""
    from functools import partial

    from sinks.desk.control import DeskControls
    from sinks.routes.router import Router
    from streams.kafka.dead_letters import KafkaDeadLetters
    from streams.kafka.poll import load_states
    from streams.operations.feeds import FeedDesk
    from streams.operations.letters import LetterDesk
    from streams.operations.routes import RouteDesk, WebhookDesk

    router = Router(fleet.rules)
    listed = None
    if not isinstance(feeds, NoFeeds):
        listed = FeedDesk(settings, partial(load_states, settings), feeds.replace)
    return DeskControls(
        feeds=listed,
        letters=LetterDesk(lambda: KafkaDeadLetters(settings.kafka), fleet.check_broker),
        routes=RouteDesk(lambda: router),
        webhooks=WebhookDesk(lambda: fleet.targets, fleet.count_waiting),
    )


async def _serve_until_signal(settings: Settings, *, shows_feeds: bool, fleet: bool) -> None:
    from contextlib import AsyncExitStack
    from functools import partial
    from pathlib import Path

    import structlog

    from config import Misconfigured
    from config.files import find_file
    from sinks.desk.app import make_app
    from sinks.desk.changes import ChangeLog
    from sinks.desk.ports import AlertDesk, DeskExtras
    from sinks.desk.raw_items import RawItems
    from sinks.desk.tokens import TokenFile
    from sinks.elasticsearch import ElasticStories
    from sinks.elasticsearch.alerts import ElasticAlerts
    from sinks.listener import serve
    from streams.alerts.senders import target_limits
    from streams.kafka.fleet import FleetState
    from streams.kafka.security import certificates_part
    from streams.kafka.session import read_item, scan_items
    from streams.pollers.picture_files import PictureFiles
    from streams.raw_items import RawArchive
    from streams.reload import FileReloader, follow_files

    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    feeds, parts = _shown_feeds(settings) if shows_feeds else (NoFeeds(), [])
    reloader = FileReloader([*parts, certificates_part(settings.kafka)])
    stories = ElasticStories(settings.elasticsearch, timeout_s=settings.desk.search_timeout_s)
    host, port = settings.desk.host, settings.desk.port
    async with AsyncExitStack() as stack:
        stack.push_async_callback(stories.close)
        tokens = TokenFile(find_file(settings.desk.tokens)) if settings.desk.tokens else None
        pictures = await stack.enter_async_context(PictureFiles(settings)) if settings.desk.pictures else None
        alerts = ElasticAlerts(settings.elasticsearch)
        stack.push_async_callback(alerts.close)
        saved = AlertDesk(alerts, settings.alerts, target_limits(settings))
        extras = DeskExtras(pictures, alerts=saved)
        pipeline = FleetState(settings) if fleet else None
        app = make_app(
            stories,
            feeds,
            settings.desk,
            pipeline,
            polls=False,
            tokens=tokens,
            controls=_make_controls(settings, feeds, pipeline) if pipeline else None,
            changes=ChangeLog(Path(settings.desk.changes) if settings.desk.changes else None),
            extras=extras,
        )
        archive = RawArchive(settings, partial(read_item, settings), partial(scan_items, settings))
        RawItems(stories, archive).add_to(app)
        try:
            listener, port = await serve(app, host, port)
        except OSError as error:
            raise Misconfigured(f"[desk] {host}:{port}: {error.strerror}; choose another port") from error
        stack.push_async_callback(listener.cleanup)
        structlog.get_logger("wiredesk").info("the desk is open", url=f"http://{host}:{port}/")
        await stack.enter_async_context(follow_files(reloader, stop))
        await stop.wait()
    structlog.get_logger("wiredesk").info("the desk is closed")
