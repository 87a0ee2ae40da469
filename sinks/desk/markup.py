"""A story's text as HTML, with its segments, names, quotes, dates and damage shown in place.

The text is cut at every offset at which something begins or ends; each piece is escaped and carries the classes of all
that covers it. So annotations may overlap as they like, and nothing in a story can become markup.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import Final

from markupsafe import Markup, escape

from processors.model.event import Event, OffsetText, Segment

PREFORMATTED_KINDS: Final = frozenset({"table", "list"})
# That one place shows: a quote, a name, a date and a damage are four. More say nothing to a reader, and where a hostile
# story nests thousands, each would stand in each piece.
MAX_LAYERS: Final = 8
MAX_TITLE_CHARS: Final = 200  # of what a place is called, which stands at each: no name is longer


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
    segments: Sequence[Segment] = [segment for segment in event.segments or () if segment.inside == "text"]
    parts = segments or list(_paragraphs(event.text))
    marked = _MarkedText(event.text, _layers(event, "text"), [(part.start, part.end) for part in parts])
    return tuple(
        Block(part.kind, marked.part(part.start, part.end), part.kind in PREFORMATTED_KINDS) for part in parts
    )


def headline_markup(event: Event, fallback: str) -> Markup:
    """The headline with its names marked; `fallback` where the story has none."""
    if not event.headline:
        return escape(fallback)
    span = (0, len(event.headline))
    return _MarkedText(event.headline, _layers(event, "headline"), [span]).part(*span)


def mark_words(text: str, spans: Iterable[tuple[int, int]], max_chars: int | None = None) -> Markup:
    """A text with the places of a query's words marked; what is longer than `max_chars` ends with an ellipsis."""
    if max_chars is not None and len(text) > max_chars:
        text = f"{text[:max_chars]}…"
    parts: list[Markup | str] = []
    last = 0
    for start, end in spans:
        if end > len(text):
            break
        parts += [escape(text[last:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        last = end
    return Markup("").join([*parts, escape(text[last:])])


class _MarkedText:
    """A text cut once at every offset of its layers and parts, from left to right, so that the cost is that of its size."""

    def __init__(self, text: str, layers: Iterable[MarkupLayer], parts: Iterable[tuple[int, int]]) -> None:
        """`parts` are the spans that are asked for later."""
        self._length = len(text)
        begins: defaultdict[int, list[MarkupLayer]] = defaultdict(list)
        missing: defaultdict[int, list[MarkupLayer]] = defaultdict(list)
        edges = {0, self._length}
        for start, end in parts:
            edges |= {self._clip(start), self._clip(end)}
        for layer in sorted(layers, key=lambda layer: (layer.start, -layer.end)):
            start, end = self._clip(layer.start), self._clip(layer.end)
            (begins if start < end else missing)[start].append(layer)
            edges |= {start, end}
        self._cuts = sorted(edges)
        self._gaps = {at: _gap(there) for at, there in missing.items()}
        self._pieces = list(self._cut_pieces(text, begins))

    def part(self, start: int, end: int) -> Markup:
        """The markup of a span."""
        first = bisect_left(self._cuts, self._clip(start))
        last = max(first, bisect_left(self._cuts, self._clip(end)))
        parts = [self._gaps.get(self._cuts[first], Markup())]
        for number in range(first, last):
            parts += [self._pieces[number], self._gaps.get(self._cuts[number + 1], Markup())]
        return Markup().join(parts)

    def _cut_pieces(self, text: str, begins: Mapping[int, Sequence[MarkupLayer]]) -> Iterable[Markup]:
        """The markup of the text from each cut to the next."""
        covering: dict[int, MarkupLayer] = {}  # in the order in which they began
        ends: defaultdict[int, list[int]] = defaultdict(list)
        for left, right in pairwise(self._cuts):
            for key in ends.pop(left, ()):
                del covering[key]
            for layer in begins.get(left, ()):
                covering[id(layer)] = layer
                ends[self._clip(layer.end)].append(id(layer))
            yield _piece(text[left:right], list(islice(covering.values(), MAX_LAYERS)))

    def _clip(self, offset: int) -> int:
        return max(0, min(offset, self._length))


def _piece(text: str, covering: Sequence[MarkupLayer]) -> Markup:
    if not covering:
        return escape(text)
    entity = next((layer.entity for layer in covering if layer.entity), None)
    classes = escape(" ".join(layer.classes for layer in covering))
    title = escape(" · ".join(dict.fromkeys(layer.title[:MAX_TITLE_CHARS] for layer in covering)))
    data = f' data-entity="{escape(entity)}"' if entity else ""
    # `Markup.format` takes four times as long, and a story of quotations has ten thousand pieces
    return Markup(f'<span class="{classes}" title="{title}"{data}>{escape(text)}</span>')  # noqa: S704 -- all escaped


def _gap(missing: Sequence[MarkupLayer]) -> Markup:
    """The markup of words that are missing: a mark without text."""
    return Markup().join(
        Markup('<span class="{} gap" role="img" aria-label="{}" title="{}"></span>').format(
            layer.classes, layer.title[:MAX_TITLE_CHARS], layer.title[:MAX_TITLE_CHARS]
        )
        for layer in missing[:MAX_LAYERS]
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
