"""How messages of alerts leave: as signed webhooks, as mail, or by a service of `apprise` that the operator has named.

No secret of an operator stands in the store, and none in an answer or the log: what a library says of a failure passes
`config.redaction`, and of a service only the name is told.
"""

from __future__ import annotations

import asyncio
import os
import re
import smtplib
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Final

import aiohttp
import orjson
from yarl import URL

from config import Misconfigured, install_hint
from config.files import find_file, read_tables
from config.settings import Alerts, Settings, Webhooks
from processors.numbers import parse_int64
from sinks.alerts.decisions import Alert
from sinks.alerts.messages import AlertMessage, describe_message, subject_of, write_text
from sinks.alerts.saved import SavedSearch, TargetKind, TargetLimits, mail_domain
from streams.alerts.courier import MessageSender
from streams.pollers import address_guard as guard
from streams.pollers.fetch import BoundedResponse, error_message
from streams.webhooks.delivery import GONE_STATUS, MAX_REASON_BYTES, SETTING, TryResult
from streams.webhooks.targets import parse_secret, signature

SERVICE_TIMEOUT_S: Final = 60.0  # for a service of `apprise`, which may ask several addresses of its own
SMTP_TIMEOUT_S: Final = 30.0  # of one step of the talk: greylisting servers take their time over the first
_SERVICE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def load_senders(settings: Settings) -> dict[TargetKind, MessageSender]:
    """What can send, as the settings say.

    Raises:
        Misconfigured: they contradict each other, or the file of services is wrong.
    """
    senders: dict[TargetKind, MessageSender] = {
        "webhook": HookSender(settings.webhooks, settings.alerts.address)
    }
    if has_mail(settings.alerts):
        senders["mail"] = MailSender(settings.alerts)
    if services := load_services(settings.alerts):
        senders["service"] = ServiceSender(services, settings.alerts.address)
    return senders


def target_limits(settings: Settings) -> TargetLimits:
    """Whom a search may alert, as the settings say. Misconfigured as for `load_senders`."""
    return TargetLimits(
        services=frozenset(load_services(settings.alerts)),
        mail_domains=frozenset(domain.strip().lower() for domain in settings.alerts.mail_domains),
        has_mail=has_mail(settings.alerts),
        allow_http=settings.webhooks.allow_http,
    )


def has_mail(settings: Alerts) -> bool:
    """Whether mail can be sent.

    Raises:
        Misconfigured: only one of server and sender is set, or the sender is no address.
    """
    if not settings.smtp_host and not settings.mail_from:
        return False
    if not settings.smtp_host or not settings.mail_from:
        raise Misconfigured("[alerts] smtp_host and mail_from: mail needs both, or neither")
    if mail_domain(settings.mail_from) is None:
        raise Misconfigured(f"[alerts] mail_from: {settings.mail_from!r} is no mail address")
    return True


class HookSender:
    """Posts messages as JSON, signed as Standard Webhooks 1.0.0 says, to allowed addresses only. No redirect is followed."""

    def __init__(self, settings: Webhooks, desk: str, now: Callable[[], float] = time.time) -> None:
        """`desk` is the desk's public address; nothing is connected yet. Misconfigured where an allowed address is none."""
        self._settings, self._desk, self._now = settings, desk, now
        self._opened = guard.parse_networks(settings.allowed_addresses, SETTING)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: AlertMessage, alerts: Sequence[Alert], search: SavedSearch) -> TryResult:
        """Post a message."""
        url = message.target.address
        if not self._settings.allow_http and not guard.hides_secrets(url):
            return TryResult("the address has no TLS (webhooks.allow_http)", is_final=True)
        body = orjson.dumps(describe_message(message, alerts, self._desk))
        timestamp = int(self._now())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature([parse_secret(search.signing_key)], message.id, timestamp, body),
        }
        try:
            async with self._connected().post(
                URL(url), data=body, headers=headers, allow_redirects=False
            ) as response:
                return await _judge_answer(response)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return TryResult(error_message(error).rstrip(": "))

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            settings = self._settings
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=settings.concurrency, socket_factory=guard.socket_factory(self._opened, SETTING)
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=settings.timeout_s, sock_connect=settings.connect_timeout_s
                ),
                headers={"User-Agent": "wiredesk-alerts/1"},
                auto_decompress=False,
                response_class=BoundedResponse,
            )
        return self._session


async def _judge_answer(response: aiohttp.ClientResponse) -> TryResult:
    status = response.status
    if 200 <= status < 300:
        return TryResult()
    if 300 <= status < 400:
        return TryResult(f"HTTP {status}, a redirect, which is not followed")
    text = (await response.content.read(MAX_REASON_BYTES)).decode("utf-8", "replace").strip()
    retry_after_s = float(parse_int64(response.headers.get("Retry-After", "")) or 0)
    return TryResult(f"HTTP {status}{': ' if text else ''}{text}", status == GONE_STATUS, retry_after_s)


class MailSender:
    """Sends messages as plain text by the operator's SMTP server. A kill is an answer to the mail with its story."""

    def __init__(self, settings: Alerts) -> None:
        """Nothing is connected yet."""
        self._settings = settings
        self._authorities = str(find_file(settings.smtp_ca_file)) if settings.smtp_ca_file else None

    async def send(self, message: AlertMessage, alerts: Sequence[Alert], _search: SavedSearch) -> TryResult:
        """Send a mail; a server that refuses the address for good is not asked again."""
        mail = self.write_mail(message, alerts)
        return await asyncio.to_thread(self._deliver, mail, message.target.address)

    async def close(self) -> None:
        """Nothing stays open: each mail has a connection of its own."""

    def write_mail(self, message: AlertMessage, alerts: Sequence[Alert]) -> EmailMessage:
        """The mail of a message."""
        settings = self._settings
        mail = EmailMessage(policy=SMTP)
        mail["Subject"] = " ".join(subject_of(message, alerts).split())
        mail["From"] = Address("wiredesk", addr_spec=settings.mail_from)
        mail["To"] = Address(addr_spec=message.target.address)
        mail["Date"] = format_datetime(datetime.fromtimestamp(message.created / 1000, UTC))
        mail["Message-ID"] = self._mail_id(message.id)
        if message.earlier:
            mail["In-Reply-To"] = mail["References"] = self._mail_id(message.earlier)
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence notice answers it
        if message.kind == "kill":
            mail["Importance"] = "high"
        mail.set_content(write_text(message, alerts, settings.address))
        return mail

    def _mail_id(self, name: str) -> str:
        return f"<{name}@{mail_domain(self._settings.mail_from)}>"

    def _deliver(self, mail: EmailMessage, address: str) -> TryResult:
        settings = self._settings
        try:
            with self._connect() as server:
                if settings.smtp_username:
                    server.login(settings.smtp_username, settings.smtp_password)
                server.send_message(mail, settings.mail_from, [address])
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            return TryResult(f"the server refuses the address: {code} {_decoded(text)}", 500 <= code < 600)
        except smtplib.SMTPAuthenticationError as error:
            return TryResult(f"the server refuses our user (alerts.smtp_username): {error.smtp_code}")
        except smtplib.SMTPResponseException as error:
            is_final = isinstance(error, smtplib.SMTPDataError) and 500 <= error.smtp_code < 600
            return TryResult(f"the server answers {error.smtp_code} {_decoded(error.smtp_error)}", is_final)
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            return TryResult(error_message(error).rstrip(": "))
        return TryResult()

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        host, port = settings.smtp_host, settings.smtp_port
        if settings.smtp_security == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=SMTP_TIMEOUT_S, context=self._trust())
        server = smtplib.SMTP(host, port, timeout=SMTP_TIMEOUT_S)
        if settings.smtp_security == "starttls":
            try:
                server.starttls(context=self._trust())
            except BaseException:
                server.close()
                raise
        return server

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._authorities)


def _decoded(text: bytes | str) -> str:
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join(decoded.split())[:MAX_REASON_BYTES]


def load_services(settings: Alerts, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The address at `apprise` of each service of the file, by its name: a table ``[services.NAME]`` with a `title`.

    The address, which holds the service's secrets, is in ``WIREDESK_SERVICE_<NAME>_URL``, or in the file that
    ``…_URL_FILE`` names.

    Raises:
        Misconfigured: the file is wrong, an address is missing or none of a service, or `apprise` is not installed.
    """
    if not settings.services:
        return {}
    variables = os.environ if environment is None else environment
    path = find_file(settings.services)
    _, tables = read_tables(path, "services", "name a file with alerts.services")
    services = {}
    for name, table in tables.items():
        where = f"{path}: {name}"
        if not _SERVICE_NAME.fullmatch(name):
            raise Misconfigured(f"{where}: a service's name has small letters, digits, - and _")
        if not isinstance(table, dict) or set(table) - {"title"}:
            raise Misconfigured(f"{where} may have a title, and nothing else; its address is a secret")
        variable = f"WIREDESK_SERVICE_{name.upper().replace('-', '_')}_URL"
        url = variables.get(variable) or _read_address(variables.get(f"{variable}_FILE"), where)
        if not url:
            raise Misconfigured(f"{where} has no address: set {variable}")
        _check_service(url, where, variable)
        services[name] = url
    return services


def _read_address(path: str | None, where: str) -> str:
    if not path:
        return ""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 -- a path of the environment
            return file.read().strip()
    except OSError as error:
        raise Misconfigured(f"{where}: {error.strerror}: the file with its address") from error


def _check_service(url: str, where: str, variable: str) -> None:
    try:
        import apprise
    except ImportError as error:
        raise Misconfigured(f"{where}: services need apprise; {install_hint('apprise')}") from error
    if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
        raise Misconfigured(f"{where}: {variable} is no address of a service that apprise knows")


class ServiceSender:
    """Sends messages by `apprise`. It runs in a thread: the library waits for its services."""

    def __init__(self, services: Mapping[str, str], desk: str) -> None:
        """The addresses by name."""
        self._services, self._desk = services, desk

    async def send(self, message: AlertMessage, alerts: Sequence[Alert], _search: SavedSearch) -> TryResult:
        """Send a message."""
        url = self._services.get(message.target.address)
        if url is None:
            return TryResult(f"no service is called {message.target.address} any more", is_final=True)
        title, text = subject_of(message, alerts), write_text(message, alerts, self._desk)
        async with asyncio.timeout(SERVICE_TIMEOUT_S):
            taken = await asyncio.to_thread(_notify, url, title, text)
        return TryResult() if taken else TryResult(f"{message.target.address} did not take it")

    async def close(self) -> None:
        """Nothing stays open."""


def _notify(url: str, title: str, text: str) -> bool:
    import apprise

    service: Any = apprise.Apprise()
    service.add(url)
    return bool(service.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT))
