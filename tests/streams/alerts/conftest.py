"""A store with its courier, and the real servers that its messages go to: SMTP and HTTP."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import Message as Mail
from typing import Any, TypeVar

import orjson
import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from config.settings import Alerts, Settings, Webhooks
from processors.model.event import Event
from processors.times import to_milliseconds
from sinks.alerts.decisions import AlertLimits
from sinks.alerts.matching import SearchMatcher
from sinks.alerts.messages import AlertMessage
from sinks.alerts.saved import AlertRule, AlertTarget, SavedSearch, with_signing_key
from sinks.sqlite.alerts import ALERT_TABLES, AlertTables, SqliteAlerts
from sinks.stories import is_repeat
from streams.alerts.courier import AlertCourier
from streams.alerts.senders import load_senders
from tests.sinks.events import at

T = TypeVar("T")
QUICK = {"first_delay_s": 0.0, "max_delay_s": 0.05}


class Desk:
    """A store in memory with its searches, a courier, and a clock that the test sets."""

    def __init__(self, settings: Settings, *searches: SavedSearch) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.executescript(ALERT_TABLES)
        self.tables = AlertTables(self.connection)
        self.store = SqliteAlerts(self._run)
        self.settings, self.now = settings, to_milliseconds(at(10))
        for search in searches:
            self.tables.save_search(search, 100)
        self.courier = self.new_courier()

    async def _run(self, call: Callable[[AlertTables], T], *, writes: bool = False) -> T:  # noqa: ARG002 -- each call stands by itself
        await asyncio.sleep(0)
        return call(self.tables)

    def new_courier(self) -> AlertCourier:
        """As after a restart."""
        senders = load_senders(self.settings)
        return AlertCourier(
            self.store, senders, self.settings.alerts, self.settings.webhooks, lambda: self.now
        )

    def get(self, *events: Event) -> None:
        matcher = SearchMatcher(self.tables.searches())
        matched = [(one, () if is_repeat(one) else matcher.match(one)) for one in events]
        limits = AlertLimits(self.settings.alerts.max_per_hour, self.settings.alerts.max_listed)
        self.tables.apply(matched, limits, self.now)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(self.courier.run(stop))
        try:
            yield
        finally:
            stop.set()
            await task
            for sender in self.courier._senders.values():
                await sender.close()

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not done():
                self.courier.wake()
                await asyncio.sleep(0.01)

    def messages(self) -> list[AlertMessage]:
        return self.tables._messages("1", (), -1)

    def all(self, state: str) -> bool:
        found = self.messages()
        return bool(found) and all(message.state == state for message in found)


class HookServer:
    """A web server that notes what is posted; `answers` are its next statuses, 200 behind them."""

    def __init__(self) -> None:
        self.posted: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.answers: list[int] = []
        self.bodies: list[bytes] = []

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(body)
        self.posted.append((dict(request.headers), orjson.loads(body)))
        return web.Response(status=self.answers.pop(0) if self.answers else 200, text="not now")

    @property
    def kinds(self) -> list[str]:
        return [body["kind"] for _, body in self.posted]


@pytest.fixture
async def hooks() -> AsyncIterator[tuple[HookServer, int]]:
    server = HookServer()
    app = web.Application()
    app.router.add_post("/hook", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield server, runner.addresses[0][1]
    await runner.cleanup()


class PostOffice:
    """What an SMTP server has taken; `answers` are its next refusals."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], Mail]] = []
        self.answers: list[str] = []
        self.logins: list[bytes] = []

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content or b"")))  # type: ignore[arg-type]
        return "250 taken"

    def authenticate(self, *told: Any) -> AuthResult:
        self.logins.append(told[-1].password)
        return AuthResult(success=told[-1].password == b"letter box", handled=False)


@pytest.fixture
async def office() -> AsyncIterator[tuple[PostOffice, int]]:
    handler = PostOffice()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, authenticator=handler.authenticate, auth_require_tls=False), "127.0.0.1", 0
    )
    yield handler, server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


def hook_search(port: int, query: str = "ferry", **rule: Any) -> SavedSearch:
    target = AlertTarget("webhook", f"http://127.0.0.1:{port}/hook")
    search = SavedSearch("s", "Ferries", query, alert=AlertRule((target,), **rule))
    return with_signing_key(search)[0]


def hook_settings(port: int, **alerts: Any) -> Settings:
    hooks = Webhooks(allowed_addresses=(f"127.0.0.1:{port}",), **QUICK)  # type: ignore[arg-type]
    return Settings(webhooks=hooks, alerts=Alerts(address="https://desk.example", **alerts))


def mail_settings(port: int, **alerts: Any) -> Settings:
    alerts = {"smtp_security": "none", "mail_from": "wire@desk.example", **alerts}
    return Settings(
        alerts=Alerts(smtp_host="127.0.0.1", smtp_port=port, **alerts),
        webhooks=Webhooks(**QUICK),  # type: ignore[arg-type]
    )
