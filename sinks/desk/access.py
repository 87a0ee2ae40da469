"""Who may read and operate the desk.

On loopback without a token everybody on this machine may, but only under a name of this machine, so that a web page
elsewhere can't reach in by rebinding its own name, and not on behalf of a page elsewhere. Otherwise a caller shows
``desk.token``, or one of ``wiredesk token`` with the scopes that it has: as ``Authorization: Bearer``, or once in the
login form, for a cookie that is worth it for two weeks but not equal to it. Or a reverse proxy, from an address that the
operator has named, says in a header who signed in there. Who shows wrong tokens has to wait. A change is taken from the
desk's own pages and from programs only.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from config import Misconfigured
from config.settings import Desk
from processors.numbers import parse_int64
from sinks.callers import (
    MIN_TOKEN_CHARS,
    TokenThrottle,
    client_address,
    is_encrypted,
    is_from_proxy,
    is_local_name,
    is_loopback,
    is_same_secret,
    parse_proxies,
)
from sinks.desk.rates import RequestRates
from sinks.desk.tokens import ALL_SCOPES, DeskToken, Scope, TokenFile
from sinks.listener import admit_caller

COOKIE_NAME: Final = "wiredesk"
# How long a login lasts: shorter asks editors for the token too often; longer keeps a lost laptop signed in.
SESSION_S: Final = 14 * 24 * 3600
OPEN_PATHS: Final = ("/livez", "/readyz", "/login", "/display", "/static/", "/searches/")
IS_ANONYMOUS: Final = web.RequestKey("anonymous", bool)  # set where a path is open and no token was shown
READER: Final = web.RequestKey("reader", str)  # who asks: a login, or else an address
MAX_USER_CHARS: Final = 200  # of a name that a proxy gives: an e-mail address fits
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110, section 9.2.1
log = structlog.get_logger("wiredesk.desk")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, by the name that the log of changes tells, and what he may."""

    name: str
    scopes: frozenset[Scope] = ALL_SCOPES
    key: str = ""  # under which his requests and searches are counted; empty: his address
    is_remembered: bool = False  # by a browser, which shows his cookie or certificate for pages elsewhere too


CALLER: Final = web.RequestKey("caller", Caller)


class DeskAccess:
    """Lets in who may read, and sends others to the login."""

    def __init__(
        self,
        settings: Desk,
        clock: Callable[[], float] = time.time,
        may_read: Callable[[web.Request], bool] = lambda _request: False,
        tokens: TokenFile | None = None,
    ) -> None:
        """`clock` gives seconds since the epoch; `may_read` says which requests of pages elsewhere the operator allows.

        Raises:
            Misconfigured: the host is not loopback and nothing guards it; a proxy is no network.
        """
        check_exposure(settings, tokens)
        self._settings, self._clock, self._may_read, self._tokens = settings, clock, may_read, tokens
        self._proxies = parse_proxies(settings.proxies, "desk.proxies")
        self._throttle = TokenThrottle(time.monotonic)
        self._rates = RequestRates(settings.requests_per_minute, settings.changes_per_minute)
        # Sessions hold over a restart only where there is a secret that outlives it.
        self._session_key = settings.token or secrets.token_hex(32)
        if settings.token and len(settings.token) < MIN_TOKEN_CHARS:
            log.warning(
                "a token is short enough to be guessed; use 16 random characters", setting="desk.token"
            )

    @web.middleware
    async def check_reader(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer who may read; others get a login, or a refusal."""
        address = client_address(request, self._proxies)
        request[READER] = address
        has_guard = self._has_guard()
        if not self._may_read(request) or request.method not in SAFE_METHODS:
            _refuse_foreign_page(request, has_token=has_guard)
        if not has_guard:
            if not is_local_name(request):
                raise web.HTTPMisdirectedRequest(
                    text=f"open the desk as http://127.0.0.1:{self._settings.port}/, or give it a token to use another name"
                )
            _refuse_foreign_change(request, is_remembered=False)
            admit_caller(request)
            request[CALLER] = Caller(f"anyone at {address}")
            return await handler(request)
        caller = self._user_of_proxy(request) or self._session(request) or self._bearer(request, address)
        if caller is not None:
            _refuse_foreign_change(request, is_remembered=caller.is_remembered)
            admit_caller(request)
            request[CALLER] = caller
            request[READER] = caller.key or address
            self._rates.count_request(caller.key or address, is_change=request.method not in SAFE_METHODS)
            return await handler(request)
        if request.path.startswith(OPEN_PATHS):
            _refuse_foreign_change(request, is_remembered=False)
            request[IS_ANONYMOUS] = True
            return await handler(request)
        if request.path.startswith(("/api/", "/metrics")):
            raise web.HTTPUnauthorized(
                text="send a token of the desk as Authorization: Bearer",
                headers={"WWW-Authenticate": "Bearer"},
            )
        raise web.HTTPSeeOther(request.app.router["login"].url_for().with_query(next=request.path_qs))

    def log_in(self, request: web.Request, response: web.StreamResponse, typed: str) -> bool:
        """Set the session's cookie where the typed token is a right one, and return whether it was.

        Raises:
            web.HTTPTooManyRequests: too many wrong tokens came from the same address.
        """
        if not self._has_guard() or (token := self._identify(typed.strip(), request[READER])) is None:
            return False
        response.set_cookie(
            COOKIE_NAME,
            start_session(self._session_key, self._clock(), token.id if isinstance(token, DeskToken) else ""),
            max_age=SESSION_S,
            httponly=True,
            samesite="Strict",
            secure=is_encrypted(request, self._proxies),
        )
        return True

    def log_out(self, response: web.StreamResponse) -> None:
        """Take the session's cookie back."""
        response.del_cookie(COOKIE_NAME, httponly=True, samesite="Strict")

    def _has_guard(self) -> bool:
        settings = self._settings
        return bool(settings.token or settings.user_header or (self._tokens and self._tokens.is_in_use))

    def _identify(self, shown: str, address: str) -> DeskToken | Caller | None:
        """Whose token this is; a wrong one counts against its address.

        Raises:
            web.HTTPTooManyRequests: too many wrong ones came from there.
        """
        if wait := self._throttle.wait_s(address):
            raise web.HTTPTooManyRequests(
                text="too many wrong tokens; wait a little", headers={"Retry-After": str(int(wait) + 1)}
            )
        if self._settings.token and is_same_secret(shown, self._settings.token):
            return Caller(DESK_TOKEN_NAME)
        if token := self._tokens and self._tokens.find(shown):
            return token
        self._throttle.record_failure(address)
        return None

    def _bearer(self, request: web.Request, address: str) -> Caller | None:
        """Who bears a token (RFC 6750); who shows none counts against nobody."""
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = self._identify(shown.strip(), address)
        return _token_caller(token) if isinstance(token, DeskToken) else token

    def _session(self, request: web.Request) -> Caller | None:
        cookie = request.cookies.get(COOKIE_NAME, "")
        if not is_session(cookie, self._session_key, self._clock()):
            return None
        key = hashlib.sha256(cookie.encode()).hexdigest()
        identity = cookie.split(".")[2] if cookie.count(".") == 3 else ""
        if not identity:
            return Caller(DESK_TOKEN_NAME, key=key, is_remembered=True) if self._settings.token else None
        token = self._tokens and self._tokens.get(identity)
        return Caller(token.name, frozenset(token.scopes), key, is_remembered=True) if token else None

    def _user_of_proxy(self, request: web.Request) -> Caller | None:
        """Whom a named proxy has signed in; a header of anybody else, or given twice, says nothing."""
        header = self._settings.user_header
        if not header or not is_from_proxy(request, self._proxies):
            return None
        names = [name.strip() for name in request.headers.getall(header, [])]
        if len(names) != 1 or not names[0] or not names[0].isprintable() or len(names[0]) > MAX_USER_CHARS:
            return None
        scopes = ALL_SCOPES if names[0] in self._settings.operators else frozenset[Scope]({"read"})
        return Caller(names[0], scopes, f"user {names[0]}", is_remembered=True)


DESK_TOKEN_NAME: Final = "desk.token"  # noqa: S105 -- the name of the setting, in the log of changes


def _token_caller(token: DeskToken) -> Caller:
    return Caller(token.name, frozenset(token.scopes), f"token {token.id}")


def check_exposure(settings: Desk, tokens: TokenFile | None = None) -> None:
    """Refuse to open the desk to a network without a token, and to believe everybody's header.

    Raises:
        Misconfigured: the host is not loopback and there is no token; a header is believed and no proxy is named.
    """
    if settings.user_header and not settings.proxies:
        raise Misconfigured(
            "desk.user_header is believed from named proxies only: set desk.proxies to their addresses"
        )
    if settings.token or settings.user_header or (tokens and tokens.is_in_use):
        return
    if not is_loopback(settings.host):
        raise Misconfigured(
            f"[desk] host {settings.host!r} is open to the network: set desk.token"
            " (WIREDESK_DESK_TOKEN or WIREDESK_DESK_TOKEN_FILE), make one with `wiredesk token create`, or use 127.0.0.1"
        )


def start_session(key: str, now: float, identity: str = "") -> str:
    """The value of a cookie: when it ends, a number of its own, whose token it stands for, and a proof that it is ours."""
    session = f"{int(now) + SESSION_S}.{secrets.token_hex(8)}" + (f".{identity}" if identity else "")
    return f"{session}.{_sign_session(session, key)}"


def is_session(cookie: str, key: str, now: float) -> bool:
    """Whether a cookie is one of ours that has not ended."""
    session, _, proof = cookie.rpartition(".")
    if not is_same_secret(proof, _sign_session(session, key)):
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


def _refuse_foreign_page(request: web.Request, *, has_token: bool) -> None:
    """Refuse what a browser asks for on behalf of a page elsewhere: where no token protects, and at the login.

    With a token the cookie stays away from such requests (``SameSite=Strict``).
    """
    site = request.headers.get("Sec-Fetch-Site", "").strip().lower()
    if site == "cross-site" and (not has_token or request.method == "POST"):
        raise web.HTTPForbidden(text="a page elsewhere has asked for this; open the desk by its own address")


def _refuse_foreign_change(request: web.Request, *, is_remembered: bool) -> None:
    """Refuse a change that a browser sends for another page than the desk's own, one on another port of this host too.

    A browser says where a change comes from (``Sec-Fetch-Site``, ``Origin``); a program need not, unless it comes with
    what only a browser keeps.
    """
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("Sec-Fetch-Site", "").strip().lower(), request.headers.get("Origin")
    own_origins = {f"{scheme}://{request.host}" for scheme in ("http", "https")}
    is_own = site == "same-origin" or (not site and origin in own_origins)
    if not is_own and (site or origin is not None or is_remembered):
        raise web.HTTPForbidden(
            text="a change comes from the desk's own pages, or from a program with a token"
        )


def _sign_session(session: str, key: str) -> str:
    message = b"wiredesk session\0" + session.encode("utf-8", "surrogatepass")
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()
