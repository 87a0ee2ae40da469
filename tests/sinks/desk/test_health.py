"""Probes."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import generate_latest

from sinks.desk.health import MAX_NAMED_FEEDS, count_feeds, health_app
from sinks.desk.ports import FeedHealth
from sinks.listener import serve


async def _fails() -> str | None:
    return "no broker at 127.0.0.1:9092"


async def _raises() -> str | None:
    raise ConnectionError("reset")


async def _passes() -> str | None:
    return None


async def test_a_process_is_ready_when_every_check_passes() -> None:
    async with TestClient(TestServer(health_app({"kafka": _passes}))) as client:
        answer = await client.get("/readyz")
        assert (answer.status, await answer.json()) == (200, {"status": "ok", "checks": {"kafka": "ok"}})


async def test_a_failing_check_is_named_and_the_process_stays_alive() -> None:
    async with TestClient(TestServer(health_app({"kafka": _fails, "index": _raises}))) as client:
        answer = await client.get("/readyz")
        assert answer.status == 503
        assert (await answer.json())["checks"] == {
            "kafka": "no broker at 127.0.0.1:9092",
            "index": "ConnectionError: reset",
        }
        assert (await client.get("/livez")).status == 200


async def test_figures_say_which_checks_pass_and_what_runs() -> None:
    checks = {"kafka": _passes, "index": _raises, "drop folder": _fails}
    async with TestClient(TestServer(health_app(checks))) as client:
        lines = (await (await client.get("/metrics")).text()).splitlines()
    assert 'wire_ready{check="kafka"} 1.0' in lines
    assert 'wire_ready{check="index"} 0.0' in lines
    assert 'wire_ready{check="drop folder"} 0.0' in lines
    (built,) = [line for line in lines if line.startswith("wire_build_info{")]
    assert f'version="{version("wiredesk")}"' in built
    assert built.endswith(" 1.0")


@pytest.mark.parametrize(
    ("host", "status"), [("127.0.0.1", 421), ("::1", 421), ("0.0.0.0", 200), ("worker", 200)]
)
async def test_a_page_that_has_rebound_its_name_learns_nothing_on_loopback(host: str, status: int) -> None:
    async with TestClient(TestServer(health_app({}, host=host))) as client:
        for path in ("/livez", "/readyz", "/metrics"):
            assert (await client.get(path, headers={"Host": "evil.example:9100"})).status == status
            assert (await client.get(path)).status == 200


async def test_a_free_port_is_told() -> None:
    runner, port = await serve(health_app({}), "127.0.0.1", 0)
    assert port > 0
    await runner.cleanup()


@pytest.mark.parametrize("number", [MAX_NAMED_FEEDS, MAX_NAMED_FEEDS + 1])
def test_the_feeds_that_are_silent_for_longest_are_named(number: int) -> None:
    feeds = [
        FeedHealth(f"f{n:04}", "", "", "stalled", last_new=f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z")
        for n in range(number)
    ]
    count_feeds(feeds)
    lines = generate_latest().decode().splitlines()
    named = [line for line in lines if line.startswith("wire_feed_last_item_timestamp_seconds{")]
    assert len(named) == MAX_NAMED_FEEDS
    assert any('feed="f0000"' in line for line in named)
    count_feeds([])
