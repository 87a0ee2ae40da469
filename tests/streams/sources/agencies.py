"""Agencies on loopback, whose APIs have the shapes that AP, Reuters, dpa and AFP publish; and lists in JSON and XML.

Each serves the same invented stories. A test decides how many, and what goes wrong.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import web
from aiohttp.test_utils import TestServer

KEY = "key-of-the-newsroom"
CLIENT, CLIENT_SECRET = "client-of-the-newsroom", "secret-of-the-newsroom"
USER, PASSWORD = "desk", "password-of-the-desk"
START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
PRESETS = ("ap", "reuters", "dpa", "afp", "generic-json", "generic-xml")
Hook = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@dataclass(frozen=True)
class Wire:
    """One story, as every agency has it."""

    number: int

    @property
    def name(self) -> str:
        return f"story-{self.number:05}"

    @property
    def headline(self) -> str:
        return f"Harbour of Port Alder opens quay {self.number}"

    @property
    def text(self) -> str:
        return (
            f"PORT ALDER (NNA) - The harbour has opened its quay number {self.number} to the first ferries on Monday.\n\n"
            f"Odile Farquhar, who keeps the cranes, told of {self.number + 3} ships that wait in the roads."
        )

    @property
    def time(self) -> str:
        return (START + timedelta(seconds=self.number)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def nitf(self) -> bytes:
        paragraphs = "".join(f"<p>{escape(part)}</p>" for part in self.text.split("\n\n"))
        return (
            f'<nitf><head><docdata><doc-id id-string="{self.name}"/></docdata></head><body><body.head>'
            f"<hedline><hl1>{self.headline}</hl1></hedline></body.head>"
            f"<body.content>{paragraphs}</body.content></body></nitf>"
        ).encode()


@dataclass
class Agency:
    """The server. `hook` is asked first and may answer in its place."""

    count: int = 0
    page: int = 100
    url: str = ""
    hook: Hook | None = None
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)  # method, path, headers
    receipts: list[str] = field(default_factory=list)
    queue: list[int] = field(default_factory=list)
    tokens: int = 0
    retry_after: int = 0

    @property
    def wires(self) -> list[Wire]:
        return [Wire(number) for number in range(self.count)]

    @property
    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._middleware()])
        app.router.add_get("/ap/feed", self._ap)
        app.router.add_get("/ap/{name}/nitf", self._nitf)
        app.router.add_post("/oauth/token", self._token)
        app.router.add_post("/reuters/graphql", self._reuters)
        app.router.add_get("/dpa/entries.json", self._dpa)
        app.router.add_delete("/dpa/entry/{receipt}", self._delete)
        app.router.add_post("/afp/search", self._afp)
        app.router.add_get("/list.json", self._json)
        app.router.add_get("/list.xml", self._xml)
        return app

    def _middleware(self) -> Any:
        @web.middleware
        async def count_requests(request: web.Request, handler: Any) -> web.StreamResponse:
            self.asked.append((request.method, request.path_qs, dict(request.headers)))
            if self.hook and (answer := await self.hook(request)):
                return answer
            return await handler(request)  # type: ignore[no-any-return]

        return count_requests

    def _slice(self, request: web.Request, name: str) -> tuple[int, list[Wire]]:
        start = int(request.query.get(name, 0))
        return start, self.wires[start : start + self.page]

    async def _ap(self, request: web.Request) -> web.Response:
        if request.headers.get("x-api-key") != KEY:
            return web.json_response({"error": {"status": 403, "message": "Invalid API Key"}}, status=403)
        start, wires = self._slice(request, "seq")
        items = [
            {
                "meta": {"products": [{"id": 1}]},
                "item": {
                    "uri": f"{self.url}/ap/{wire.name}", "type": "text", "headline": wire.headline,
                    "version": 1, "altids": {"itemid": wire.name, "etag": f"{wire.name}_0a"},
                    "renditions": {"nitf": {"href": f"{self.url}/ap/{wire.name}/nitf", "format": "NITF"}},
                },
            }
            for wire in wires
        ]  # fmt: skip
        following = f"{self.url}/ap/feed?page_size=100&include=*&seq={start + len(wires)}"
        data = {
            "updated": START.isoformat(),
            "items": items,
            "current_item_count": len(items),
            "next_page": following,
        }
        return web.json_response({"api_version": "1.1", "data": data})

    async def _nitf(self, request: web.Request) -> web.Response:
        if request.headers.get("x-api-key") != KEY:
            return web.json_response({"error": {"status": 403}}, status=403)
        wire = Wire(int(request.match_info["name"].rpartition("-")[2]))
        return web.Response(body=wire.nitf(), content_type="application/xml")

    async def _token(self, request: web.Request) -> web.Response:
        if request.content_type == "application/json":
            said = await request.json()
        else:
            said = dict(await request.post())
        basic = request.headers.get("Authorization", "")
        is_client = said.get("client_secret") == CLIENT_SECRET or basic.startswith("Basic ")
        is_user = said["grant_type"] != "password" or said.get("password") == PASSWORD
        if not is_client or not is_user:
            return web.json_response({"error": "access_denied"}, status=401)
        self.tokens += 1
        return web.json_response(
            {"access_token": f"token-{self.tokens}", "expires_in": 3600, "token_type": "Bearer"}
        )

    def _has_token(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer token-{self.tokens}"

    async def _reuters(self, request: web.Request) -> web.Response:
        if not self._has_token(request):
            return web.json_response({"message": "Unauthorized"}, status=401)
        said = await request.json()
        variables = said["variables"]
        if "item(" in said["query"]:
            wire = Wire(int(variables["id"].split(":")[1].rpartition("-")[2]))
            paragraphs = "".join(f"<p>{escape(part)}</p>" for part in wire.text.split("\n\n"))
            item = {
                "uri": f"tag:wire.example,2026:{wire.name}", "version": "1", "versionedGuid": variables["id"],
                "versionCreated": wire.time, "firstCreated": wire.time, "headLine": wire.headline, "byLine": "Ivo Brandt",
                "language": "en", "urgency": 4, "usn": wire.name, "slug": "HARBOUR-QUAYS/", "pubStatus": "usable",
                "bodyXhtml": f'<html xmlns="http://www.w3.org/1999/xhtml"><head/><body>{paragraphs}</body></html>',
            }  # fmt: skip
            return web.json_response({"data": {"item": item}})
        start = int(variables["cursor"] or 0)
        newest = self.wires[::-1][start : start + self.page]
        items = [
            {"headLine": wire.headline, "versionedGuid": f"tag:{wire.name}:1", "usn": wire.name}
            for wire in newest
        ]
        end = start + len(newest)
        page = {"endCursor": str(end) if newest else None, "hasNextPage": end < self.count}
        return web.json_response({"data": {"search": {"pageInfo": page, "items": items}}})

    async def _dpa(self, _request: web.Request) -> web.Response:
        entries = [
            {
                "format": "digitalwires-1", "urn": f"urn:newsml:wire.example:20260302:{number}", "entry_id": Wire(number).name, "version": 1,
                "version_created": Wire(number).time, "updated": Wire(number).time, "pubstatus": "usable",
                "headline": Wire(number).headline, "language": "en", "type": "article",
                "article_html": "".join(f"<p>{part}</p>" for part in Wire(number).text.split("\n\n")),
                "_wireq_receipt": f"{Wire(number).name}/{len(self.asked)}",
            }
            for number in self.queue[: self.page]
        ]  # fmt: skip
        headers = {} if len(self.queue) > self.page else {"Retry-After": str(self.retry_after)}
        return web.json_response({"entries": entries}, headers=headers)

    async def _delete(self, request: web.Request) -> web.Response:
        name = request.match_info["receipt"].partition("/")[0]
        number = int(name.rpartition("-")[2])
        self.receipts.append(name)
        if number not in self.queue:
            return web.Response(status=404)
        self.queue.remove(number)
        return web.Response(status=204)

    async def _afp(self, request: web.Request) -> web.Response:
        if not self._has_token(request):
            return web.json_response({"error": "invalid_token"}, status=401)
        said = await request.json()
        since = said["dateRange"]["from"]
        wires = [wire for wire in self.wires if not since.startswith("2") or wire.time >= since[:19] + "Z"]
        docs = [
            {
                "uno": f"newsml.wire.example.{wire.name}", "published": wire.time, "created": wire.time, "lang": "en",
                "title": wire.headline, "news": wire.text.split("\n\n"), "urgency": 4, "slug": ["harbour", "quays"],
            }
            for wire in wires[: said["maxRows"]]
        ]  # fmt: skip
        return web.json_response({"response": {"numFound": len(wires), "docs": docs}, "error": None})

    async def _json(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": "no"}, status=401)
        start, wires = self._slice(request, "after")
        items = [
            {
                "uri": f"tag:wire.example,2026:{wire.name}", "id": wire.name, "type": "text", "version": "1",
                "versioncreated": wire.time, "headline": wire.headline, "body_text": wire.text, "language": "en",
            }
            for wire in wires
        ]  # fmt: skip
        following = {"next": f"/list.json?after={start + len(wires)}"} if wires else {}
        return web.json_response({"items": items, **following})

    async def _xml(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.Response(status=401)
        start, wires = self._slice(request, "after")
        items = "".join(
            f'<w:item id="{wire.name}" version="1"><w:doc href="/ap/{wire.name}/nitf"/></w:item>'
            for wire in wires
        )
        headers = {"Link": f'</list.xml?after={start + len(wires)}>; rel="next"'} if wires else {}
        text = f'<w:list xmlns:w="urn:wire">{items}</w:list>'
        return web.Response(text=text, content_type="application/xml", headers=headers)


@asynccontextmanager
async def agency(count: int = 0, page: int = 100) -> AsyncIterator[Agency]:
    """An agency that answers within the block."""
    made = Agency(count, page, queue=list(range(count)))
    server = TestServer(made.app, host="127.0.0.1")
    await server.start_server(shutdown_timeout=0.1)
    made.url = str(server.make_url("/")).rstrip("/")
    try:
        yield made
    finally:
        await server.close()


def tables(url: str) -> dict[str, str]:
    """For each preset what an operator writes, as TOML: names of secrets are variables of the environment."""
    oauth = f'oauth = {{ address = "{url}/oauth/token" }}\n'
    client = 'client_id = "env:T_CLIENT", client_secret = "env:T_CLIENT_SECRET"'
    user = 'username = "env:T_USER", password = "env:T_PASSWORD"'
    bearer = 'headers = { Authorization = "Bearer {key}" }\nsecrets = { key = "env:T_KEY" }\n'
    return {
        "ap": f'address = "{url}/ap/feed"\nsecrets = {{ key = "env:T_KEY" }}\n',
        "reuters": f'address = "{url}/reuters/graphql"\ncontent_address = "{url}/reuters/graphql"\n{oauth}'
        f"secrets = {{ {client} }}\n",
        "dpa": f'address = "{url}/dpa/entries.json"\nreceipt_address = "{url}/dpa/entry/{{receipt}}"\n',
        "afp": f'address = "{url}/afp/search"\n{oauth}secrets = {{ {client}, {user} }}\n',
        "generic-json": f'address = "{url}/list.json"\nid = "id"\nversion = "version"\n{bearer}',
        "generic-xml": f'address = "{url}/list.xml"\nid = "@id"\nversion = "@version"\ncontent = "doc.@href"\n'
        f'headers = {{ Authorization = "Bearer {{key}}", x-api-key = "{{key}}" }}\nsecrets = {{ key = "env:T_KEY" }}\n',
    }


ENVIRONMENT = {
    "T_KEY": KEY, "T_CLIENT": CLIENT, "T_CLIENT_SECRET": CLIENT_SECRET, "T_USER": USER, "T_PASSWORD": PASSWORD,
}  # fmt: skip


def as_json(value: object) -> str:
    return json.dumps(value)
