"""Webhooks: who wants which route's stories posted where, and how a delivery is signed and repeated.

Deliveries are signed as Standard Webhooks 1.0.0 says (``webhook-id``, ``webhook-timestamp``, ``webhook-signature``;
https://www.standardwebhooks.com), and carry the event's CloudEvents attributes as HTTP headers (CloudEvents 1.0, HTTP
binding, binary mode). Secrets come from the environment, never from the file of targets.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from config.errors import Misconfigured

MARK: Final = "whsec_"
LEAST_SECRET: Final = 24  # bytes, as Standard Webhooks asks
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Target:
    """Where the stories of a route are posted. `secrets` has the newest first; during a change the old one signs too."""

    name: str
    url: str
    route: str
    secrets: tuple[bytes, ...]

    def __repr__(self) -> str:
        """Without secrets, and without what an address may hide in its query."""
        return f"Target({self.name!r}, {self.url.partition('?')[0]!r}, {self.route!r})"


def load(
    path: Path, routes: Collection[str], environment: Mapping[str, str] | None = None
) -> tuple[Target, ...]:
    """The targets of a file: ``[webhooks.NAME]`` with `url` and `route`.

    Each has its secret in ``WIREDESK_WEBHOOK_<NAME>_SECRET``, or in the file that ``…_SECRET_FILE`` names: ``whsec_``
    and base64, at least 24 bytes; several, the newest first, with blanks between.

    Raises:
        Misconfigured: the file can't be read, or a target is wrong; the message names it.
    """
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}; name a file with webhooks.file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: not TOML: {error}") from error
    strays = set(told) - {"webhooks"}
    if strays or not isinstance(told.get("webhooks", {}), dict):
        raise Misconfigured(
            f"{path}: {', '.join(sorted(strays)) or 'webhooks'}: write each as [webhooks.NAME]"
        )
    known = os.environ if environment is None else environment
    return tuple(
        _target(f"{path}: {name}", name, each, routes, known)
        for name, each in told.get("webhooks", {}).items()
    )


def signature(secrets: Sequence[bytes], identity: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``: one ``v1,<base64>`` a secret; `timestamp` is in seconds since the epoch."""
    content = b"%b.%d.%b" % (identity.encode(), timestamp, body)
    made = (base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode() for secret in secrets)
    return " ".join(f"v1,{each}" for each in made)


def secret(told: str) -> bytes:
    """The key of a secret as written.

    Raises:
        ValueError: it is no base64, or too short.
    """
    try:
        key = base64.b64decode(told.removeprefix(MARK), validate=True)
    except ValueError as error:
        raise ValueError("it is not whsec_ and base64") from error
    if len(key) < LEAST_SECRET:
        raise ValueError(f"it has {len(key)} bytes, and {LEAST_SECRET} are the least")
    return key


def variable(name: str) -> str:
    """The variable of the environment that holds a target's secret."""
    return f"WIREDESK_WEBHOOK_{name.upper().replace('-', '_')}_SECRET"


def _target(where: str, name: str, told: Any, routes: Collection[str], known: Mapping[str, str]) -> Target:
    if not _NAME.fullmatch(name):
        raise Misconfigured(f"{where}: a webhook's name has small letters, digits, - and _")
    if not isinstance(told, dict) or set(told) != {"url", "route"}:
        raise Misconfigured(f"{where} must have url and route, and nothing else")
    url, route = told["url"], told["route"]
    if not isinstance(url, str) or not _is_web(url):
        raise Misconfigured(
            f"{where}: url must begin with https:// or http:// and name a host, without user or password"
        )
    if route not in routes:
        raise Misconfigured(
            f"{where}: no rule is called {route!r}; rules are {', '.join(sorted(routes)) or 'none'}"
        )
    return Target(name, url, route, _secrets(where, name, known))


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return fine and parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc


def _secrets(where: str, name: str, known: Mapping[str, str]) -> tuple[bytes, ...]:
    told, path = known.get(variable(name)), known.get(f"{variable(name)}_FILE")
    try:
        text = told if told is not None else Path(path).read_text("utf-8") if path else ""
        made = tuple(secret(each) for each in text.split())
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{where}: {variable(name)}: {error}") from error
    if not made:
        raise Misconfigured(f"{where} has no secret: set {variable(name)} (openssl rand -base64 32)")
    return made
