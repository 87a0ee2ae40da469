"""A saved search: what is searched, where it stands in whose list, and who is alerted to what it finds.

`read_search` checks what somebody sends; what is wrong is raised as `BadSearch`, which says what and where. A search has
two secrets, which are shown once, when they are made: the key in the address of its feeds, of which only a hash is kept,
and the key that signs its webhooks.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import unicodedata
from email.headerregistry import Address
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from processors.model import Model
from sinks.alerts.schedule import Rhythm, find_zone, parse_clock_time
from sinks.callers import is_loopback, is_same_secret
from sinks.query import QueryError, parse_query

TargetKind = Literal["page", "webhook", "mail", "service"]
MAX_NAME_CHARS: Final = 200  # of a name or a folder: longer ones fill the list beside the stories
# Targets of one search. A desk's list of addresses is a mailing list's business; with fewer a small newsroom needs one.
MAX_TARGETS: Final = 20
MAX_ADDRESS_CHARS: Final = 2000  # of an address of a webhook: longer ones are refused by servers
ID_BYTES: Final = 9  # twelve characters: 72 bits, so that no two searches of any store have one id
KEY_BYTES: Final = 24  # 192 bits, which nobody guesses
SIGNING_BYTES: Final = 32  # Standard Webhooks: 24 to 64
SIGNING_PREFIX: Final = "whsec_"
_CONTROL_CATEGORIES: Final = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
_NAME_OF_SERVICE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
ShortText = Annotated[str, Meta(max_length=MAX_NAME_CHARS)]


class BadSearch(ValueError):
    """A search that can't be saved: what is wrong, and where.

    `where` is the path of the member (``alert.targets[0].address``); `start` and `length` are the place in the query's
    text, in code points.
    """

    def __init__(self, message: str, where: str, start: int | None = None, length: int | None = None) -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.message, self.where, self.start, self.length = message, where, start, length


class AlertTarget(Model, frozen=True):
    """Who is alerted: every open page of the desk, a webhook's URL, a mail address, or a service that the operator named."""

    kind: TargetKind
    address: str = ""

    @property
    def key(self) -> str:
        """What tells targets apart."""
        return f"{self.kind} {self.address}"


class AlertRule(Model, frozen=True):
    """Whom a search alerts, and when.

    `rhythm` is at once, or a digest by the hour or the day, then `at` a time of the clock in `zone`. Between `quiet_from`
    and `quiet_until` nothing goes out but kills and corrections of what did. A `paused` one makes no new alerts.
    """

    targets: tuple[AlertTarget, ...] = ()
    rhythm: Rhythm = "once"
    at: str = "08:00"
    zone: str = "UTC"
    quiet_from: str = ""
    quiet_until: str = ""
    paused: bool = False


class SavedSearch(Model, frozen=True):
    """A search that somebody has saved. `created` and `changed` are in milliseconds since the epoch.

    `feed_key` is the SHA-256 of the key in the address of its feeds, empty where it has none; `signing_key` signs its
    webhooks (Standard Webhooks). `fault` says what is wrong with a query that an earlier version took.
    """

    id: str
    name: str
    query: str
    owner: str = ""
    folder: str = ""
    created: int = 0
    changed: int = 0
    alert: AlertRule | None = None
    feed_key: str = ""
    signing_key: str = ""

    def has_key(self, shown: str) -> bool:
        """Whether a reader has shown the key of the search's feeds."""
        return bool(self.feed_key) and bool(shown) and is_same_secret(hash_key(shown), self.feed_key)


class TargetRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A target as it is sent: ``page``, ``webhook`` with a URL, ``mail`` with an address, ``service`` with a name."""

    kind: TargetKind
    address: Annotated[str, Meta(max_length=MAX_ADDRESS_CHARS)] = ""


class AlertRequest(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Whom to alert and when, as it is sent: times of the clock as ``HH:MM`` in a zone such as ``Europe/Madrid``."""

    targets: Annotated[tuple[TargetRequest, ...], Meta(max_length=MAX_TARGETS)] = ()
    rhythm: Rhythm = "once"
    at: ShortText = "08:00"
    zone: ShortText = "UTC"
    quiet_from: ShortText = ""
    quiet_until: ShortText = ""
    paused: bool = False


class SearchRequest(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A search as it is sent. A member that is left out keeps its value, or has its default in a new search."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    query: str | msgspec.UnsetType = msgspec.UNSET
    folder: str | msgspec.UnsetType = msgspec.UNSET
    alert: AlertRequest | msgspec.UnsetType | None = msgspec.UNSET


class TargetLimits(Struct, frozen=True):
    """What targets the operator allows: names of services, domains of mail (empty: all), mail at all, webhooks without TLS."""

    services: frozenset[str] = frozenset()
    mail_domains: frozenset[str] = frozenset()
    has_mail: bool = False
    allow_http: bool = False


def read_search(
    request: SearchRequest,
    limits: TargetLimits,
    now: int,
    *,
    before: SavedSearch | None = None,
    owner: str = "",
) -> SavedSearch:
    """The search that a request asks for: a new one, or `before` with what changes. `now` is in milliseconds.

    Raises:
        BadSearch: it can't be saved.
    """
    search = before or SavedSearch(new_id(), "", "", owner, created=now)
    name = search.name if request.name is msgspec.UNSET else request.name
    query = search.query if request.query is msgspec.UNSET else request.query
    folder = search.folder if request.folder is msgspec.UNSET else request.folder
    alert = search.alert if request.alert is msgspec.UNSET else _read_alert(request.alert, limits, search)
    return replace(
        search,
        name=_read_name(name, "name") or _no_name(),
        query=read_query_text(query),
        folder=_read_name(folder, "folder"),
        alert=alert,
        changed=max(now, search.changed + 1),
    )


def read_query_text(text: str) -> str:
    """A query that says something.

    Raises:
        BadSearch: it is broken; the error says where.
    """
    text = text.strip()
    try:
        parse_query(text)
    except QueryError as error:
        hint = f"; {error.hint}" if error.hint else ""
        raise BadSearch(f"{error.message}{hint}", "query", error.start, error.length) from error
    return text


def query_fault(text: str) -> str | None:
    """What is wrong with a query that an earlier version took; None where it can be searched."""
    try:
        parse_query(text)
    except QueryError as error:
        return str(error)
    return None


def search_order(search: SavedSearch) -> tuple[str, str, str]:
    """What searches are sorted by."""
    return search.folder.casefold(), search.name.casefold(), search.id


def new_id() -> str:
    """The id of a new search, which stands in addresses."""
    return secrets.token_urlsafe(ID_BYTES).replace("-", "a").replace("_", "b")


def with_feed_key(search: SavedSearch) -> tuple[SavedSearch, str]:
    """The search with a new key in the address of its feeds, and that key; the old one opens nothing any more."""
    key = secrets.token_urlsafe(KEY_BYTES)
    return replace(search, feed_key=hash_key(key)), key


def with_signing_key(search: SavedSearch) -> tuple[SavedSearch, str]:
    """The search with a new key that signs its webhooks, and that key as receivers write it."""
    key = SIGNING_PREFIX + base64.b64encode(secrets.token_bytes(SIGNING_BYTES)).decode()
    return replace(search, signing_key=key), key


def hash_key(key: str) -> str:
    """What is kept of a key: 192 random bits need no salt."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class SearchReport(Struct, frozen=True, rename="camel"):
    """A search as everybody may see it: without keys, and without what an address of a webhook may hide in its query.

    `created` and `changed` are in milliseconds since the epoch. `fault` says what is wrong with a query that an earlier
    version took; such a search finds nothing until it is changed.
    """

    id: str
    name: str
    query: str
    owner: str
    folder: str
    created: int
    changed: int
    alert: AlertRequest | None
    has_feed_key: bool
    fault: str | None


def describe_search(search: SavedSearch) -> SearchReport:
    """The search as it may be shown."""
    alert = None
    if search.alert is not None:
        targets = tuple(TargetRequest(target.kind, shown_address(target)) for target in search.alert.targets)
        alert = AlertRequest(targets, **{name: getattr(search.alert, name) for name in _RULE_MEMBERS})
    return SearchReport(
        search.id, search.name, search.query, search.owner, search.folder, search.created, search.changed, alert,
        bool(search.feed_key), query_fault(search.query),
    )  # fmt: skip


_RULE_MEMBERS: Final = ("rhythm", "at", "zone", "quiet_from", "quiet_until", "paused")


def shown_address(target: AlertTarget) -> str:
    """A target's address as it is shown: of a webhook without its query, in which tokens stand."""
    address, mark, _ = target.address.partition("?")
    return f"{address}?…" if mark and target.kind == "webhook" else target.address


def _no_name() -> str:
    raise BadSearch("it is empty; say in a few words what the search is for", "name")


def _read_name(text: str, where: str) -> str:
    """A name in one line: controls, and marks that turn the direction of what follows, have no place in it."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if any(unicodedata.category(character) in _CONTROL_CATEGORIES for character in text):
        raise BadSearch("it holds a character that can't be shown", where)
    if any(character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" for character in text):
        raise BadSearch("it holds a mark that turns the direction of the text behind it", where)
    if len(text) > MAX_NAME_CHARS:
        raise BadSearch(f"it has {len(text)} characters; {MAX_NAME_CHARS} are the most", where)
    return text


def _read_alert(request: AlertRequest | None, limits: TargetLimits, before: SavedSearch) -> AlertRule | None:
    if request is None:
        return None
    for where, text in (
        ("at", request.at),
        ("quietFrom", request.quiet_from),
        ("quietUntil", request.quiet_until),
    ):
        if text or where == "at":
            try:
                parse_clock_time(text)
            except ValueError as error:
                raise BadSearch(str(error), f"alert.{where}") from error
    if bool(request.quiet_from) != bool(request.quiet_until):
        raise BadSearch("give both, quietFrom and quietUntil, or none", "alert.quietFrom")
    try:
        find_zone(request.zone)
    except ValueError as error:
        raise BadSearch(str(error), "alert.zone") from error
    if not request.targets:
        raise BadSearch("it is empty; name whom to alert", "alert.targets")
    kept = {(one.kind, shown_address(one)): one for one in (before.alert.targets if before.alert else ())}
    targets = tuple(  # what is sent back as it was shown stays as it is
        kept.get((target.kind, target.address)) or _read_target(target, f"alert.targets[{number}]", limits)
        for number, target in enumerate(request.targets)
    )
    members = {name: getattr(request, name) for name in _RULE_MEMBERS}
    return AlertRule(tuple({target.key: target for target in targets}.values()), **members)


def _read_target(target: TargetRequest, where: str, limits: TargetLimits) -> AlertTarget:
    address = target.address.strip()
    checks = {"page": _check_page, "webhook": _check_webhook, "mail": _check_mail, "service": _check_service}
    if fault := checks[target.kind](address, limits):
        raise BadSearch(fault, f"{where}.address")
    return AlertTarget(target.kind, address)


def _check_page(address: str, _limits: TargetLimits) -> str | None:
    return "a page of the desk has no address" if address else None


def _check_webhook(address: str, limits: TargetLimits) -> str | None:
    try:
        parts = urlsplit(address)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return "it is no URL"
    if not is_web or "@" in parts.netloc or not address.isprintable() or " " in address:
        return "write a URL that begins with https:// and names a host, without user or password"
    if parts.scheme == "http" and not limits.allow_http and not is_loopback(parts.hostname or ""):
        return "it has no TLS: write https://, or let the operator set webhooks.allow_http"
    return None


def _check_mail(address: str, limits: TargetLimits) -> str | None:
    if not limits.has_mail:
        return "this desk sends no mail: the operator sets alerts.smtp_host and alerts.mail_from"
    domain = mail_domain(address)
    if domain is None:
        return "it is no mail address"
    if limits.mail_domains and domain not in limits.mail_domains:
        return f"mail goes to {', '.join(sorted(limits.mail_domains))} only (alerts.mail_domains)"
    return None


def mail_domain(address: str) -> str | None:
    """The domain of a mail address in small letters; None where it is no address by itself (RFC 5321)."""
    if not address.isprintable() or " " in address or len(address) > 320:
        return None
    try:
        parsed = Address(addr_spec=address)
    except (ValueError, IndexError):
        return None
    return (
        parsed.domain.lower() if parsed.username and parsed.domain and parsed.addr_spec == address else None
    )


def _check_service(name: str, limits: TargetLimits) -> str | None:
    if _NAME_OF_SERVICE.fullmatch(name) and name in limits.services:
        return None
    known = ", ".join(sorted(limits.services)) or "none; the operator names them with alerts.services"
    return f"no service is called {name[:80]!r}; there are {known}"
