"""What goes wrong on the way to a real Elasticsearch: a front on loopback refuses some requests in the server's words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession, web
from msgspec import structs

from processors.errors import Transient, Unindexable
from sinks.elasticsearch import ElasticsearchSink
from sinks.elasticsearch.client import connect
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
