"""Only public addresses are connected to, and those that the settings open."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from config import Misconfigured
from config.settings import Poll
from streams.pollers.address_guard import (
    BlockedAddress,
    hides_secrets,
    is_allowed,
    parse_networks,
    socket_factory,
)
from streams.pollers.fetch import Fetcher, Request
from tests.streams.pollers.conftest import WebServer
from tests.streams.pollers.polling import at_once


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2001:0:1::1",
        "localhost", "", "2130706433",
    ],
)  # fmt: skip
def test_private_and_special_addresses_are_refused(address: str) -> None:
    assert not is_allowed(address, 80, ())


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:220:1::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"]
)
def test_public_addresses_are_taken(address: str) -> None:
    assert is_allowed(address, 443, ())


@pytest.mark.parametrize(
    ("opened", "address", "port", "allowed"),
    [
        ("10.0.0.0/8", "10.9.9.9", 80, True),
        ("10.0.0.0/8", "11.9.9.9", 80, True),
        ("127.0.0.1:8099", "127.0.0.1", 8099, True),
        ("127.0.0.1:8099", "127.0.0.1", 8100, False),
        ("127.0.0.1:8099", "127.0.0.2", 8099, False),
        ("127.0.0.0/28:8099", "127.0.0.9", 8099, True),
        ("127.0.0.0/28:8099", "127.0.0.66", 8099, False),
        ("127.0.0.1", "::ffff:127.0.0.1", 80, True),
        ("[::1]:8080", "::1", 8080, True),
        ("[::1]:8080", "::1", 80, False),
        ("fd00::/8", "fd12::1", 80, True),
    ],
)
def test_the_settings_open_networks_and_single_ports(
    opened: str, address: str, port: int, allowed: bool
) -> None:
    assert is_allowed(address, port, parse_networks((opened,))) is allowed


@pytest.mark.parametrize("told", ["localhost", "10.0.0.0/40", "127.0.0.1:http", ""])
def test_what_is_no_network_is_named(told: str) -> None:
    with pytest.raises(Misconfigured, match="allowed_addresses"):
        parse_networks((told,))


def test_the_socket_is_not_even_made() -> None:
    make = socket_factory(())
    with pytest.raises(BlockedAddress, match="allowed_addresses"):
        make((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.66", 80)))


class Rebinding(AbstractResolver):
    """A name server that tells an allowed address first, and then one that is not."""

    def __init__(self, port: int, *addresses: str) -> None:
        self.left, self.port = list(addresses), port

    async def resolve(
        self,
        host: str,
        port: int = 0,  # noqa: ARG002 -- aiohttp's signature
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002
    ) -> list[ResolveResult]:
        address = self.left.pop(0)
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=self.port, family=kind, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("second", ["127.0.0.66", "10.0.0.1", "::1", "::ffff:127.0.0.1", "fd00::1"])
async def test_a_name_that_leads_elsewhere_the_second_time_is_refused(web: WebServer, second: str) -> None:
    """What is checked is the address that is connected to, so nothing can change between the two."""
    web.answer("/rss", b"seen")
    settings = Poll(allowed_addresses=(f"127.0.0.0/28:{web.port}",), connect_timeout_s=2.0)
    resolver = Rebinding(web.port, "127.0.0.1", second)
    request = Request(f"http://wire.example:{web.port}/rss")
    outcomes = []
    for _ in range(2):
        async with Fetcher(settings, resolver) as fetcher:
            outcomes.append(await fetcher.get(request, at_once))
    if second == "::ffff:127.0.0.1":  # the same machine, in another spelling: what is opened stays open
        assert outcomes[1].failure != "blocked_address"
    else:
        assert outcomes[1].failure == "blocked_address"
        assert len(web.requests) == 1
    assert (outcomes[0].status, outcomes[0].body) == (200, b"seen")
    assert resolver.left == [], "a name is asked for once a request"


# IANA's IPv4 and IPv6 special-purpose address registries, each block with "globally reachable", and what stands beside
# them: multicast (IPv4 and IPv6 multicast address space) and what is reserved or was taken back.
REGISTRY = {
    "0.0.0.0/8": False, "0.0.0.0/32": False, "10.0.0.0/8": False, "100.64.0.0/10": False, "127.0.0.0/8": False,
    "169.254.0.0/16": False, "172.16.0.0/12": False, "192.0.0.0/24": False, "192.0.0.0/29": False, "192.0.0.8/32": False,
    "192.0.0.9/32": True, "192.0.0.10/32": True, "192.0.0.170/32": False, "192.0.0.171/32": False, "192.0.2.0/24": False,
    "192.31.196.0/24": True, "192.52.193.0/24": True, "192.88.99.0/24": False, "192.88.99.2/32": False,
    "192.168.0.0/16": False, "192.175.48.0/24": True, "198.18.0.0/15": False, "198.51.100.0/24": False,
    "203.0.113.0/24": False, "240.0.0.0/4": False, "255.255.255.255/32": False, "224.0.0.0/4": False,
    "::1/128": False, "::/128": False, "64:ff9b:1::/48": False, "100::/64": False, "100:0:0:1::/64": False,
    "2001::/23": False, "2001::/32": False, "2001:1::1/128": True, "2001:1::2/128": True, "2001:1::3/128": True,
    "2001:2::/48": False, "2001:3::/32": True, "2001:4:112::/48": True, "2001:10::/28": False, "2001:20::/28": True,
    "2001:30::/28": True, "2001:db8::/32": False, "2002::/16": False, "2620:4f:8000::/48": True, "3fff::/20": False,
    "5f00::/16": False, "fc00::/7": False, "fe80::/10": False, "fec0::/10": False, "ff00::/8": False, "::/96": False,
    "::ffff:0:0:0/96": False, "4000::/3": False, "a000::/3": False,
}  # fmt: skip


def spread(network: IPv4Network | IPv6Network) -> list[IPv4Address | IPv6Address]:
    """The first, the last and some addresses of a network, without those of narrower blocks of the registry."""
    first, size = int(network.network_address), network.num_addresses
    places = {0, size - 1, size // 2, size // 3, min(5, size - 1)}
    found = [network[place] for place in places]
    assert first == int(network[0])
    narrower = [ip_network(name) for name in REGISTRY if ip_network(name) != network]
    inner = [
        other
        for other in narrower
        if other.version == network.version and other.prefixlen > network.prefixlen
    ]
    return [address for address in found if not any(address in other for other in inner)]


@pytest.mark.parametrize("block", REGISTRY)
def test_the_registries_of_special_addresses_are_followed(block: str) -> None:
    for address in spread(ip_network(block)):
        assert is_allowed(str(address), 80, ()) is REGISTRY[block], address
        if isinstance(address, IPv4Address):
            for inside in (f"::ffff:{address}", f"64:ff9b::{address}"):
                assert is_allowed(inside, 80, ()) is REGISTRY[block], inside
            assert not is_allowed(f"::{address}", 80, ()), "IPv4-compatible addresses are nobody's any more"


def translated(address: str, length: int, prefix: str = "64:ff9b:1::") -> str:
    """An address in IPv6 by RFC 6052, 2.2, for a prefix of a length."""
    octets = bytearray(IPv6Address(prefix).packed)
    for place, octet in zip({48: (6, 7, 9, 10), 56: (7, 9, 10, 11), 64: (9, 10, 11, 12), 96: (12, 13, 14, 15)}[length],
                            IPv4Address(address).packed, strict=True):  # fmt: skip
        octets[place] = octet
    return str(IPv6Address(bytes(octets)))


@pytest.mark.parametrize("length", [48, 56, 64, 96])
def test_a_translator_leads_nowhere_else_however_long_its_prefix_is(length: int) -> None:
    opened = parse_networks(("64:ff9b:1::/48",))
    for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1"):
        inside = translated(address, length)
        assert not is_allowed(inside, 80, opened), inside
        covered = bytearray(IPv6Address(inside).packed)
        if length < 96:  # what stands behind the address is for nobody, and hides nothing
            covered[12:] = IPv4Address("8.8.8.8").packed if length < 64 else bytes([covered[12], 8, 8, 8])
            assert not is_allowed(str(IPv6Address(bytes(covered))), 80, opened)
    assert is_allowed(translated("93.184.215.14", length), 80, opened)
    assert not is_allowed(translated("93.184.215.14", length), 80, ())
    assert not is_allowed("64:ff9b:1::", 80, opened)


def test_other_tunnels_lead_nowhere() -> None:
    assert not is_allowed("2606:2800:220:1:0:5efe:127.0.0.1", 80, ())  # ISATAP
    assert not is_allowed("2606:2800:220:1:200:5efe:10.0.0.1", 80, ())
    assert is_allowed("2606:2800:220:1:0:5efe:93.184.215.14", 80, ())


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("https://hub.example/", True), ("http://hub.example/", False), ("http://127.0.0.1:80/", True), ("http://[::1]/", True),
        ("http://localhost/", True), ("http://localhost.hub.example/", False), ("http://10.0.0.1/", False), ("HTTPS://a/", True),
        ("http://[::ffff:127.0.0.1]/", True),
    ],
)  # fmt: skip
def test_what_goes_in_clear_leaves_this_machine_nowhere(url: str, hidden: bool) -> None:
    assert hides_secrets(url) is hidden
