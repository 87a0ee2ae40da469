"""Only public addresses are connected to, and those that the settings open."""

from __future__ import annotations

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from config import Misconfigured
from config.settings import Poll
from streams.pollers.address_guard import BlockedAddress, is_allowed, parse_networks, socket_factory
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
