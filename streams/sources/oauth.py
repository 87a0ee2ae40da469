"""Tokens of OAuth 2 (RFC 6749): by client credentials (4.4) or a password (4.3), kept in memory until they run out."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import orjson
from msgspec import Meta, Struct

from streams.sources.ports import SourceFault, SourceLimits
from streams.sources.web import ApiClient, WebRequest

MARGIN_S: Final = (
    30.0  # before a token's end at which a new one is asked for: requests under way still hold it
)
MIN_AGE_S: Final = (
    60.0  # of a token that is refused before another is asked for: a younger one fails for another reason
)
DEFAULT_LIFE_S: Final = 300.0  # of a token that does not say when it ends


class OAuthOptions(Struct, frozen=True, kw_only=True):
    """Where tokens come from. The client's name and secret are the secrets ``client_id`` and ``client_secret``."""

    address: str
    grant: Literal["client_credentials", "password"] = "client_credentials"
    scope: str = ""
    audience: str = ""
    send: Literal["basic", "form", "json"] = "basic"  # how the client's name and secret travel
    timeout_s: Annotated[float, Meta(gt=0)] = 30.0


class OAuthToken:
    """The token of one source."""

    def __init__(self, options: OAuthOptions, secrets: Mapping[str, str], limits: SourceLimits) -> None:
        """`secrets` by their names; nothing is asked yet."""
        self._options, self._secrets, self._limits = options, secrets, limits
        self._token, self._made_at, self._ends_at = "", 0.0, 0.0

    async def value(self) -> str:
        """The token, asked for where there is none or its end is near.

        Raises:
            SourceFault: there is none to be had.
        """
        if not self._token or time.monotonic() >= self._ends_at - MARGIN_S:
            await self._request()
        return self._token

    def forget(self) -> bool:
        """Drop a token that was refused; whether another one may be better."""
        is_old = bool(self._token) and time.monotonic() - self._made_at >= MIN_AGE_S
        self._token = ""
        return is_old

    async def _request(self) -> None:
        options = self._options
        client = ApiClient(
            self._limits, options.address, timeout_s=options.timeout_s, connections=1, delay_s=0.0
        )
        await client.open()
        try:
            answer = await client.ask(self._token_request())
        finally:
            await client.close()
        if answer.status != 200:
            message = f"no token: the server said {answer.status}; look at client_id and client_secret"
            raise SourceFault("credentials", message)
        try:
            values = orjson.loads(answer.body)
            token = values["access_token"]
            life_s = float(values.get("expires_in") or DEFAULT_LIFE_S)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SourceFault("malformed", "the answer to the request for a token holds none") from None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise SourceFault("malformed", "the token is no text that a header may hold")
        self._token, self._made_at = token, time.monotonic()
        self._ends_at = self._made_at + max(life_s, MARGIN_S + 1.0)

    def _token_request(self) -> WebRequest:
        options = self._options
        form: dict[str, str] = {"grant_type": options.grant}
        if options.grant == "password":
            form |= {"username": self._secret("username"), "password": self._secret("password")}
        if options.scope:
            form["scope"] = options.scope
        if options.audience:
            form["audience"] = options.audience
        headers: dict[str, str] = {"Accept": "application/json"}
        identity = {"client_id": self._secret("client_id"), "client_secret": self._secret("client_secret")}
        if options.send == "basic":
            pair = f"{identity['client_id']}:{identity['client_secret']}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        else:
            form |= identity
        body: Any = form if options.send == "json" else None
        return WebRequest(options.address, "POST", headers, body, None if options.send == "json" else form)

    def _secret(self, name: str) -> str:
        value = self._secrets.get(name)
        if not value:
            raise SourceFault("credentials", f"the secret {name!r} is missing; add it to `secrets`")
        return value
