"""Who may read the desk.

On loopback without a token everybody on this machine may, but only under a name of this machine, so that a web page
elsewhere can't reach in by rebinding its own name, and not on behalf of a page elsewhere. With a token, which any other
host demands, a reader shows it as ``Authorization: Bearer``, or types it once into the login form and keeps a cookie
that is worth it for two weeks but not equal to it. Who shows wrong tokens has to wait.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from config import Misconfigured
from config.settings import Desk
from processors.numbers import parse_int64
from sinks.listener import admit_caller, is_local_name, is_loopback, is_same_secret

COOKIE_NAME: Final = "wiredesk"
# How long a login lasts: shorter asks editors for the token too often; longer keeps a lost laptop signed in.
SESSION_S: Final = 14 * 24 * 3600
OPEN_PATHS: Final = ("/livez", "/readyz", "/login", "/static/")
# Wrong tokens of one address, and the time after which one of them is forgotten. Fewer, or a longer time, lock out an
# office behind one address over typing errors; more let a program guess thousands a day.
MAX_WRONG_TOKENS: Final = 10
FORGET_S: Final = 6.0
MAX_ADDRESSES: Final = 10_000  # that are remembered: more take memory, fewer let a botnet push itself out
# A shorter token can be guessed in the time that the limits leave.
MIN_TOKEN_CHARS: Final = 16
IS_ANONYMOUS: Final = web.RequestKey("anonymous", bool)  # set where a path is open and no token was shown
READER: Final = web.RequestKey("reader", str)  # who asks: a login, or else an address
ProxyNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
log = structlog.get_logger("wiredesk.desk")


class DeskAccess:
    """Lets in who may read, and sends others to the login."""

    def __init__(self, settings: Desk, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since the epoch.

        Raises:
            Misconfigured: the host is not loopback and there is no token; a proxy is no network.
        """
        check_exposure(settings)
        self._settings, self._clock = settings, clock
        self._proxies = _parse_proxies(settings.proxies)
        self._throttle = TokenThrottle(clock)

    @web.middleware
    async def check_reader(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer who may read; others get a login, or a refusal."""
        address = client_address(request, self._proxies)
        request[READER] = address
        _refuse_foreign_page(request, has_token=bool(self._settings.token))
        if not self._settings.token:
            if not is_local_name(request):
                raise web.HTTPMisdirectedRequest(
                    text=f"open the desk as http://127.0.0.1:{self._settings.port}/, or give it a token to use another name"
                )
            admit_caller(request)
            return await handler(request)
        if self._has_session(request) or self._has_bearer(request, address):
            admit_caller(request)
            return await handler(request)
        if request.path.startswith(OPEN_PATHS):
            request[IS_ANONYMOUS] = True
            return await handler(request)
        if request.path.startswith(("/api/", "/metrics")):
            raise web.HTTPUnauthorized(
                text="send the desk's token as Authorization: Bearer", headers={"WWW-Authenticate": "Bearer"}
            )
        raise web.HTTPSeeOther(request.app.router["login"].url_for().with_query(next=request.path_qs))

    def log_in(self, request: web.Request, response: web.StreamResponse, typed: str) -> bool:
        """Set the session's cookie where the typed token is the right one, and return whether it was.

        Raises:
            web.HTTPTooManyRequests: too many wrong tokens came from the same address.
        """
        token = self._settings.token
        if not token or not self._is_token(typed, request[READER]):
            return False
        response.set_cookie(
            COOKIE_NAME,
            start_session(token, self._clock()),
            max_age=SESSION_S,
            httponly=True,
            samesite="Strict",
            secure=is_encrypted(request, self._proxies),
        )
        return True

    def _has_session(self, request: web.Request) -> bool:
        cookie = request.cookies.get(COOKIE_NAME, "")
        if not is_session(cookie, self._settings.token, self._clock()):
            return False
        request[READER] = hashlib.sha256(cookie.encode()).hexdigest()
        return True

    def _has_bearer(self, request: web.Request, address: str) -> bool:
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._is_token(shown.strip(), address)

    def _is_token(self, shown: str, address: str) -> bool:
        """Whether a token is the right one; a wrong one counts against its address."""
        if wait := self._throttle.wait_s(address):
            raise web.HTTPTooManyRequests(
                text="too many wrong tokens; wait a little", headers={"Retry-After": str(int(wait) + 1)}
            )
        if is_same_secret(shown, self._settings.token):
            return True
        self._throttle.record_failure(address)
        return False


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


def check_exposure(settings: Desk) -> None:
    """Refuse to open the desk to a network without a token.

    Raises:
        Misconfigured: the host is not loopback and there is no token.
    """
    if not settings.token and not is_loopback(settings.host):
        raise Misconfigured(
            f"[desk] host {settings.host!r} is open to the network: set desk.token"
            " (WIREDESK_DESK_TOKEN or WIREDESK_DESK_TOKEN_FILE), or use 127.0.0.1"
        )
    if settings.token and len(settings.token) < MIN_TOKEN_CHARS:
        log.warning("desk.token is short enough to be guessed; use 16 random characters or more")


def start_session(token: str, now: float) -> str:
    """The value of a cookie: when it ends, a number of its own, and a proof that its owner knew the token."""
    session = f"{int(now) + SESSION_S}.{secrets.token_hex(8)}"
    return f"{session}.{_sign_session(session, token)}"


def is_session(cookie: str, token: str, now: float) -> bool:
    """Whether a cookie is one of ours that has not ended."""
    session, _, proof = cookie.rpartition(".")
    if not is_same_secret(proof, _sign_session(session, token)):
        return False
    end = parse_int64(session.partition(".")[0])
    return end is not None and now < end <= now + SESSION_S + 1


def local_path(url: str) -> str:
    """The path to open after the login: the given one where it is of the desk, else the first page."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "/"
    is_local = (
        not parts.scheme and not parts.netloc and url.startswith("/") and not url.startswith(("//", "/\\"))
    )
    return url if is_local and url.isprintable() else "/"


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


def _refuse_foreign_page(request: web.Request, *, has_token: bool) -> None:
    """Refuse what a browser asks for on behalf of a page elsewhere: where no token protects, and at the login.

    With a token the cookie stays away from such requests (``SameSite=Strict``).
    """
    site = request.headers.get("Sec-Fetch-Site", "").strip().lower()
    if site == "cross-site" and (not has_token or request.method == "POST"):
        raise web.HTTPForbidden(text="a page elsewhere has asked for this; open the desk by its own address")


def _sign_session(session: str, token: str) -> str:
    message = b"wiredesk session\0" + session.encode("utf-8", "surrogatepass")
    return hmac.new(token.encode(), message, hashlib.sha256).hexdigest()


def _parse_proxies(values: Sequence[str]) -> tuple[ProxyNetwork, ...]:
    try:
        return tuple(ipaddress.ip_network(value.strip(), strict=False) for value in values)
    except ValueError as error:
        raise Misconfigured(f"desk.proxies: {error}; write 10.0.0.7 or 10.0.0.0/24") from error


def _is_within(address: str, networks: Sequence[ProxyNetwork]) -> bool:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return any((mapped or parsed) in network for network in networks)
