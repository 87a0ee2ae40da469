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

from config.errors import Misconfigured
from config.settings import Desk

COOKIE: Final = "wiredesk"
SESSION_S: Final = 14 * 24 * 3600
OPEN_PATHS: Final = ("/livez", "/readyz", "/login", "/static/")


def check(settings: Desk) -> None:
    """Refuse to show the desk to a network without a token.

    Raises:
        Misconfigured: the host is not loopback and there is no token.
    """
    if not settings.token and not _is_loopback(settings.host):
        raise Misconfigured(
            f"[desk] host {settings.host!r} is open to the network: set desk.token"
            " (WIREDESK_DESK_TOKEN or WIREDESK_DESK_TOKEN_FILE), or use 127.0.0.1"
        )


def guard(settings: Desk) -> Middleware:
    """The middleware that lets in who may read."""

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
        if _bears(request, settings.token) or _session(request, settings.token):
            return await handler(request)
        if request.path.startswith(("/api/", "/metrics")):
            raise web.HTTPUnauthorized(
                text="send the desk's token as Authorization: Bearer", headers={"WWW-Authenticate": "Bearer"}
            )
        raise web.HTTPSeeOther(request.app.router["login"].url_for().with_query(next=request.path_qs))

    return admit


def login(response: web.StreamResponse, token: str, told: str, *, secure: bool) -> bool:
    """Set the session's cookie where the token told is the right one; whether it was."""
    if not hmac.compare_digest(told.encode(), token.encode()):
        return False
    response.set_cookie(
        COOKIE, _worth(token), max_age=SESSION_S, httponly=True, samesite="Strict", secure=secure
    )
    return True


def local_path(told: str) -> str:
    """Where to go after the login: a path of the desk, never another site."""
    parts = urlsplit(told)
    inside = (
        not parts.scheme and not parts.netloc and told.startswith("/") and not told.startswith(("//", "/\\"))
    )
    return told if inside else "/"


def _bears(request: web.Request, token: str) -> bool:
    scheme, _, told = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(told.strip().encode(), token.encode())


def _session(request: web.Request, token: str) -> bool:
    return hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), _worth(token).encode())


def _worth(token: str) -> str:
    return hmac.new(token.encode(), b"wiredesk session", hashlib.sha256).hexdigest()


def _host_name(request: web.Request) -> str:
    return urlsplit(f"//{request.host}").hostname or ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
