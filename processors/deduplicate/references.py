"""How a notice names the stories that it kills: identifiers, quoted or repeated headlines, message numbers, slugs.

An agency names stories as it does within its own wire, so a name counts within one source only, numbers and slugs also
within a day: both are used again. Each tier of names is surer than the next one, and the first that finds a story
decides; a notice that names two stories in one tier kills both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from processors.deduplicate.arrays import Hashes64
from processors.deduplicate.fingerprint import make_fingerprint
from processors.deduplicate.keys import alternative_key, hash_key, headline_keys, lead_key, title_key
from processors.deduplicate.record import RecordView
from processors.deduplicate.score import jaccard_likeness
from processors.model.event import Event
from processors.model.story import Story
from processors.notices import (
    HEAD_CHARS,
    MAX_LINE_CHARS,
    MAX_NOTE_CHARS,
    MAX_NOTICE_CHARS,
    end_part,
    mask_sentences,
    notice_words,
    quoted_sentences,
    replaces_story,
)
from processors.sources import short_uri
from processors.times import HOUR_MS

# A slug or number reaches so far back: less misses a kill of the next morning, more kills the story of another day.
MAX_NAMED_MS: Final = 24 * HOUR_MS
# Of a quoted headline and the story's: a lower figure kills other stories, a higher one misses a headline that the notice
# shortened.
MIN_NAMED_LIKENESS: Final = 0.6
# Names that are tried: more of a hostile notice cost time, fewer miss what stands behind a preamble.
MAX_NAMES: Final = 24
MAX_STORIES: Final = (
    8  # that one notice kills: with more a hostile one does more harm, notices name two or three
)
MIN_IDENTIFIER_CHARS: Final = 4  # shorter words with a figure are figures
MIN_SLUG_CHARS: Final = 3  # shorter ones are initials
MAX_SLUG_CHARS: Final = 200  # of a slug line that are looked at
# Lines above a dispatch that are looked at for slugs: number, routing, slug; prose comes behind them. More take a compound
# that stands alone in a list for a slug.
SLUG_LINES: Final = 3
MAX_SLUG_LINE_CHARS: Final = 80
MAX_WRITTEN_SLUGS: Final = 2  # a record has room for so many
MAX_MARKS: Final = 3  # at the head of a line: URGENT - KILL NOTICE: …
MAX_MARK_CHARS: Final = 40  # in which such a mark ends

# A word that is joined by hyphens or slashes, or in capitals, with the words in capitals behind it.
_SLUG_WORDS: Final = re.compile(
    r"(?<![\w/-])(?:[^\W\d_][\w.]{0,40}(?:[-/]{1,2}[\w.]{1,40}){1,8}|[^\W\d_a-zß-ÿ]{4,40}(?![\w/-]))(?: [A-Z][\w.]{0,40}){0,3}"
)
# A number with its service's letters, or behind a word for number.
_NUMBER: Final = re.compile(
    r"(?:#|№|(?<!\w)(?:n[.°ºr]{1,2}|no|num\w{0,8}|message)[.:]?)\s{0,2}(\d{3,6})(?!\w)|(?<!\w)([a-z]{1,4})\s?(\d{3,6})(?!\w)",
    re.IGNORECASE,
)
# A slug with its word count, or behind a level and category and before a date; marks of quads around it.
_SLUG_LINE: Final = re.compile(
    r"\s{0,4}\^?(?:[a-z] [a-z] )?([^\W\d_][\w.]{0,40}(?:-{1,2}[\w.]{1,40}){1,8})(?:,[ \w,-]{0,32}| \d\d-\d\d \d{2,5})?\s{0,4}[<=]{0,2}"
)
_CYCLE: Final = re.compile(r"^(?:am|pm|bc|ap)-+", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[\W_]+")
# What stands behind a slug and is none of it: marks of kills, versions and takes.
_VERSION_MARKS: Final = re.compile(
    r"(?:[-/ ]+(?:(?:mandatory|story) )?(?:kill(?:ed)?|withdrawn|withdrawal|retraction|retracted|correction|corrected"
    r"|update ?\d{0,2}|(?:\d(?:st|nd|rd|th) )?(?:ld|lead|add|sub|take)(?:-writethru)?(?: ?\d)?|writethru|urgent|bulletin"
    r"|flash|take ?\d))+\W*$",
    re.IGNORECASE,
)
_MARK_END: Final = re.compile(r"[:：|】]\s*|\s[-–—]+\s|—|(?<=[A-ZÀ-Þ])-(?=\w)|[)\]）]\s+")
_NO_SLUGS: Final = frozenset(
    {"editors", "attention", "note", "please", "advisory", "mandatory", "story", "gmt"}
)

_AROUND_WORDS: Final = " .,;:!?()[]<>“”\"'"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"

FindView = Callable[[int], RecordView | None]


class NamedStory(NamedTuple):
    """A story that a notice names, and the figure that tells how."""

    view: RecordView
    figure: str
    value: float = 1.0


class SenderName(NamedTuple):
    """Who names: the authority that the operator set up, and the source that the story itself names."""

    authority: str
    name: str


def read_sender(event: Event, source: str) -> SenderName:
    """Who sends a story: `source` is ``authority`` or ``authority/publisher``; the name that the story gives is surer."""
    authority, _, publisher = source.partition("/")
    name = next((source.name for source in event.story.info_sources if source.name), publisher)
    return SenderName(authority, " ".join(name.split()).casefold())


def reference_keys(event: Event, headline: Hashes64, sender: SenderName) -> list[int]:
    """The keys by which a later kill finds a story: its headline's first words, title, slug and number, with its sender."""
    story = event.story
    title = story.title if story.title and story.title != event.headline else ""
    keys = [key for key in (lead_key(headline, *sender), title_key(title, *sender)) if key is not None]
    slugs = dict.fromkeys([normalise_slug(story.slugline or ""), *written_slugs(event.text)])
    keys += [hash_key("slug", *sender, slug) for slug in slugs if slug]
    return keys + [hash_key("number", *sender, number) for number in _own_numbers(story)]


def find_identifiers(event: Event, sender: SenderName, find_view: FindView) -> list[NamedStory]:
    """The stories whose uri or other identifier a notice names in its words."""
    own = {event.story.uri, *(other.value for other in event.story.alt_ids)}
    named = named_identifiers(*_parts(event))
    views = [
        find_view(hash_key("uri", short_uri(identifier)))
        or find_view(alternative_key(identifier, sender.authority))
        for identifier in named
        if identifier not in own
    ]
    return _distinct(
        [NamedStory(view, "by-identifier") for view in views if view and view.relation != "kill"]
    )


def find_headlines(event: Event, sender: SenderName, time_ms: int, find_view: FindView) -> list[NamedStory]:
    """The stories whose headlines a notice quotes, else the one whose headline it repeats."""
    parts = _parts(event)
    tiers = (named_headlines(*parts), repeated_headlines(*parts))
    for names in tiers:
        stories = [
            story
            for name in names
            if (
                story := find_headline(name, sender, find_view)
                or _find_shortened(name, sender, time_ms, find_view)
            )
        ]
        if stories:
            return _distinct(stories)
    return []


def find_headline(name: str, sender: SenderName, find_view: FindView) -> NamedStory | None:
    """The newest story of a sender that has a headline, or one that begins with its words."""
    quoted = make_fingerprint(name, "")
    for key in headline_keys(quoted.title, *sender):
        view = find_view(key)
        if view is None or view.relation == "kill":
            continue
        likeness = jaccard_likeness(quoted.headline.tolist(), view.word_sets().headline)
        if likeness >= MIN_NAMED_LIKENESS:
            return NamedStory(view, "headline", likeness)
    titled = title_key(name, *sender)
    view = find_view(titled) if titled is not None else None
    return NamedStory(view, "headline") if view and view.relation != "kill" else None


def _find_shortened(name: str, sender: SenderName, time_ms: int, find_view: FindView) -> NamedStory | None:
    """The newest story of the last day whose headline begins with all the words of a name."""
    words = make_fingerprint(name, "").title
    key = lead_key(words, *sender)
    view = _recent(find_view(key), time_ms) if key else None
    if view is None or view.relation == "kill":
        return None
    title = make_fingerprint(view.report().headline, "").title
    begins = len(words) <= len(title) and bool((title[: len(words)] == words).all())
    return NamedStory(view, "headline", len(words) / len(title)) if begins else None


def find_numbers(event: Event, sender: SenderName, time_ms: int, find_view: FindView) -> list[NamedStory]:
    """The stories of the last day whose message numbers a notice names."""
    own = _own_numbers(event.story)
    named = named_numbers(*_parts(event))
    numbers = [number for number in named if number not in own]
    views = [_recent(find_view(hash_key("number", *sender, number)), time_ms) for number in numbers]
    return _distinct([NamedStory(view, "by-number") for view in views if view])


def find_slugs(event: Event, sender: SenderName, time_ms: int, find_view: FindView) -> list[NamedStory]:
    """The latest stories of the last day whose slugs a notice names, else the one that has the notice's own slug."""
    named = named_slugs(*_parts(event))
    own = normalise_slug(event.story.slugline or "")
    for slugs in (named, [(own,)] if own else []):
        stories = [
            NamedStory(view, "by-slug")
            for readings in slugs
            if (
                view := _first(
                    _recent(find_view(hash_key("slug", *sender, slug)), time_ms) for slug in readings
                )
            )
        ]
        if stories:
            return _distinct(stories)
    return []


def _parts(event: Event) -> tuple[str, str, str]:
    """Headline, note and text in which a notice names stories: of one that sends the story again, the head of the text."""
    text = event.text if len(event.text) <= MAX_NOTICE_CHARS else event.text[:HEAD_CHARS]
    return event.headline[:MAX_LINE_CHARS], (event.story.ed_note or "")[:MAX_NOTE_CHARS], text


def _recent(view: RecordView | None, time_ms: int) -> RecordView | None:
    return view if view and abs(time_ms - view.head.time_ms) <= MAX_NAMED_MS else None


def _first(views: Iterator[RecordView | None]) -> RecordView | None:
    return next((view for view in views if view), None)


def _distinct(stories: Sequence[NamedStory]) -> list[NamedStory]:
    """The first story of each chain."""
    chains: dict[str, NamedStory] = {}
    for story in stories:
        chains.setdefault(story.view.chain, story)
    return list(chains.values())[:MAX_STORIES]


def _own_numbers(story: Story) -> list[str]:
    """The story's message number, with the letters of its service and without."""
    value = next((other.value for other in story.alt_ids if other.role == "message"), "")
    number = "".join(value.lower().split(maxsplit=1)[:1])
    return list(dict.fromkeys((number, number.lstrip(_LETTERS)))) if number else []


# ---------------------------------------------------------------- names in a notice


def named_identifiers(headline: str, note: str, text: str) -> list[str]:
    """The words that may be identifiers: uris, and words with a figure."""
    words: dict[str, None] = {}
    for part in (headline, note, text):
        for sentence, quotations in quoted_sentences(part):
            if not replaces_story(sentence):
                written = [
                    word.strip(_AROUND_WORDS) for line in (sentence, *quotations) for word in line.split()
                ]
                words |= {word: None for word in written if _may_be_identifier(word)}
    return list(words)[:MAX_NAMES]


def _may_be_identifier(word: str) -> bool:
    return len(word) >= MIN_IDENTIFIER_CHARS and (
        ":" in word or any(character.isdigit() for character in word)
    )


def named_headlines(headline: str, note: str, text: str) -> list[str]:
    """What may be the headlines of the stories that a notice is about: what it quotes.

    A story that replaces the one that is killed is named in a sentence of its own, which is passed over.
    """
    names: dict[str, None] = {}
    for part in (headline, note, text):
        for sentence, quotations in quoted_sentences(part):
            if not replaces_story(sentence):
                names.update(dict.fromkeys(quotations))
    return list(names)[:MAX_NAMES]


def repeated_headlines(headline: str, note: str, text: str) -> list[str]:
    """What may be a headline that is repeated without quotation marks: a line, or a part of it beside the mark."""
    names: dict[str, None] = {}
    lines = (" ".join(line.split()) for line in (headline, *note.splitlines(), *text.splitlines()))
    for line in lines:
        names |= {part: None for part in (*_beside_mark(line), line) if part and not replaces_story(part)}
    return list(names)[:MAX_NAMES]


def named_slugs(headline: str, note: str, text: str) -> list[tuple[str, ...]]:
    """What is written as slugs are (words joined by hyphens or slashes, or in capitals, or quoted): for each its readings.

    The longest comes first: a slug may go on in words with capitals, ``BC-Gannet Ferry``.
    """
    slugs: dict[tuple[str, ...], None] = {}
    for part in (headline, note, text):
        for sentence, quotations in quoted_sentences(part):
            if replaces_story(sentence):
                continue
            written = [match[0].split(" ") for match in _SLUG_WORDS.finditer(sentence)]
            for words in (*written, *([quotation] for quotation in quotations)):
                readings = [normalise_slug(" ".join(words[:end])) for end in range(len(words), 0, -1)]
                slugs[tuple(dict.fromkeys(filter(None, readings)))] = None
    return [readings for readings in slugs if readings][:MAX_NAMES]


def named_numbers(headline: str, note: str, text: str) -> list[str]:
    """The message numbers that a notice names: ``a0123``, ``bln 4711``, ``No. 0412``."""
    numbers: dict[str, None] = {}
    for part in (headline, note, text):
        for sentence in mask_sentences(part):
            if not replaces_story(sentence):
                matches = _NUMBER.finditer(sentence)
                numbers |= {match[1] or f"{match[2]}{match[3]}".lower(): None for match in matches}
    return list(numbers)[:MAX_NAMES]


def written_slugs(text: str) -> list[str]:
    """The slugs that stand on lines of their own above a dispatch whose control characters were lost on the way."""
    lines = text[: SLUG_LINES * MAX_SLUG_LINE_CHARS].split("\n")[:SLUG_LINES]
    matches = (
        _SLUG_LINE.fullmatch(line) for line in lines if len(line) <= MAX_SLUG_LINE_CHARS and "-" in line
    )
    return [slug for match in matches if match and (slug := normalise_slug(match[1]))][:MAX_WRITTEN_SLUGS]


def normalise_slug(slugline: str) -> str:
    """A slug without its cycle (``BC-``), marks of versions, counts and punctuation, so that a story's and its kill's agree."""
    slug = slugline[:MAX_SLUG_CHARS].partition(",")[0].partition("(")[0]
    slug = _VERSION_MARKS.sub("", _CYCLE.sub("", slug.strip()))
    slug = _SEPARATORS.sub("-", slug).strip("-").casefold()
    return "" if len(slug) < MIN_SLUG_CHARS or slug in _NO_SLUGS or slug in notice_words() else slug


def _beside_mark(line: str) -> Iterator[str]:
    """What stands behind each of the first marks of a line, and before the last one."""
    rest = line
    for _ in range(MAX_MARKS):
        match = _MARK_END.search(rest[:MAX_MARK_CHARS])
        if match is None:
            break
        rest = rest[match.end() :].strip()
        yield rest
    if end := end_part(line):
        yield line[: line.rindex(end)].rstrip(" -–—([【（")
