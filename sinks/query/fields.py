"""The fields of the query language: their names, what a value means, and examples. The one table of them.

The parser reads it, the desk shows it behind the ``?`` at its box, and docs/searching.md is held equal to it by a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

FieldKind = Literal["words", "value", "number", "time", "circle"]


@dataclass(frozen=True, slots=True)
class QueryField:
    """A field: the other names that it goes by, what it means in a sentence, and an example."""

    name: str
    kind: FieldKind
    meaning: str
    example: str
    aliases: tuple[str, ...] = ()


# What can be written, by example. The page behind the ``?`` and docs/searching.md say the same.
RULES: Final[tuple[tuple[str, str], ...]] = (
    ("ferry harbour", "Both words: in the headline, in the text, or in the other words of a story, which are its names, slug line, byline, source and topics."),
    ('"harbour board"', "These words, one after the other."),
    ("ferr*", "Words that begin so. Two letters at least."),
    ("-ferry", "Without this word; alone, every story but those with it. NOT ferry says the same."),
    ("ferry OR boat", "One of the two. A blank binds closer than OR: a b OR c is (a b) OR c. AND is a blank."),
    ("(ferry OR boat) harbour", "Brackets hold together; -(ferry boat) leaves out stories with both."),
    ("headline:ferry", "A field, without a blank behind the colon. headline:(ferry OR boat) asks for one of several."),
    ('place:"Porto Novo"', "A value with blanks or brackets stands in quotation marks, as do words with a colon."),
    ("Café", "Case, accents and forms of letters do not matter: this finds cafe. Nor do other signs: e-mail is the words e mail, one after the other."),
    ("urgency:1..3", "Numbers: 2, >2, >=2, <3, <=3, 1..3, 1.., ..3."),
    ("after:24h", "Times: a day, month or year, a moment such as 2026-01-31T12:00Z, or so long ago: 30m, 24h, 7d, 2w. In UTC, where no zone is written."),
    ("is:duplicate", "Repeats and kills stand in a list only where it asks for them so; stories that were killed or corrected, and those under embargo, never do."),
)  # fmt: skip

# States of a story that ``is:`` asks for, and what each means.
STATES: Final[Mapping[str, str]] = {
    "new": "the first version of a story",
    "update": "a version with more or newer facts",
    "correction": "a version that replaces what was wrong",
    "kill": "an order not to use a story any more",
    "duplicate": "a story that says again what an earlier one said",
    "embargoed": "a story that came with an embargo; until its time nobody sees it",
    "damaged": "copy that was hurt in transit",
    "backfill": "old news that was sent in later",
}
STATE_ALIASES: Final[Mapping[str, str]] = {
    "updated": "update", "corrected": "correction", "killed": "kill", "repeat": "duplicate", "embargo": "embargoed",
}  # fmt: skip

FIELDS: Final = (
    QueryField("headline", "words", "Words in the headline.", 'headline:"copper prices"', ("title",)),
    QueryField("text", "words", "Words in the text, without the headline.", "text:smelter", ("body",)),
    QueryField("feed", "value", "The id of the feed that brought the story.", "feed:samples"),
    QueryField("source", "value", "Who supplied the story: the agency, or the source that it names.", "source:Reuters", ("agency",)),
    QueryField("place", "value", "A place of the dateline or the text, by a whole name or its GeoNames or Wikidata id.", "place:Lisbon"),
    QueryField("country", "value", "The country of such a place: ISO 3166 code, name in any language of the desk's stories, or Wikidata id.", "country:PT"),
    QueryField("person", "value", "Somebody named: a whole name or alias, or the Wikidata id.", 'person:"Ines Okafor"'),
    QueryField("org", "value", "A company or body named: a whole name or alias, or the Wikidata id.", 'org:"Harbour Board"', ("organisation", "organization")),
    QueryField("entity", "value", "Whoever or whatever is named: a whole name or alias, or the Wikidata id.", "entity:Okafor", ("name",)),
    QueryField("topic", "value", "A Media Topic and all below it: its code, or its name in one of ten languages.", "topic:sport"),
    QueryField("lang", "value", "The story's language: a tag, with its regional variants, or the language's English name.", "lang:es", ("language",)),
    QueryField("slug", "words", "Words in the slug line.", "slug:harbour", ("slugline",)),
    QueryField("watchlist", "value", "A watch list on which somebody or something named stands.", "watchlist:board-members"),
    QueryField("cluster", "value", "The happening that the story reports, by its id.", 'cluster:"urn:nda:1"'),
    QueryField("is", "value", "What the story is: one of " + ", ".join(STATES) + ".", "is:correction", ("relation",)),
    QueryField("urgency", "number", "The urgency, from 1 (a flash) to 9.", "urgency:1..3"),
    QueryField("words", "number", "How many words the text has.", "words:>200"),
    QueryField("sources", "number", "How many sources had the happening when the story came.", "sources:>=3"),
    QueryField("after", "time", "The story's own time is this moment or later.", "after:24h", ("since",)),
    QueryField("before", "time", "The story's own time is this moment or earlier; a date is its beginning.", "before:2026-01-31", ("until",)),
    QueryField("time", "time", "The story's own time lies within a day, month, year or range, or since so long ago.", "time:2026-01-30..2026-01-31", ("date",)),
    QueryField("received", "time", "The same for when the story was received.", "received:2h"),
    QueryField("near", "circle", "A place of the story lies within so many kilometres of a point: latitude, longitude, kilometres.", 'near:"38.72,-9.14,50"'),
)  # fmt: skip
FIELD_NAMES: Final[Mapping[str, QueryField]] = {
    name: field for field in FIELDS for name in (field.name, *field.aliases)
}


def find_field(name: str) -> QueryField | None:
    """The field of a name or alias, in any case."""
    return FIELD_NAMES.get(name.lower())


def nearest_name(name: str, names: Mapping[str, object]) -> str | None:
    """The name that may have been meant."""
    return next(iter(get_close_matches(name.lower(), names, 1, 0.6)), None)
