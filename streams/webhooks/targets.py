"""The targets of webhooks: who wants which route's stories posted where, and how a delivery is signed.

Deliveries are signed as Standard Webhooks 1.0.0 says (``webhook-id``, ``webhook-timestamp``, ``webhook-signature``;
https://www.standardwebhooks.com). Secrets come from the environment, never from the file of targets.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from config import Misconfigured, raise_fault
from config.files import find_file, read_tables
from config.settings import Settings
from sinks.forms import EVENT_FORM, FORMS
from sinks.routes.router import RouteRule
from streams.pollers.address_guard import hides_secrets

KEY_PREFIX: Final = "whsec_"
MIN_SECRET_BYTES: Final = 24  # Standard Webhooks: 24 to 64 bytes; with fewer a signature can be guessed
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SECRET_FILE: Final = re.compile(r"WIREDESK_WEBHOOK_[A-Z0-9_]+_SECRET_FILE")


@dataclass(frozen=True, slots=True)
class Target:
    """Where the stories of a route are posted. `secrets` has the newest first; during a change the old one signs too.

    `format` is `EVENT_FORM`, or one of `sinks.forms.FORMS`.
    """

    name: str
    url: str
    route: str
    secrets: tuple[bytes, ...]
    format: str = EVENT_FORM

    def __repr__(self) -> str:
        """Without secrets, and without what an address may hide in its query."""
        return f"Target({self.name!r}, {self.url.partition('?')[0]!r}, {self.route!r})"


def load_targets(settings: Settings, rules: Sequence[RouteRule]) -> tuple[Target, ...]:
    """The operator's targets; none where the setting ``webhooks.file`` is empty.

    Raises:
        Misconfigured: the file can't be read, or a target is wrong; the message names it.
    """
    name = settings.webhooks.file
    if not name:
        return ()
    allow_http = settings.webhooks.allow_http
    return read_targets(find_file(name), {rule.name for rule in rules}, allow_http=allow_http)


def read_targets(
    path: Path,
    routes: Collection[str],
    environment: Mapping[str, str] | None = None,
    *,
    allow_http: bool = False,
    on_fault: Callable[[Misconfigured], None] = raise_fault,
) -> tuple[Target, ...]:
    """The targets of a file: ``[webhooks.NAME]`` with `url`, `route` and, where it is not the event, `format`.

    Each has its secret in ``WIREDESK_WEBHOOK_<NAME>_SECRET``, or in the file that ``…_SECRET_FILE`` names: ``whsec_``
    and base64, at least 24 bytes; several, the newest first, with blanks between. An address without TLS, on the way to
    which anybody may read stories and signatures, is refused unless it is of this machine, or `allow_http`.

    Raises:
        Misconfigured: the file can't be read, or a target is wrong; the message names it.
    """
    _, tables = read_tables(path, "webhooks", "name a file with webhooks.file")
    variables = os.environ if environment is None else environment
    targets = []
    for name, table in tables.items():
        try:
            targets.append(
                _parse_target(f"{path}: {name}", name, table, routes, variables, allow_http=allow_http)
            )
        except Misconfigured as error:
            on_fault(error)
    return tuple(targets)


def signature(secrets: Sequence[bytes], identity: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``: one ``v1,<base64>`` a secret; `timestamp` is in seconds since the epoch."""
    content = b"%b.%d.%b" % (identity.encode(), timestamp, body)
    codes = (base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode() for secret in secrets)
    return " ".join(f"v1,{code}" for code in codes)


def parse_secret(text: str) -> bytes:
    """The key of a secret as it is written.

    Raises:
        ValueError: it is no base64, or too short.
    """
    try:
        key = base64.b64decode(text.removeprefix(KEY_PREFIX), validate=True)
    except ValueError as error:
        raise ValueError(f"it is not {KEY_PREFIX} and base64") from error
    if len(key) < MIN_SECRET_BYTES:
        raise ValueError(f"it has {len(key)} bytes, and {MIN_SECRET_BYTES} are the least")
    return key


def secret_variable(name: str) -> str:
    """The variable of the environment that holds a target's secret."""
    return f"WIREDESK_WEBHOOK_{name.upper().replace('-', '_')}_SECRET"


def secret_files(environment: Mapping[str, str]) -> list[Path]:
    """The files that hold secrets of targets, as variables name them."""
    return [Path(path) for name, path in environment.items() if _SECRET_FILE.fullmatch(name) and path]


def _parse_target(
    where: str,
    name: str,
    table: Any,
    routes: Collection[str],
    variables: Mapping[str, str],
    *,
    allow_http: bool,
) -> Target:
    if not _NAME.fullmatch(name):
        raise Misconfigured(f"{where}: a webhook's name has small letters, digits, - and _")
    if not isinstance(table, dict) or set(table) | {"format"} != {"url", "route", "format"}:
        raise Misconfigured(f"{where} must have url and route, may have format, and nothing else")
    url, route, form = table["url"], table["route"], table.get("format", EVENT_FORM)
    if not isinstance(url, str) or not _is_web(url):
        raise Misconfigured(
            f"{where}: url must begin with https:// or http:// and name a host, without user or password"
        )
    if not allow_http and not hides_secrets(url):
        raise Misconfigured(
            f"{where}: url has no TLS; write https://, or set webhooks.allow_http where the way there is your own"
        )
    if route not in routes:
        raise Misconfigured(
            f"{where}: no rule is called {route!r}; rules are {', '.join(sorted(routes)) or 'none'}"
        )
    if form != EVENT_FORM and (not isinstance(form, str) or form not in FORMS):
        raise Misconfigured(
            f"{where}: no format is called {form!r}; use one of {', '.join([EVENT_FORM, *FORMS])}"
        )
    return Target(name, url, route, _secrets(where, name, variables), form)


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return has_port and parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc


def _secrets(where: str, name: str, variables: Mapping[str, str]) -> tuple[bytes, ...]:
    variable = secret_variable(name)
    text, path = variables.get(variable), variables.get(f"{variable}_FILE")
    try:
        if text is None:
            text = Path(path).read_text("utf-8") if path else ""
        secrets = tuple(parse_secret(word) for word in text.split())
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{where}: {variable}: {error}") from error
    if not secrets:
        raise Misconfigured(f"{where} has no secret: set {variable} (openssl rand -base64 32)")
    return secrets
