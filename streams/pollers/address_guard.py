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
from urllib.parse import urlsplit

from config import Misconfigured
from sinks.callers import is_loopback

POLL_SETTING: Final = "poll.allowed_addresses"
BLOCKED_MARK: Final = "address is not allowed"  # found again in errors that join several
# IANA's IPv4 and IPv6 special-purpose address registries: what they call not globally reachable, beside multicast (RFC
# 5771, RFC 4291) and what was taken back (6to4 relays, RFC 7526; site-local, RFC 3879). They stand here, since Python's
# own tables change from release to release, and a network that is missing opens it.
SPECIAL_IPV4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
GLOBAL_IPV4: Final = tuple(map(IPv4Network, ("192.0.0.9/32", "192.0.0.10/32")))  # within 192.0.0.0/24
UNICAST_IPV6: Final = IPv6Network(
    "2000::/3"
)  # all that IANA gives out; what is beyond is special or not given out
SPECIAL_IPV6: Final = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "3ffe::/16")
)  # Teredo (2001::/32) and 6to4 (2002::/16) among them, which lead to any IPv4 address
GLOBAL_IPV6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:3::/32", "2001:4:112::/48", "2001:20::/28", "2001:30::/28",
    )
)  # fmt: skip # within 2001::/23
NAT64: Final = IPv6Network("64:ff9b::/96")
LOCAL_NAT64: Final = IPv6Network("64:ff9b:1::/48")
# Where the four bytes of an IPv4 address stand in an IPv6 address, by the length of the prefix (RFC 6052, 2.2).
EMBEDDED_BYTES: Final = {
    48: (6, 7, 9, 10),
    56: (7, 9, 10, 11),
    64: (9, 10, 11, 12),
    96: (12, 13, 14, 15),
}
ISATAP_IDENTIFIERS: Final = (
    b"\x00\x00\x5e\xfe",
    b"\x02\x00\x5e\xfe",
)  # before an IPv4 address (RFC 5214, 6.1)


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
    """Whether a connection to an address (no host name) may be tried.

    A local network's NAT64 (RFC 8215) is closed like every network that is not globally reachable; where it is opened, it
    still leads to public addresses only.
    """
    try:
        parsed = _unmap(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    if any(opening.port in {None, port} and parsed in opening.network for opening in opened):
        return parsed not in LOCAL_NAT64 or _is_public_in_every_form(parsed)
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


def hides_secrets(url: str) -> bool:
    """Whether nobody on the way can read what is sent to a URL: it goes by TLS, or stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme.lower() == "https" or is_loopback(parts.hostname or "")


def is_address(host: str) -> bool:
    """Whether a host is written as an address, and not as a name."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _unmap(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside a mapped IPv6 address."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return _is_global(address, SPECIAL_IPV4, GLOBAL_IPV4)
    if address in NAT64:
        return _is_public(_embedded_address(address, 96))
    if address not in UNICAST_IPV6 or not _is_global(address, SPECIAL_IPV6, GLOBAL_IPV6):
        return False
    return address.packed[8:12] not in ISATAP_IDENTIFIERS or _is_public(_embedded_address(address, 96))


def _is_global(
    address: IPv4Address | IPv6Address,
    special: Sequence[IPv4Network | IPv6Network],
    exceptions: Sequence[IPv4Network | IPv6Network],
) -> bool:
    return not any(address in network for network in special) or any(
        address in network for network in exceptions
    )


def _is_public_in_every_form(address: IPv4Address | IPv6Address) -> bool:
    """Whether a translator of a local network leads to a public address, however long its prefix is.

    A form that begins with a zero is not the one in use: 0.0.0.0/8 is nobody's. Any other may be.
    """
    embedded = [_embedded_address(address, length) for length in EMBEDDED_BYTES]
    used = [inner for inner in embedded if inner.packed[0]]
    return bool(used) and all(map(_is_public, used))


def _embedded_address(address: IPv4Address | IPv6Address, prefix_length: int) -> IPv4Address:
    return IPv4Address(bytes(address.packed[place] for place in EMBEDDED_BYTES[prefix_length]))
