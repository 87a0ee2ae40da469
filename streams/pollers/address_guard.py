"""Which addresses may be connected to: the public ones, and those that the settings open.

The check runs where the socket is made, so it sees the address itself: what DNS said a moment earlier, a redirect,
or a number in odd spelling can't get round it.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from config import Misconfigured

POLL_SETTING: Final = "poll.allowed_addresses"
BLOCKED_MARK: Final = "address is not allowed"  # found again in errors that join several
NAT64: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
TEREDO_AND_6TO4: Final = (ip_network("2001::/32"), ip_network("2002::/16"))


class BlockedAddress(OSError):
    """A connection that was refused before it was tried."""


@dataclass(frozen=True, slots=True)
class AllowedNetwork:
    """A network opened by the settings, on every port or on one."""

    network: IPv4Network | IPv6Network
    port: int | None = None


def parse_networks(values: Sequence[str], setting: str = POLL_SETTING) -> tuple[AllowedNetwork, ...]:
    """A setting ``allowed_addresses``: ``10.0.0.0/8``, ``127.0.0.1:8099``, ``[::1]:80``, ``127.0.0.0/28:8099``.

    Raises:
        Misconfigured: one of them is no network.
    """
    return tuple(_parse_network(value.strip(), setting) for value in values)


def is_allowed(address: str, port: int, opened: Sequence[AllowedNetwork]) -> bool:
    """Whether a connection to an address (no host name) may be tried."""
    try:
        parsed = _unmap(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    if any(opening.port in {None, port} and parsed in opening.network for opening in opened):
        return True
    return _is_public(parsed)


def socket_factory(
    opened: Sequence[AllowedNetwork], setting: str = POLL_SETTING
) -> Callable[[Any], socket.socket]:
    """What aiohttp's connector calls with the address that it is about to connect to."""

    @lru_cache(4096)
    def allowed(address: str, port: int) -> bool:
        return is_allowed(address, port, opened)

    def make(info: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        family, kind, protocol, _, address = info
        if not allowed(str(address[0]), int(address[1])):
            raise BlockedAddress(errno.EACCES, f"{address[0]}: {BLOCKED_MARK}; open it with {setting}")
        return socket.socket(family, kind, protocol)

    return make


def _parse_network(value: str, setting: str) -> AllowedNetwork:
    network, port = value, None
    if value.startswith("["):
        network, _, rest = value[1:].partition("]")
        port = rest.removeprefix(":") or None
    elif value.count(":") == 1:
        network, _, port = value.partition(":")
    try:
        return AllowedNetwork(ip_network(network, strict=False), int(port) if port is not None else None)
    except ValueError as error:
        raise Misconfigured(
            f"{setting}: {value!r} is no network such as 10.0.0.0/8 or 127.0.0.1:8099"
        ) from error


def _unmap(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside a mapped IPv6 address."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        if any(address in network for network in NAT64):
            return _is_public(IPv4Address(address.packed[-4:]))
        if address.is_site_local or any(address in network for network in TEREDO_AND_6TO4):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved
