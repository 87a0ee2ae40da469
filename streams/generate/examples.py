"""The examples of the contract: invented items, and what the pipeline makes of them with the settings that it comes with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import orjson

from config.settings import Settings
from processors.model.event import Event, RawItem
from streams.process import Input, Pipeline
from streams.topology import STEPS

RECEIVED_AT: Final = "2026-03-02T09:15:04.120Z"
URI: Final = "urn:newsml:nda.example:20260302:harbour-lisbon"
HEADLINE: Final = "Harbour of Lisbon opens after the storm"
LEAD: Final = (
    "LISBON, March 2 (NDA) - The harbour of Lisbon opened on Monday for the first time since the storm, and 40 ships "
    "that had waited in the Tagus came in."
)
QUOTE: Final = '"The last wreck was lifted at dawn," harbour master Mila Brandsma told reporters.'
EMBARGOED_LEAD: Final = (
    "LISBON, March 2 (NDA) - Portugal will buy six electric ferries for the Tagus by 2028, a report of the harbour "
    "office says."
)
SIGNOFF: Final = "(Reporting by Otto Vreed)"
# Each example with what its item says otherwise than the first one; None: it has no such member.
ITEMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "new": {},
    "update": {
        "version": "3", "versionCreated": "2026-03-02T10:30:00Z",
        "headline": f"{HEADLINE}; ferry to Barreiro sails again",
        "paragraphs": (LEAD, QUOTE, "The ferry to Barreiro sailed again at noon, with 900 passengers.", SIGNOFF),
        "received": "2026-03-02T10:30:02.500Z",
    },
    "correction": {
        "version": "4", "versionCreated": "2026-03-02T11:00:00Z", "edNote": "Corrects the number of ships to 14",
        "paragraphs": (
            "(Corrects number of ships in paragraph 1 to 14, not 40)", LEAD.replace("40", "14"), QUOTE, SIGNOFF),
        "received": "2026-03-02T11:00:01Z",
    },
    "duplicate": {
        "uri": "https://harbour-times.example/2026/03/storm", "version": None, "urgency": None, "feed": "harbour-times",
        "received": "2026-03-02T11:20:11Z",
    },
    "kill": {
        "version": "5", "versionCreated": "2026-03-02T15:00:00Z", "pubStatus": "canceled",
        "paragraphs": ("The story on the harbour of Lisbon is withdrawn: the harbour is closed. A substitute will follow.",),
        "received": "2026-03-02T15:00:03Z",
    },
    "embargoed": {
        "uri": "urn:newsml:nda.example:20260302:fleet-report", "version": "1", "pubStatus": "withheld",
        "embargoedUntil": "2026-03-02T18:00:00Z", "headline": "Portugal to buy six new ferries, report says",
        "paragraphs": (
            EMBARGOED_LEAD, "Embargoed until 18:00 GMT.", SIGNOFF),
        "received": "2026-03-02T16:00:00Z",
    },
}  # fmt: skip


@cache
def examples() -> dict[str, Event | RawItem]:
    """Every example by the name of its file."""
    items = {name: _item(**changes) for name, changes in ITEMS.items()}
    inputs = [Input(name, None, item) for name, item in items.items()]
    made: dict[str, Event | RawItem] = {"raw-item": items["new"]}
    for result in Pipeline(STEPS, Settings())(inputs):
        assert isinstance(result.event, Event), result.event
        made[f"event-{result.source.path}"] = result.event
    return made


def _item(
    *, headline: str = HEADLINE, paragraphs: tuple[str, ...] = (LEAD, QUOTE, SIGNOFF), feed: str = "nda-world",
    received: str = RECEIVED_AT, **members: Any,
) -> RawItem:  # fmt: skip
    ninjs = {
        "uri": URI, "type": "text", "version": "2", "firstCreated": "2026-03-02T09:10:00Z",
        "versionCreated": "2026-03-02T09:15:00Z", "pubStatus": "usable", "urgency": 4, "language": "en",
        "headlines": [{"role": "main", "value": headline}],
        "bodies": [{"role": "main", "contentType": "text/plain", "value": "\n\n".join(paragraphs)}],
        "infoSources": [{"name": "NDA"}], "standard": {"name": "ninjs", "version": "3.1"},
        **members,
    }  # fmt: skip
    payload = orjson.dumps({name: value for name, value in ninjs.items() if value is not None})
    url = f"https://{feed}.example/feed"
    return RawItem(payload, received, feed=feed, url=url, media_type="application/json")
