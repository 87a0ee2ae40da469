"""A story's text as HTML, with its segments, names, quotes, dates and damage shown in place.

The text is cut at every offset at which something begins or ends; each piece is escaped and carries the classes of all
that covers it. So annotations may overlap as they like, and nothing in a story can become markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

from markupsafe import Markup, escape

from processors.model.event import Event, Inside, Segment

PREFORMATTED: Final = frozenset({"table", "list"})


@dataclass(frozen=True, slots=True)
class Layer:
    """Something that covers ``[start, end)``: classes, and words that say what it is."""

    start: int
    end: int
    classes: str
    title: str
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A segment of the text, ready to be shown."""

    kind: str
    html: Markup
    preformatted: bool = False


def blocks(event: Event) -> tuple[Block, ...]:
    """The text by segments; a text that was not segmented is taken apart at blank lines."""
    layers = sorted(_layers(event, "text"), key=lambda each: (each.start, -each.end))
    segments: Sequence[Segment] = [each for each in event.segments or () if each.inside == "text"]
    parts = segments or list(_paragraphs(event.text))
    return tuple(
        Block(each.kind, _marked(event.text, each.start, each.end, layers), each.kind in PREFORMATTED)
        for each in parts
    )


def headline(event: Event, fallback: str) -> Markup:
    """The headline with its names; `fallback` where the story has none."""
    if not event.headline:
        return escape(fallback)
    return _marked(event.headline, 0, len(event.headline), list(_layers(event, "headline")))


def marked(text: str, spans: Iterable[tuple[int, int]]) -> Markup:
    """A text with the places of a query's words marked."""
    parts: list[Markup | str] = []
    last = 0
    for start, end in spans:
        parts += [escape(text[last:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        last = end
    return Markup("").join([*parts, escape(text[last:])])


def _marked(text: str, start: int, end: int, layers: Sequence[Layer]) -> Markup:
    """A part of the text, cut at every offset of its layers."""
    end = min(end, len(text))
    inside = [each for each in layers if each.start <= end and each.end >= start]
    edges = {start, end}
    for each in inside:
        edges |= {max(start, min(each.start, end)), max(start, min(each.end, end))}
    cuts = sorted(edges)
    parts = [_gap(inside, start)]
    for left, right in pairwise(cuts):
        covering = [
            each for each in inside if each.start <= left and each.end >= right and each.start < each.end
        ]
        parts += [_piece(text[left:right], covering), _gap(inside, right)]
    return Markup("").join(parts)


def _piece(text: str, covering: Sequence[Layer]) -> Markup:
    if not covering:
        return escape(text)
    entity = next((each.entity for each in covering if each.entity), None)
    return Markup('<span class="{}" title="{}"{}>{}</span>').format(
        " ".join(each.classes for each in covering),
        " · ".join(dict.fromkeys(each.title for each in covering)),
        Markup(' data-entity="{}"').format(entity) if entity else "",
        text,
    )


def _gap(layers: Sequence[Layer], at: int) -> Markup:
    """Words that are missing at a place: shown as a mark that holds no text."""
    missing = [each for each in layers if each.start == each.end == at]
    return Markup("").join(
        Markup('<span class="{} gap" role="img" aria-label="{}" title="{}"></span>').format(
            each.classes, each.title, each.title
        )
        for each in missing
    )


def _layers(event: Event, inside: Inside) -> Iterable[Layer]:
    """Everything that covers a part of the text or of the headline."""
    found = (_names(event), _quotes(event), _dates(event), _damage(event))
    return (layer for place, layer in chain.from_iterable(found) if place == inside)


def _names(event: Event) -> Iterable[tuple[Inside, Layer]]:
    known = {each.id: each.name for each in event.entities or ()}
    for each in event.mentions or ():
        title = f"{LABELS[each.label]}: {known.get(each.entity or '', each.text)}"
        yield each.inside, Layer(each.start, each.end, f"name {each.label.lower()}", title, each.entity)


def _quotes(event: Event) -> Iterable[tuple[Inside, Layer]]:
    known = {each.id: each.name for each in event.entities or ()}
    for each in event.quotes or ():
        speaker, cue = each.speaker, each.cue
        by = f", {known.get(speaker.entity or '', speaker.text)}" if speaker else ""
        yield each.inside, Layer(each.start, each.end, f"quote {each.kind}", f"{each.kind} quote{by}")
        if speaker:
            yield each.inside, Layer(speaker.start, speaker.end, "speaker", "speaker", speaker.entity)
        if cue:
            yield each.inside, Layer(cue.start, cue.end, "cue", "verb of saying")


def _dates(event: Event) -> Iterable[tuple[Inside, Layer]]:
    for each in event.dates or ():
        yield each.inside, Layer(each.start, each.end, "date", f"date: {each.value}")


def _damage(event: Event) -> Iterable[tuple[Inside, Layer]]:
    for each in event.damage or ():
        title = f"damaged copy: {DAMAGES[each.kind]}"
        yield each.inside, Layer(each.start, each.end, f"damage {each.kind}", title)


LABELS: Final = {"PER": "Person", "ORG": "Organisation", "LOC": "Place", "MISC": "Other name"}
DAMAGES: Final = {
    "missing-words": "words are missing",
    "mojibake": "characters were decoded wrongly",
    "truncated": "the text breaks off",
    "garbled": "garbled in transit",
}


def _paragraphs(text: str) -> Iterable[Segment]:
    start = 0
    for part in text.split("\n\n"):
        if part.strip():
            yield Segment(start, start + len(part), "paragraph")
        start += len(part) + 2
