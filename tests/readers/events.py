"""Events for readers: one with every member of the model, and what the pipeline makes of invented copy in many formats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import orjson
from msgspec.structs import fields

from config.files import CONFIG_FOLDER
from config.settings import Settings
from processors.model.codec import encode
from processors.model.event import Event, RawItem
from processors.model.schema import describe_member
from processors.model.story import Story
from streams.generate.examples import examples
from streams.process import Input, Pipeline, batches
from streams.topology import STEPS

NUMBER: Final = 500
RECEIVED: Final = "2026-03-02T09:15:04Z"
TEXTS: Final = {
    "date-time": "2026-03-02T09:15:04.250Z",
    "date": "2026-03-02",
    "uri": "https://www.wikidata.org/entity/Q1",
}
PATTERNED: Final = {
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "2026-03-02",
    "^[A-Z]{2}$": "PT",
    "^medtop:[0-9]{8}$": "medtop:04000000",
}
NUMBERS: Final[Mapping[Any, Any]] = {int: 3, float: 0.25, bool: True, bytes: b"raw"}
LARGE: Final = 3_000_000_000  # of what may be over 31 bits
WORDS: Final = (
    "Ferry",
    "Harbour",
    "Bridge",
    "Library",
    "Orchard",
    "Tram",
    "Lighthouse",
    "Market",
    "Museum",
    "Quarry",
)
PEOPLE: Final = (
    "Ada Quill",
    "Odile Farquhar",
    "Tomás Rivela",
    "Zoë Nakagawa-Lund",
    "Иван Брандт",
    "Mila Brandsma",
)
PLACES: Final = ("LISBON", "OSLO", "PORT ALDER", "WARSAW", "BUENOS AIRES", "CAIRO")


def full_event(number: int = 0) -> Event:
    """An event in which no member is absent; a closed list has another of its values for each number."""
    return _full(Event, number, ())  # type: ignore[no-any-return]


@cache
def many_events() -> Sequence[bytes]:
    """500 events as JSON: full ones, the examples, the samples, and stories with emoji, quotes and pictures."""
    lines = [encode(full_event(number)) for number in range(14)]
    lines += [encode(example) for example in examples().values() if isinstance(example, Event)]
    samples = sorted(path for path in (CONFIG_FOLDER / "samples").iterdir() if path.suffix != ".md")
    inputs = [
        Input(path.name, None, RawItem(path.read_bytes(), RECEIVED, input=path.name)) for path in samples
    ]
    inputs += [Input("ninjs", number, _item(number)) for number in range(NUMBER)]
    pipeline = Pipeline(STEPS, Settings())
    for batch in batches(inputs):
        lines += [encode(result.event) for result in pipeline(batch) if isinstance(result.event, Event)]
        if len(lines) >= NUMBER:
            break
    return lines[:NUMBER]


def lost_members(line: bytes, written: bytes | str, *, writes_empty: bool = True) -> list[str]:
    """What of an event a reader has lost or changed, by its path; a time may be written in another way.

    A reader that `writes_empty` is False of writes back no list that is empty, and has read it all the same.
    """
    absent: tuple[Any, ...] = (None,) if writes_empty else (None, [])
    return list(_lost(orjson.loads(line), orjson.loads(written), "", absent))


def _lost(before: Any, after: Any, path: str, absent: tuple[Any, ...]) -> Iterator[str]:
    if isinstance(before, dict):
        for name, value in before.items():
            if name not in after and value in absent:
                continue
            if name not in after:
                yield f"{path}.{name} is lost"
            else:
                yield from _lost(value, after[name], f"{path}.{name}", absent)
    elif isinstance(before, list):
        if not isinstance(after, list) or len(before) != len(after):
            yield f"{path} has another length"
        else:
            for value, other in zip(before, after, strict=True):
                yield from _lost(value, other, f"{path}[]", absent)
    elif before != after and not _is_same_time(before, after):
        yield f"{path}: {before!r} is {after!r}"


def _is_same_time(before: Any, after: Any) -> bool:
    from datetime import datetime

    try:
        return datetime.fromisoformat(before) == datetime.fromisoformat(after)
    except (TypeError, ValueError):
        return False


def _full(kind: Any, number: int, above: tuple[Any, ...]) -> Any:
    hints = get_type_hints(kind)
    members = {}
    for member in fields(kind):
        if kind is Story and member.name == "associations" and Story in above:
            continue
        described = describe_member(kind.__name__, member.name)
        members[member.name] = _value(hints[member.name], described, number, (*above, kind))
    return kind(**members)


def _value(hint: Any, described: Mapping[str, Any], number: int, above: tuple[Any, ...]) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return _value(arguments[0], described, number, above)
    if origin is Literal:
        return arguments[number % len(arguments)]
    if origin is tuple:
        count = len(arguments) if arguments[-1] is not Ellipsis else 2
        return tuple(_value(arguments[0], {}, number, above) for _ in range(count))
    if hint is str:
        return TEXTS.get(described.get("format", "")) or PATTERNED.get(described.get("pattern", ""), "Zoë 😀")
    if hint is int and described.get("maximum", 0) > LARGE:
        return LARGE
    return NUMBERS[hint] if hint in NUMBERS else _full(hint, number, above)


def _item(number: int) -> RawItem:
    """A story of its own words, with what readers stumble over: emoji, marks, another script, pictures, subjects."""
    what, who, where = (words[number % len(words)] for words in (WORDS, PEOPLE, PLACES))
    text = (
        f"{where}, March 2 (NDA) - The {what.lower()} of ward {number} 😀😀 opened on Monday, and {number * 37} people came.\n\n"
        f'"Nobody had seen it since {1900 + number % 99}," {who} told reporters. "It is number {number} of its kind." 👩‍👩‍👧\n\n'
        f"The cafe\u0301 of {where.title()} stays shut until {1 + number % 28} April 2026. مرحبا {who}.\n\n(Reporting by Otto Vreed)"
    )
    story = {
        "uri": f"urn:newsml:nda.example:20260302:{what.lower()}-{number}", "type": "text", "version": str(1 + number % 3),
        "versionCreated": f"2026-03-02T{number % 9 + 10}:00:00Z", "language": "en", "urgency": 1 + number % 8,
        "headlines": [{"role": "main", "value": f"{what} {number} opens in {where.title()} for {who}"}],
        "bodies": [{"role": "main", "contentType": "text/plain", "value": text}],
        "associations": [{"name": "picture", "uri": f"urn:picture:{number}", "type": "picture", "renditions": [
            {"name": "large", "href": f"https://nda.example/{number}.jpg", "width": 800, "height": 600}]}],
        "subjects": [{"name": what, "uri": f"https://nda.example/subjects/{number % 7}"}],
        "infoSources": [{"name": "NDA"}],
    }  # fmt: skip
    return RawItem(orjson.dumps(story), RECEIVED, feed="nda", media_type="application/json")
