"""Stories in the forms that others read: ninjs 1.6, 2.2 and 3.1, NewsML-G2, RSS 2.0, Atom and JSON Feed.

A form is written story by story between a head and a tail, so that an export does not grow in memory with its length;
one story by itself is what a webhook posts. `FORMS` has them by the name under which `wiredesk export --format` and a
webhook's ``format`` ask for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import orjson

from processors.model.event import Event
from sinks.forms import feeds, newsml
from sinks.forms.ninjs import NinjsVersion, make_ninjs

EVENT_FORM: Final = "event"  # of a webhook: the event as topics carry it


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write stories: `head`, an item each with `separator` between them, `tail`."""

    name: str
    media_type: str
    write_item: Callable[[Event], bytes]
    head: Callable[[Event | None], bytes] = lambda _first: b""
    tail: bytes = b""
    separator: bytes = b""

    def write_document(self, event: Event) -> bytes:
        """One story as a document by itself."""
        return self.head(event) + self.write_item(event) + self.tail


def _ninjs_form(version: NinjsVersion) -> Form:
    def write_item(event: Event) -> bytes:
        return orjson.dumps(make_ninjs(event, version), option=orjson.OPT_APPEND_NEWLINE)

    return Form(f"ninjs-{version}", "application/json", write_item)


_ALL: Final = (
    _ninjs_form("3.1"),
    _ninjs_form("2.2"),
    _ninjs_form("1.6"),
    Form(
        "newsml-g2", "application/vnd.iptc.g2.newsmessage+xml", newsml.write_item, newsml.write_head, newsml.MESSAGE_TAIL
    ),
    Form("rss", "application/rss+xml", feeds.write_rss_item, feeds.write_rss_head, feeds.RSS_TAIL),
    Form("atom", "application/atom+xml", feeds.write_atom_entry, feeds.write_atom_head, feeds.ATOM_TAIL),
    Form(
        "jsonfeed",
        "application/feed+json",
        feeds.write_json_item,
        feeds.write_json_head,
        feeds.JSON_TAIL,
        b",\n",
    ),
)  # fmt: skip
FORMS: Final[Mapping[str, Form]] = MappingProxyType({form.name: form for form in _ALL})
