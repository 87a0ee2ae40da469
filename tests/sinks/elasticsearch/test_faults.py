"""What goes wrong on the way to a real Elasticsearch: a front on loopback refuses some requests in the server's words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from msgspec import structs

from config import Misconfigured
from processors.errors import Transient, Unindexable
from sinks.elasticsearch import ElasticsearchSink, ElasticStories
from sinks.elasticsearch.client import connect
from sinks.search import Query
from tests.sinks.elasticsearch.conftest import Stack
from tests.sinks.events import dispatch, event

pytestmark = pytest.mark.elasticsearch
PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
Refusal = Callable[[web.Request, bytes], web.Response | None]


@dataclass
class Front:
    """Passes requests on, save those that `refuse` answers itself."""

    url: str
    refuse: Refusal
    passed: int = 0


@pytest.fixture
async def front(stack: Stack) -> AsyncIterator[Front]:
    made = Front("", lambda _request, _body: None)
    async with ClientSession() as session:

        async def pass_on(request: web.Request) -> web.Response:
            body = await request.read()
            if refused := made.refuse(request, body):
                return refused
            made.passed += 1
            kept = {name: value for name, value in request.headers.items() if name.lower() != "host"}
            target = f"{stack.settings.url}{request.path_qs}"
            async with session.request(request.method, target, data=body, headers=kept) as answer:
                named = {
                    name: answer.headers[name]
                    for name in ("Content-Type", *PRODUCT)
                    if name in answer.headers
                }
                return web.Response(status=answer.status, body=await answer.read(), headers=named)

        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{rest:.*}", pass_on)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
        await runner.cleanup()


@pytest.fixture
async def bulk(stack: Stack, front: Front) -> AsyncIterator[ElasticsearchSink]:
    told = structs.replace(stack.settings, url=front.url, api_key="a-key")
    async with connect(told) as client:
        yield ElasticsearchSink(told, client)


def error(status: int, type_: str, reason: str) -> web.Response:
    told = {"error": {"type": type_, "reason": reason}, "status": status}
    return web.json_response(told, status=status, headers=PRODUCT)


async def test_an_expired_key_is_waited_for_and_named(
    stack: Stack, front: Front, bulk: ElasticsearchSink
) -> None:
    front.refuse = lambda request, _body: (
        error(401, "security_exception", "api key is expired")
        if request.headers["Authorization"] == "ApiKey a-key"
        else None
    )
    with pytest.raises(
        Transient, match=r"api key is expired: put the new one into the file of .*elasticsearch\.api_key"
    ):
        await bulk.write([event("urn:a")])
    front.refuse = lambda _request, _body: None  # renewed
    assert (await bulk.write([event("urn:a")])).outcomes == [None]


async def test_a_request_over_the_servers_limit_is_halved_and_only_the_huge_story_set_aside(
    stack: Stack, front: Front, bulk: ElasticsearchSink
) -> None:
    front.refuse = lambda _request, body: (
        web.Response(status=413, headers=PRODUCT) if len(body) > 20_000 else None
    )
    events = [event(f"urn:{n}", text=f"Story {n}. " + "Ships came back. " * 100) for n in range(12)]
    events[7] = event("urn:7", text="Much too long. " * 5000)
    refused = (await bulk.write(events)).outcomes
    assert [n for n, each in enumerate(refused) if each] == [7]
    assert isinstance(refused[7], Unindexable)
    assert "http.max_content_length" in str(refused[7])
    await stack.put()
    assert (await stack.client.count(index=stack.settings.index))["count"] == 11


async def test_a_story_above_the_servers_indexing_pressure_is_set_aside_and_the_rest_written(
    stack: Stack, front: Front, bulk: ElasticsearchSink
) -> None:
    def refuse(request: web.Request, body: bytes) -> web.Response | None:
        if request.path != "/_bulk" or len(body) <= 20_000:
            return None
        asked = (
            f"all_bytes=0, coordinating_operation_bytes={len(body)}, max_coordinating_and_primary_bytes=20000"
        )
        return error(
            429, "es_rejected_execution_exception", f"rejected execution of coordinating operation [{asked}]"
        )

    front.refuse = refuse
    events = [event(f"urn:{n}", text=f"Story {n}. " + "Ships came back. " * 100) for n in range(6)]
    events[3] = event("urn:3", text="Much too long. " * 5000)
    refused = (await bulk.write(events)).outcomes
    assert [type(outcome) for outcome in refused] == [Unindexable if n == 3 else type(None) for n in range(6)]
    assert "indexing pressure" in str(refused[3])


async def test_what_nobody_expected_is_waited_for_and_named(
    stack: Stack, front: Front, bulk: ElasticsearchSink
) -> None:
    front.refuse = lambda request, _body: (
        error(418, "teapot_exception", "short and stout") if request.path == "/_bulk" else None
    )
    with pytest.raises(Transient, match="418 teapot_exception: short and stout: report it"):
        await bulk.write([event("urn:a")])
    front.refuse = lambda _request, _body: None
    assert (await bulk.write([event("urn:a")])).outcomes == [None]


async def test_a_login_that_stays_refused_ends_and_a_new_word_in_the_file_does_not(
    stack: Stack, front: Front, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sinks.elasticsearch.client.LOGIN_PATIENCE_S", 0.0)
    (tmp_path / "key").write_text("old")
    monkeypatch.setenv("WIREDESK_ELASTICSEARCH_API_KEY_FILE", str(tmp_path / "key"))
    front.refuse = lambda request, _body: (
        None
        if request.headers["Authorization"] == "ApiKey new"
        else error(401, "security_exception", "key is expired")
    )
    told = structs.replace(stack.settings, url=front.url, api_key="old")
    async with connect(told) as client:
        bulk = ElasticsearchSink(told, client)
        with pytest.raises(Misconfigured, match="key is expired: put the new one into the file"):
            await bulk.write([event("urn:a")])
        (tmp_path / "key").write_text("new")
        with pytest.raises(Transient):
            await bulk.write([event("urn:a")])
        assert (await bulk.write([event("urn:a")])).outcomes == [None]
        desk = ElasticStories(told, connect(told))
        with pytest.raises(Transient):
            await desk.latest(Query())
        assert (await desk.latest(Query())).hits == (), "the desk takes the new word as well"
        await desk.close()


async def test_an_overloaded_server_is_waited_for_and_what_it_had_taken_is_no_harm(
    stack: Stack, front: Front, bulk: ElasticsearchSink
) -> None:
    busy = iter([True, False])

    def refuse(request: web.Request, _body: bytes) -> web.Response | None:
        over = request.path == "/_bulk" and next(busy, False)
        return error(429, "es_rejected_execution_exception", "queue is full") if over else None

    front.refuse = refuse
    with pytest.raises(Transient, match="overloaded"):
        await bulk.write([event("urn:a"), event("urn:b")])
    assert (await bulk.write([event("urn:a"), event("urn:b")])).outcomes == [None, None]
    await stack.put()
    assert (await stack.client.count(index=stack.settings.index))["count"] == 2


async def test_a_full_disk_is_waited_for(stack: Stack) -> None:
    await stack.put(event("urn:before"))
    block = "index.blocks.read_only_allow_delete"  # what the server sets at the flood-stage watermark
    await stack.client.indices.put_settings(index=stack.settings.index, settings={block: True})
    with pytest.raises(Transient, match="free the disk"):
        await stack.bulk.write([event("urn:a")])
    await stack.client.indices.put_settings(index=stack.settings.index, settings={block: None})
    assert await stack.put(event("urn:a")) == [None]


async def test_a_story_that_conflicts_with_the_mapping_is_refused_by_name(stack: Stack) -> None:
    await stack.put(event("urn:before"))
    limit = {"index.mapping.nested_objects.limit": 1}
    await stack.client.indices.put_settings(index=stack.settings.index, settings=limit)
    wrong, sound = await stack.put(dispatch(), event("urn:a"))
    assert isinstance(wrong, Unindexable)
    assert "nested documents" in str(wrong)
    assert sound is None


async def test_another_server_in_its_place_is_told(
    stack: Stack, front: Front, bulk: ElasticsearchSink
) -> None:
    front.refuse = lambda _request, _body: web.json_response({"tagline": "something else"})
    with pytest.raises(Transient, match="not an Elasticsearch 8"):
        await bulk.write([event("urn:a")])
    assert front.passed == 0
