"""A story to take along: as plain text, and in the forms of `sinks.forms`."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from processors.model.event import Event
from sinks.desk.operations import Operation, Parameter, Refused
from sinks.forms import FORMS
from sinks.search import Stories, shown_headline
from sinks.stories import source_name

TEXT_FORM: Final = "text"
TEXT_TYPE: Final = "text/plain"


class StoryForms:
    """``/api/forms/FORM/URI``."""

    def __init__(self, stories: Stories) -> None:
        """Reads the store."""
        self._stories = stories

    def operations(self) -> list[Operation]:
        """The operation of the API."""
        names = [TEXT_FORM, *FORMS]
        form = Parameter("form", "How the story is written.", {"type": "string", "enum": names}, "path")
        uri = Parameter("uri", "The uri of a story, percent-encoded.", where="path")
        return [
            Operation(
                "GET", "/api/forms/{form}/{uri:.+}", self.answer, parameters=(form, uri), media_type="*/*", errors=(404, 409)
            )
        ]  # fmt: skip

    async def answer(self, request: web.Request) -> web.Response:
        """One story as plain text, ninjs, NewsML-G2, or a feed of one; 409 where it was killed."""
        name, uri = request.match_info["form"], request.match_info["uri"]
        form = FORMS.get(name)
        if form is None and name != TEXT_FORM:
            raise Refused(f"no form is called {name!r}; use {TEXT_FORM}, {', '.join(FORMS)}", 404)
        stored = await self._stories.get(uri)
        if stored is None:
            raise Refused(f"no story has the uri {uri}", 404)
        if stored.hidden == "killed":
            raise Refused("the publisher has withdrawn this story; do not use it", 409)
        headers = {"Cache-Control": "no-store"}
        if stored.hidden:
            headers["X-Wiredesk-Hidden"] = stored.hidden
        event = stored.event
        if form is None:
            return web.Response(
                text=write_text(event), content_type=TEXT_TYPE, charset="utf-8", headers=headers
            )
        body = await asyncio.to_thread(form.write_document, event)
        return web.Response(body=body, headers=headers | {"Content-Type": form.media_type})


def write_text(event: Event) -> str:
    """A story to paste: headline, byline, text, and whose it is."""
    story = event.story
    has_headline = any(segment.kind == "headline" for segment in event.segments or ())
    head = [] if has_headline else [shown_headline(event)]
    credit = ", ".join(part for part in (source_name(event), story.version_created) if part)
    parts = [*head, story.by if story.by and story.by not in event.text else "", event.text.strip()]
    parts += [
        story.copyright_notice or "",
        story.usage_terms or "",
        "\n".join(filter(None, (credit, story.uri))),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
