"""Who calls a listener: from which address, from this machine or another, and whether with the token that it should have.

The address is that of the connection, or what a reverse proxy says that the operator has named. Who shows wrong tokens
has to wait, even with the right one: tokens that may be guessed as often as one likes are none.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from config import Misconfigured

# Wrong tokens of one address, and the time after which one of them is forgotten. Fewer, or a longer time, lock out an
# office behind one address over typing errors; more let a program guess thousands a day.
MAX_WRONG_TOKENS: Final = 10
FORGET_S: Final = 6.0
MAX_ADDRESSES: Final = 10_000  # that are remembered: more take memory, fewer let a botnet push itself out
# A shorter token can be guessed in the time that the limits leave.
MIN_TOKEN_CHARS: Final = 16
ProxyNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
log = structlog.get_logger("wiredesk.listener")


class TokenGuard:
    """Compares what callers show with the token of one listener."""

    def __init__(self, token: str, setting: str, clock: Callable[[], float]) -> None:
        """`setting` names the token's in a warning; `clock` gives seconds since the epoch."""
        self._token, self._throttle = token, TokenThrottle(clock)
        if token and len(token) < MIN_TOKEN_CHARS:
            log.warning("a token is short enough to be guessed; use 16 random characters", setting=setting)

    def is_token(self, shown: str, address: str) -> bool:
        """Whether a token is the right one; a wrong one counts against its address.

        Raises:
            web.HTTPTooManyRequests: too many wrong ones came from there.
        """
        if wait := self._throttle.wait_s(address):
            raise web.HTTPTooManyRequests(
                text="too many wrong tokens; wait a little", headers={"Retry-After": str(int(wait) + 1)}
            )
        if is_same_secret(shown, self._token):
            return True
        self._throttle.record_failure(address)
        return False

    def has_bearer(self, request: web.Request, address: str) -> bool:
        """Whether a request bears the token (RFC 6750); one without any counts against nobody.

        Raises:
            web.HTTPTooManyRequests: too many wrong ones came from there.
        """
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.is_token(shown.strip(), address)


class TokenThrottle:
    """Wrong tokens by address, each forgotten after a while."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Nobody has failed yet."""
        self._clock = clock
        self._failures: OrderedDict[str, tuple[float, float]] = (
            OrderedDict()
        )  # how many, and when that was so

    def wait_s(self, address: str) -> float:
        """How long an address has to wait before it may show a token again; 0 for not at all."""
        return max(0.0, (self._count(address) - MAX_WRONG_TOKENS + 1) * FORGET_S)

    def record_failure(self, address: str) -> None:
        """Count a wrong token."""
        self._failures[address] = (self._count(address) + 1, self._clock())
        self._failures.move_to_end(address)
        while len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)

    def _count(self, address: str) -> float:
        count, since = self._failures.get(address, (0.0, 0.0))
        return max(0.0, count - max(0.0, self._clock() - since) / FORGET_S)


def is_same_secret(shown: str, expected: str) -> bool:
    """Whether a caller has shown a secret, compared as bytes and in a time that tells nothing of where they differ."""
    return hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), expected.encode())


def is_loopback(host: str) -> bool:
    """Whether a host, a name or an address in any spelling, is this machine and nothing else."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def is_local_name(request: web.Request) -> bool:
    """Whether a request names this machine as its host: a web page that has rebound its own name does not."""
    try:
        return is_loopback(urlsplit(f"//{request.host}").hostname or "")
    except ValueError:
        return False


@web.middleware
async def check_local_name(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests under foreign names: for addresses that only this machine can reach."""
    if not is_local_name(request):
        raise web.HTTPMisdirectedRequest(text="ask under a name of this machine, such as 127.0.0.1")
    return await handler(request)


def client_address(request: web.Request, proxies: Sequence[ProxyNetwork]) -> str:
    """The address that asks: of the connection, or the last that the named proxies were not; a /64 of IPv6 is one."""
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    address = request.remote or ""
    while hops and _is_within(address, proxies) and hops[-1]:
        address = hops.pop()
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address) and not parsed.ipv4_mapped:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def is_encrypted(request: web.Request, proxies: Sequence[ProxyNetwork]) -> bool:
    """Whether a reader's browser speaks TLS: with us, or with a named proxy that says so."""
    if request.secure:
        return True
    protocol = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2]
    return protocol.strip().lower() == "https" and _is_within(request.remote or "", proxies)


def is_from_proxy(request: web.Request, proxies: Sequence[ProxyNetwork]) -> bool:
    """Whether a connection comes from a proxy that the operator has named."""
    return _is_within(request.remote or "", proxies)


def parse_proxies(values: Sequence[str], setting: str) -> tuple[ProxyNetwork, ...]:
    """The networks of a setting ``proxies``: ``10.0.0.7`` or ``10.0.0.0/24``.

    Raises:
        Misconfigured: one of them is no network.
    """
    try:
        return tuple(ipaddress.ip_network(value.strip(), strict=False) for value in values)
    except ValueError as error:
        raise Misconfigured(f"{setting}: {error}; write 10.0.0.7 or 10.0.0.0/24") from error


def _is_within(address: str, networks: Sequence[ProxyNetwork]) -> bool:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return any((mapped or parsed) in network for network in networks)
