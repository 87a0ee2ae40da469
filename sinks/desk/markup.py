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

from processors.model.event import Event, OffsetText, Segment

PREFORMATTED_KINDS: Final = frozenset({"table", "list"})


@dataclass(frozen=True, slots=True)
class MarkupLayer:
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


def text_blocks(event: Event) -> tuple[Block, ...]:
    """The text by segments; a text that was not segmented is taken apart at blank lines."""
    layers = sorted(_layers(event, "text"), key=lambda layer: (layer.start, -layer.end))
    segments: Sequence[Segment] = [segment for segment in event.segments or () if segment.inside == "text"]
    parts = segments or list(_paragraphs(event.text))
    return tuple(
        Block(
            part.kind, _mark_layers(event.text, part.start, part.end, layers), part.kind in PREFORMATTED_KINDS
        )
        for part in parts
    )


def headline_markup(event: Event, fallback: str) -> Markup:
    """The headline with its names marked; `fallback` where the story has none."""
    if not event.headline:
        return escape(fallback)
    return _mark_layers(event.headline, 0, len(event.headline), list(_layers(event, "headline")))


def mark_words(text: str, spans: Iterable[tuple[int, int]]) -> Markup:
    """A text with the places of a query's words marked."""
    parts: list[Markup | str] = []
    last = 0
    for start, end in spans:
        parts += [escape(text[last:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        last = end
    return Markup("").join([*parts, escape(text[last:])])


def _mark_layers(text: str, start: int, end: int, layers: Sequence[MarkupLayer]) -> Markup:
    """A part of the text, cut at every offset of its layers."""
    end = min(end, len(text))
    inside = [layer for layer in layers if layer.start <= end and layer.end >= start]
    edges = {start, end}
    for layer in inside:
        edges |= {max(start, min(layer.start, end)), max(start, min(layer.end, end))}
    cuts = sorted(edges)
    parts = [_gap(inside, start)]
    for left, right in pairwise(cuts):
        covering = [
            layer
            for layer in inside
            if layer.start <= left and layer.end >= right and layer.start < layer.end
        ]
        parts += [_piece(text[left:right], covering), _gap(inside, right)]
    return Markup("").join(parts)


def _piece(text: str, covering: Sequence[MarkupLayer]) -> Markup:
    if not covering:
        return escape(text)
    entity = next((layer.entity for layer in covering if layer.entity), None)
    return Markup('<span class="{}" title="{}"{}>{}</span>').format(
        " ".join(layer.classes for layer in covering),
        " · ".join(dict.fromkeys(layer.title for layer in covering)),
        Markup(' data-entity="{}"').format(entity) if entity else "",
        text,
    )


def _gap(layers: Sequence[MarkupLayer], at: int) -> Markup:
    """The markup of words that are missing at an offset: a mark without text."""
    missing = [layer for layer in layers if layer.start == layer.end == at]
    return Markup("").join(
        Markup('<span class="{} gap" role="img" aria-label="{}" title="{}"></span>').format(
            layer.classes, layer.title, layer.title
        )
        for layer in missing
    )


def _layers(event: Event, inside: OffsetText) -> Iterable[MarkupLayer]:
    """Everything that covers a part of the text or of the headline."""
    layers = (_names(event), _quotes(event), _dates(event), _damage(event))
    return (layer for place, layer in chain.from_iterable(layers) if place == inside)


def _names(event: Event) -> Iterable[tuple[OffsetText, MarkupLayer]]:
    names = {entity.id: entity.name for entity in event.entities or ()}
    for mention in event.mentions or ():
        title = f"{LABELS[mention.label]}: {names.get(mention.entity or '', mention.text)}"
        classes = f"name {mention.label.lower()}"
        yield mention.inside, MarkupLayer(mention.start, mention.end, classes, title, mention.entity)


def _quotes(event: Event) -> Iterable[tuple[OffsetText, MarkupLayer]]:
    names = {entity.id: entity.name for entity in event.entities or ()}
    for quote in event.quotes or ():
        speaker, cue = quote.speaker, quote.cue
        by = f", {names.get(speaker.entity or '', speaker.text)}" if speaker else ""
        yield (
            quote.inside,
            MarkupLayer(quote.start, quote.end, f"quote {quote.kind}", f"{quote.kind} quote{by}"),
        )
        if speaker:
            yield quote.inside, MarkupLayer(speaker.start, speaker.end, "speaker", "speaker", speaker.entity)
        if cue:
            yield quote.inside, MarkupLayer(cue.start, cue.end, "cue", "verb of saying")


def _dates(event: Event) -> Iterable[tuple[OffsetText, MarkupLayer]]:
    for date in event.dates or ():
        yield date.inside, MarkupLayer(date.start, date.end, "date", f"date: {date.value}")


def _damage(event: Event) -> Iterable[tuple[OffsetText, MarkupLayer]]:
    for damage in event.damage or ():
        title = f"damaged copy: {DAMAGES[damage.kind]}"
        yield damage.inside, MarkupLayer(damage.start, damage.end, f"damage {damage.kind}", title)


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
