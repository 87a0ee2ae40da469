"""Handing a story on: posting it to one of the operator's webhooks, because an editor says so."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

from aiohttp import web
from msgspec import Struct

from sinks.desk.access import CALLER, READER
from sinks.desk.changes import ChangeLog
from sinks.desk.operations import BODY, Operation, Parameter, Refused, json_response, require_scope
from sinks.desk.ports import HandOn
from sinks.desk.queries import read_form
from sinks.listener import Bodies
from sinks.search import Stories

MAX_FORM_BYTES: Final = 4096  # the name of a target; more is no form of this page
MAX_FORM_FIELDS: Final = 5
FORM_TIMEOUT_S: Final = 10.0


class HandOnDemand(Struct, frozen=True, forbid_unknown_fields=True):
    """Which webhook gets the story."""

    target: str


class HandOnReceipt(Struct, frozen=True):
    """What was handed on, and where to."""

    uri: str
    target: str


class HandingOn:
    """The handlers of the page's form and of the API."""

    def __init__(self, stories: Stories, hand_on: HandOn, changes: ChangeLog) -> None:
        """`hand_on` knows the targets, `changes` notes who handed what on."""
        self._stories, self._hand_on, self._changes = stories, hand_on, changes
        self._bodies = Bodies(timeout_s=FORM_TIMEOUT_S)

    def routes(self) -> list[web.RouteDef]:
        """The address of the form."""
        return [web.post("/hand-on/{uri:.+}", self.submit)]

    def operations(self) -> list[Operation]:
        """The operation of the API."""
        uri = Parameter("uri", "The uri of a story, percent-encoded.", where="path")
        return [
            Operation(
                "POST", "/api/hand-on/{uri:.+}", self.answer, HandOnReceipt, (uri,), "operate", HandOnDemand,
                status=202, errors=(404, 409),
            )
        ]  # fmt: skip

    async def answer(self, request: web.Request) -> web.Response:
        """Post a story to a webhook of the operator, as its route would: 202 where it waits for delivery."""
        demand = request[BODY]
        assert isinstance(demand, HandOnDemand)
        uri = request.match_info["uri"]
        await self._post(request, uri, demand.target)
        return json_response({"uri": uri, "target": demand.target}, 202)

    async def submit(self, request: web.Request) -> web.Response:
        """The form of a story's page; it leads back there."""
        require_scope(request, "operate")
        async with self._bodies.read_body(request, MAX_FORM_BYTES) as body:
            form = read_form(body, MAX_FORM_FIELDS)
        uri, target = request.match_info["uri"], form.get("target", "")
        await self._post(request, uri, target)
        back = f"/stories/{quote(uri, safe='')}?{urlencode({'handed': target})}"
        return web.Response(status=303, headers={"Location": back, "Cache-Control": "no-store"})

    async def _post(self, request: web.Request, uri: str, target: str) -> None:
        stored = await self._stories.get(uri)
        if stored is None:
            raise Refused(f"no story has the uri {uri}", 404)
        if target not in self._hand_on.targets:
            raise Refused(
                f"no webhook is called {target!r}; there are {', '.join(self._hand_on.targets)}", 404
            )
        if stored.hidden:
            raise Refused(f"the story was {stored.hidden}, so it is not handed on", 409)
        await self._hand_on.hand_on(target, stored.event)
        caller = request.get(CALLER)
        await self._changes.record(
            caller.name if caller else request[READER], "hand on a story", uri, f"to {target}"
        )
