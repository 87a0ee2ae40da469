"""Who may read the desk.

On loopback without a token everybody on this machine may, but only under a name of this machine, so that a web page
elsewhere can't reach in by rebinding its own name, and not on behalf of a page elsewhere. With a token, which any other
host demands, a reader shows it as ``Authorization: Bearer``, or types it once into the login form and keeps a cookie
that is worth it for two weeks but not equal to it. Who shows wrong tokens has to wait.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from config import Misconfigured
from config.settings import Desk
from processors.numbers import parse_int64
from sinks.callers import (
    TokenGuard,
    client_address,
    is_encrypted,
    is_local_name,
    is_loopback,
    is_same_secret,
    parse_proxies,
)
from sinks.listener import admit_caller

COOKIE_NAME: Final = "wiredesk"
# How long a login lasts: shorter asks editors for the token too often; longer keeps a lost laptop signed in.
SESSION_S: Final = 14 * 24 * 3600
OPEN_PATHS: Final = ("/livez", "/readyz", "/login", "/display", "/static/")
IS_ANONYMOUS: Final = web.RequestKey("anonymous", bool)  # set where a path is open and no token was shown
READER: Final = web.RequestKey("reader", str)  # who asks: a login, or else an address
log = structlog.get_logger("wiredesk.desk")


class DeskAccess:
    """Lets in who may read, and sends others to the login."""

    def __init__(
        self,
        settings: Desk,
        clock: Callable[[], float] = time.time,
        may_read: Callable[[web.Request], bool] = lambda _request: False,
    ) -> None:
        """`clock` gives seconds since the epoch; `may_read` says which requests of pages elsewhere the operator allows.

        Raises:
            Misconfigured: the host is not loopback and there is no token; a proxy is no network.
        """
        check_exposure(settings)
        self._settings, self._clock, self._may_read = settings, clock, may_read
        self._proxies = parse_proxies(settings.proxies, "desk.proxies")
        self._tokens = TokenGuard(settings.token, "desk.token", clock)

    @web.middleware
    async def check_reader(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer who may read; others get a login, or a refusal."""
        address = client_address(request, self._proxies)
        request[READER] = address
        if not self._may_read(request):
            _refuse_foreign_page(request, has_token=bool(self._settings.token))
        if not self._settings.token:
            if not is_local_name(request):
                raise web.HTTPMisdirectedRequest(
                    text=f"open the desk as http://127.0.0.1:{self._settings.port}/, or give it a token to use another name"
                )
            admit_caller(request)
            return await handler(request)
        if self._has_session(request) or self._tokens.has_bearer(request, address):
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
        if not token or not self._tokens.is_token(typed, request[READER]):
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
