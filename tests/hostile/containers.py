"""Where a hostile text can stand: each slot of each format's sample document, and places that samples don't have.

A slot of XML is the text of an element or the value of an attribute, of JSON a string, of mail a field or the body, of a
wire or dispatch a line. So a new member of a sample is a new container.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

import orjson

GOLDEN: Final = Path(__file__).parents[1] / "processors" / "normalise" / "golden"
XML_SLOT: Final = re.compile(
    r"<(?P<element>[\w.:-]+)(?:\s[^<>]*)?>(?P<words>[^<>]*[^<>\s][^<>]*)<|\s(?P<attribute>[\w.:-]+)=\"(?P<value>[^\"]*)\""
)
LINE_SLOT: Final = re.compile(r"[^\x01-\x1f\r\n][^\x01-\x04\r\n]*")
STORY: Final = "PORT ALDER, Jan 22 (NNA) - The ferry sank on Monday, officials said. "
ITEM: Final = "<item><title>Ferry sinks</title><guid>urn:x:1</guid><description>The ferry sank off the island.</description></item>"


@dataclass(frozen=True, slots=True)
class Container:
    """A place for a text. `kind` is the format, `name` says where in it."""

    kind: str
    name: str
    wrap: Callable[[str], bytes]


@cache
def all_containers() -> tuple[Container, ...]:
    """All containers, in a fixed order."""
    samples = [path for path in sorted(GOLDEN.iterdir()) if not path.name.endswith(".expected.json")]
    return tuple(
        [
            container
            for path in samples
            for container in _slots(path.stem, path.suffix, path.read_bytes().decode("utf-8", "replace"))
        ]
        + [Container(kind, name, _encoded(wrap)) for kind, name, wrap in MORE]
    )


def _slots(kind: str, suffix: str, sample: str) -> list[Container]:
    if suffix == ".xml":
        return _xml_slots(kind, sample)
    if suffix == ".json":
        return _json_slots(kind, orjson.loads(sample))
    slots: dict[str, Container] = {}
    for line in LINE_SLOT.finditer(sample):
        head, colon, _ = line[0].partition(":")
        start = (
            line.start() + len(head) + 2 if kind == "email" and colon and " " not in head else line.start()
        )
        name = f"line {line[0][:20]!r}"
        slots.setdefault(name, Container(kind, name, _between(sample[:start], sample[line.end() :], str)))
    return list(slots.values())


def _xml_slots(kind: str, sample: str) -> list[Container]:
    slots: dict[str, Container] = {}
    for slot in XML_SLOT.finditer(sample):
        group = "words" if slot["element"] else "value"
        name = f"<{slot['element']}>" if slot["element"] else f"@{slot['attribute']}"
        before, after = sample[: slot.start(group)], sample[slot.end(group) :]
        slots.setdefault(name, Container(kind, name, _between(before, after, html.escape)))
        if slot["element"]:
            as_data = _between(before + "<![CDATA[", "]]>" + after, lambda text: text.replace("]]>", "]]"))
            slots.setdefault(name + " CDATA", Container(kind, name + " CDATA", as_data))
            slots.setdefault(name + " raw", Container(kind, name + " raw", _between(before, after, str)))
    return list(slots.values())


def _json_slots(kind: str, value: object) -> list[Container]:
    slots: dict[str, Container] = {}

    def visit(part: object, path: str, put: Callable[[object], object]) -> None:
        if isinstance(part, dict):
            for key, member in part.items():
                visit(member, f"{path}.{key}", partial(_put_member, put, part, key))
        elif isinstance(part, list):
            for at, member in enumerate(part):
                visit(member, path, partial(_put_entry, put, part, at))
        elif isinstance(part, str):
            slots.setdefault(path, Container(kind, path, lambda text: orjson.dumps(put(_valid(text)))))

    visit(value, "", lambda new: new)
    return list(slots.values())


def _put_member(put: Callable[[object], object], part: dict[str, object], key: str, new: object) -> object:
    return put({**part, key: new})


def _put_entry(put: Callable[[object], object], part: list[object], at: int, new: object) -> object:
    return put([*part[:at], new, *part[at + 1 :]])


def _between(before: str, after: str, escape: Callable[[str], str]) -> Callable[[str], bytes]:
    return lambda text: (before + escape(text) + after).encode("utf-8", "replace")


def _encoded(wrap: Callable[[str], str]) -> Callable[[str], bytes]:
    return lambda text: wrap(text).encode("utf-8", "replace")


def _valid(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _feed(head: str) -> str:
    return f"{head}<channel><title>Hill</title>{ITEM}{ITEM.replace('x:1', 'x:2')}</channel></rss>"


MORE: Final[tuple[tuple[str, str, Callable[[str], str]], ...]] = (
    ("head", "before the root", lambda text: _feed(f"{text}<rss>")),
    ("head", "comment", lambda text: _feed(f"<!-- {text} --><rss>")),
    ("head", "declaration", lambda text: _feed(f'<?xml version="1.0" {text}?><rss>')),
    ("head", "encoding", lambda text: _feed(f'<?xml version="1.0" encoding="{text}"?><rss>')),
    ("head", "document type", lambda text: _feed(f"<!DOCTYPE rss [{text}]><rss>")),
    ("head", "entity", lambda text: _feed(f'<!DOCTYPE rss [<!ENTITY a "{text}">]><rss>')),
    ("head", "name of the root", lambda text: _feed(f"<rss{text}>")),
    ("head", "attribute of the root", lambda text: _feed(f'<rss a="{html.escape(text)}">')),
    ("head", "torn attribute", lambda text: _feed(f"<rss a={text}>")),
    ("head", "channel", lambda text: _feed(f"<rss><channel>{text}")),
    ("head", "channel description", lambda text: _feed(f"<rss><channel><description>{html.escape(text)}</description>")),
    ("head", "name of an element", lambda text: _feed(f"<rss><channel><a{text}>")),
    ("head", "whole", lambda text: text),
    ("item", "raw", lambda text: _feed("<rss>").replace("off the island", text)),
    ("item", "name of an element", lambda text: _feed("<rss>").replace("<guid>", f"<a{text}><guid>")),
    ("item", "attribute", lambda text: _feed("<rss>").replace("<guid>", f'<a b="{text}"/><guid>')),
    ("dispatch", "copy", lambda text: f"Ferry sinks\n\n{STORY}{text}\n"),
    ("dispatch", "line after line", lambda text: f"Ferry sinks\n\n{STORY}\n{text.replace(' ', chr(10))}\n"),
    ("dispatch", "headline", lambda text: f"{text}\n\n{STORY}\n"),
    ("dispatch", "whole", lambda text: text),
    ("dispatch", "last line", lambda text: f"Ferry sinks\n\n{STORY}\n\n{text}"),
    ("dispatch", "dateline", lambda text: f"Ferry sinks\n\n{text} (NNA) - The ferry sank.\n"),
    ("dispatch", "quotation", lambda text: f'Ferry sinks\n\n{STORY}"{text}" said Ada Quill.\n'),
    ("dispatch", "paragraphs", lambda text: f"Ferry sinks\n\n{STORY}\n\n{text.replace('. ', '.' + chr(10) * 2)}\n"),
    ("dispatches", "between marks", lambda text: "".join(f"ZCZC {n}\nFerry sinks\n\n{part}\nNNNN\n" for n, part in enumerate(_parted(text)))),
    ("html", "paragraph", lambda text: f"<!DOCTYPE html><html><head><title>Ferry</title></head><body><p>{text}</p></body></html>"),
    ("html", "attribute", lambda text: f'<!DOCTYPE html><html><head><title>Ferry</title></head><body><p a="{text}">The ferry sank.</p></body></html>'),
    ("json", "nested", lambda text: '{"version":"https://jsonfeed.org/version/1.1","title":"T","items":[{"id":"1","title":"A","x":' + "[" * len(text) + "]" * len(text) + "}]}"),
    ("json", "whole", lambda text: '{"uri":"urn:x:1","headlines":[{"value":"' + text + '"}]}'),
)  # fmt: skip


def _parted(text: str) -> list[str]:
    size = max(1, len(text) // 50)
    return [text[at : at + size] for at in range(0, len(text), size)]
