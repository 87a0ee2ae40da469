"""Who may read the desk.

On loopback without a token everybody on this machine may, but only under a name of this machine, so that a web page
elsewhere can't reach in by rebinding its own name. With a token, which any other host demands, a reader shows it as
``Authorization: Bearer``, or types it once into the login form and keeps a cookie that is worth it but not equal to it.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from config import Misconfigured
from config.settings import Desk

COOKIE_NAME: Final = "wiredesk"
# How long a login lasts: shorter asks editors for the token too often; longer keeps a lost laptop signed in.
SESSION_S: Final = 14 * 24 * 3600
OPEN_PATHS: Final = ("/livez", "/readyz", "/login", "/static/")


def check_exposure(settings: Desk) -> None:
    """Refuse to open the desk to a network without a token.

    Raises:
        Misconfigured: the host is not loopback and there is no token.
    """
    if not settings.token and not _is_loopback(settings.host):
        raise Misconfigured(
            f"[desk] host {settings.host!r} is open to the network: set desk.token"
            " (WIREDESK_DESK_TOKEN or WIREDESK_DESK_TOKEN_FILE), or use 127.0.0.1"
        )


def access_middleware(settings: Desk) -> Middleware:
    """The middleware that lets in who may read, and sends others to the login."""

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(OPEN_PATHS):
            return await handler(request)
        if not settings.token:
            if not _is_loopback(_host_name(request)):
                raise web.HTTPMisdirectedRequest(
                    text=f"open the desk as http://127.0.0.1:{settings.port}/, or give it a token to use another name"
                )
            return await handler(request)
        if _has_bearer(request, settings.token) or _has_session(request, settings.token):
            return await handler(request)
        if request.path.startswith(("/api/", "/metrics")):
            raise web.HTTPUnauthorized(
                text="send the desk's token as Authorization: Bearer", headers={"WWW-Authenticate": "Bearer"}
            )
        raise web.HTTPSeeOther(request.app.router["login"].url_for().with_query(next=request.path_qs))

    return admit


def log_in(response: web.StreamResponse, token: str, typed: str, *, secure: bool) -> bool:
    """Set the session's cookie where the typed token is the right one, and return whether it was."""
    if not hmac.compare_digest(typed.encode(), token.encode()):
        return False
    response.set_cookie(
        COOKIE_NAME, _session_key(token), max_age=SESSION_S, httponly=True, samesite="Strict", secure=secure
    )
    return True


def local_path(url: str) -> str:
    """The path to open after the login: the given one where it is of the desk, else the first page."""
    parts = urlsplit(url)
    is_local = (
        not parts.scheme and not parts.netloc and url.startswith("/") and not url.startswith(("//", "/\\"))
    )
    return url if is_local else "/"


def _has_bearer(request: web.Request, token: str) -> bool:
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())


def _has_session(request: web.Request, token: str) -> bool:
    return hmac.compare_digest(request.cookies.get(COOKIE_NAME, "").encode(), _session_key(token).encode())


def _session_key(token: str) -> str:
    """The cookie's value: it proves that its owner knew the token, and does not tell it."""
    return hmac.new(token.encode(), b"wiredesk session", hashlib.sha256).hexdigest()


def _host_name(request: web.Request) -> str:
    return urlsplit(f"//{request.host}").hostname or ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
