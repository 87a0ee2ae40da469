"""One recorded day of raw items, and what the pipeline makes of it in one process: the truth for every runtime."""

from __future__ import annotations

import orjson

from config.files import CONFIG_FOLDER
from config.settings import Settings
from processors.model.codec import encode
from processors.model.event import Event, RawItem
from streams.process import Input, Pipeline, Result
from streams.topology import STEPS
from tests.invented import line, story

Key = tuple[str, str | None, str]
RECEIVED = "2026-11-20T12:{:02}:{:02}Z"


def raw_items() -> list[RawItem]:
    """Samples, invented stories, repeats, new versions, and what cannot be read: one feed, so one order everywhere."""
    samples = [
        path.read_bytes() for path in sorted((CONFIG_FOLDER / "samples").iterdir()) if path.suffix != ".md"
    ]
    payloads = [*samples, *(line(number, 80) for number in range(40))]
    payloads += [_version(number) for number in range(0, 40, 8)]
    payloads += [_resent(number) for number in range(0, 40, 10)]
    payloads += [line(number, 80) for number in range(0, 40, 5)]
    payloads += [_kill(number, f"KILL: {_headline(number)}") for number in (3, 13)]
    payloads += [
        _kill(23, "ANULACIÓN", f"Se anula la noticia «{_headline(23)}»."),
        _kill(33, "KILL: nothing of ours"),
    ]
    payloads += [b"", b"\xff\xfe\x00\x01", b"<html><body>no feed</body></html>", b'{"weather": "fine"}']
    return [
        RawItem(payload, RECEIVED.format(number // 60, number % 60), feed="day")
        for number, payload in enumerate(payloads)
    ]


def expected(items: list[RawItem]) -> tuple[dict[Key, list[bytes]], list[str]]:
    """What `Pipeline` makes of the items: events by key, and the types of the errors, sorted."""
    pipeline = Pipeline(STEPS, Settings())
    results = [result for item in items for result in pipeline([Input("", None, item)])]
    errors = sorted(result.event.type for result in results if not isinstance(result.event, Event))
    return told([encode(event) for event in _events(results)]), errors


def told(values: list[bytes], *leave_out: str) -> dict[Key, list[bytes]]:
    """Events by uri, version and relation, each with all its copies (a story seen again is sent again)."""
    found: dict[Key, list[bytes]] = {}
    for value in values:
        event = {name: member for name, member in orjson.loads(value).items() if name not in leave_out}
        key = (event["story"]["uri"], event["story"].get("version"), event["lineage"]["relation"])
        found.setdefault(key, []).append(orjson.dumps(event, option=orjson.OPT_SORT_KEYS))
    return {key: sorted(copies) for key, copies in found.items()}


def killed(events: dict[Key, list[bytes]]) -> set[str | None]:
    """The stories that kills reach; None for one that reaches none."""
    kills = [orjson.loads(copies[0]) for (_, _, relation), copies in events.items() if relation == "kill"]
    return {event["lineage"]["of"] for event in kills}


def _events(results: list[Result]) -> list[Event]:
    return [result.event for result in results if isinstance(result.event, Event)]


def _version(number: int) -> bytes:
    """The next version of an invented story, with a sentence more."""
    made = story(number, 80)
    body = made["bodies"][0]
    body["value"] += "\n\nThe mayor resigned late on Friday after a vote of 19 to 4, the town clerk said."
    return orjson.dumps({**made, "version": "2", "versionCreated": "2026-11-20T18:00:00Z"})


def _headline(number: int) -> str:
    return str(story(number, 80)["headlines"][0]["value"])


def _kill(number: int, headline: str, text: str = "The figures were wrong.") -> bytes:
    """A notice under an identifier of its own, which names a story by its headline or none, in whatever language."""
    made = story(number, 80)
    made["headlines"][0]["value"], made["bodies"][0]["value"] = headline, text
    made.pop("language", None)
    return orjson.dumps(
        {**made, "uri": f"urn:invented:kill-{number}", "versionCreated": "2026-11-20T18:30:00Z"}
    )


def _resent(number: int) -> bytes:
    """The same story from somebody else."""
    return orjson.dumps({**story(number, 80), "uri": f"urn:elsewhere:{number}"})
