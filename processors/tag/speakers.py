"""Who the speakers of quotations are, among the entities of the story.

A name is the entity that it mentions. "He" and "she" are whoever was the subject of the sentence before in the same
paragraph, else who spoke last, else the person named last, as far as a title tells no other gender. "It" is the body or
country that is the subject of its sentence, else the body that spoke last. "The minister"
is the person who last had that word in a title; "the company" the organisation named last. What stays in doubt
stays without an entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from processors.model.event import Entity, Event, Mention, Quote, Span
from processors.quotes.lexicon import SpeechLexicon, speech_lexicon
from processors.tag.lexicon import lexicon
from processors.tag.people import gender_of_given, is_family_first, read_name

MAX_TITLE_CHARS = 60  # before a mention, in which its title stands; more reaches into the clause before
MAX_LOOK_BACK_CHARS = (
    1500  # for a pronoun or "the minister": some eight paragraphs; further back somebody else is meant
)
APPOSITION_AFTER = re.compile(r",\s+(?:the\s+|a\s+|an\s+)?(\w[^,.;:\n]{2,60})")
SENTENCE_END = re.compile(r"[.!?;:“”\"«»]\s*|\n")
APPOSED_NAME = re.compile(r",\s+(?:\w+\.?\s+){0,2}?(?=[^\W\d_a-z])")
GENITIVE_END = re.compile(r"['’]s?\b|['’](?=\s)")
POST_AFTER = re.compile(
    r"\s+[^\W\d_A-Z]\w*"
)  # a lower-case word right behind a name, before another name: an adviser's
WORD_BEFORE = re.compile(r"\w+$")
WORD = re.compile(r"\w+(?:[-'’]\w+)*")


def resolve_speakers(event: Event) -> tuple[Quote, ...]:
    """The event's quotes with ``speaker.entity`` set where the story tells who that is.

    Reads `text`, `quotes`, `mentions` and `entities`; an event that lacks one of them keeps its quotes as they are.
    """
    quotes = event.quotes or ()
    tag = event.language.tag if event.language else "en"
    words = speech_lexicon(tag.split("-")[0].lower())
    if not quotes or not event.mentions or words is None:
        return quotes
    cast = _Cast(event, words)
    return tuple(cast.resolve(quote) for quote in quotes)


@dataclass(frozen=True, slots=True)
class _CastMember:
    """A mention in the text, with the label of its entity and the words that say who it is."""

    start: int
    end: int
    label: str
    entity: str
    title: tuple[str, ...]
    is_subject: bool  # stands at the head of a sentence


class _Cast:
    """The people and organisations that the story names, and who of them spoke last."""

    def __init__(self, event: Event, words: SpeechLexicon) -> None:
        self._text, self._words = event.text, words
        entities = {entity.id: entity for entity in event.entities or ()}
        mentions = [
            mention for mention in event.mentions or () if mention.inside == "text" and mention.entity
        ]
        mentions.sort(key=lambda mention: mention.start)
        before = (None, *mentions)
        self._names = [
            self._member_of(mention, last, entities) for last, mention in zip(before, mentions, strict=False)
        ]
        self._gender = dict(self._likely_genders(entities.values())) | dict(self._genders())
        self._last_speaker: tuple[int, str] | None = None

    def resolve(self, quote: Quote) -> Quote:
        """The quote with the entity of its speaker, where the story tells it."""
        if quote.speaker is None or quote.inside != "text":
            return quote
        entity = self._entity(quote.speaker)
        if entity is None:
            return quote
        self._last_speaker = (quote.end, entity)
        return replace(quote, speaker=replace(quote.speaker, entity=entity))

    def _entity(self, speaker: Span) -> str | None:
        said = [word.lower() for word in WORD.findall(speaker.text)]
        if not said:
            return None
        if len(said) == 1 and said[0] in self._words.pronouns:
            return self._pronoun_entity(said[0], speaker.start)
        return self._named_entity(speaker) or self._described_entity(said, speaker.start)

    def _named_entity(self, speaker: Span) -> str | None:
        """The entity that the words name: who stands at their head or in apposition, and not who hangs on a preposition.

        In "the father of Emily Harrow", "Ruiz's lawyer" and "a spokesman for Vera Bank" the person is not named, but
        whoever speaks for a body is that body.
        """
        inside = [name for name in self._names if speaker.start <= name.start and name.end <= speaker.end]
        people = [name for name in inside if name.label == "PER" and self._is_head(speaker, name)]
        if people:
            return people[0].entity
        if apposed := self._apposed_entity(speaker):
            return apposed
        bodies = [name for name in inside if name.label == "ORG"]
        if bodies and self._speaks_for(speaker.text):
            return bodies[-1].entity
        head = speaker.start + self._head_length(speaker.text)
        for name in inside:
            if name.end == head and name.label not in {"MISC", "PER"}:
                return name.entity
        around = (name for name in self._names if name.start <= speaker.start and speaker.end <= name.end)
        return next((name.entity for name in around if name.label != "MISC"), None)

    def _is_head(self, speaker: Span, name: _CastMember) -> bool:
        """Whether a person's name is who the words mean: no preposition before it and its titles, no genitive on it."""
        if GENITIVE_END.match(self._text, name.end, speaker.end):
            return False
        behind = POST_AFTER.match(self._text, name.end, speaker.end)
        if behind and any(
            name.end < other.start < speaker.end and other.label == "PER" for other in self._names
        ):
            return False
        for word in reversed(WORD.findall(self._text[speaker.start : name.start])):
            low = word.lower()
            if low in self._words.agent:
                return True  # a letter by Ruiz
            if low in self._words.prepositions or low in self._words.relatives:
                return False
            if (
                low not in lexicon().titles
                and low not in lexicon().roles
                and low not in self._words.determiners
            ):
                break
        return True

    def _apposed_entity(self, speaker: Span) -> str | None:
        """The person named behind the comma after words that name none: Ruiz's lawyer, Karl Brandt, said."""
        comma = APPOSED_NAME.match(self._text, speaker.end)
        if comma is None:
            return None
        at = comma.end()
        return next((name.entity for name in self._names if name.start == at and name.label == "PER"), None)

    def _speaks_for(self, text: str) -> bool:
        """Whether the words are of somebody or something that speaks for a body: a spokesman, a statement."""
        return any(word.lower() in self._words.voices for word in WORD.findall(text))

    def _head_length(self, text: str) -> int:
        """How long the noun phrase is without what a preposition hangs to it."""
        for word in WORD.finditer(text):
            if word.start() and word.group().lower() in self._words.prepositions:
                return len(text[: word.start()].rstrip())
        return len(text)

    def _pronoun_entity(self, word: str, at: int) -> str | None:
        words = self._words
        if word in words.pronouns_he or word in words.pronouns_she:
            gender = "m" if word in words.pronouns_he else "f"
            return self._person_entity(at, "f" if gender == "m" else "m")
        if word in words.pronouns_it and (subject := self._subject_body(at)):
            return subject
        if word in words.pronouns_it or word in words.pronouns_they:
            if (
                self._last_speaker
                and at - self._last_speaker[0] < MAX_LOOK_BACK_CHARS
                and self._has_label(self._last_speaker[1], "ORG")
            ):
                return self._last_speaker[1]
            return self._nearest_entity(at, ("ORG",)) if word in words.pronouns_it else None
        return None

    def _subject_body(self, at: int) -> str | None:
        """The body or country that is the subject of the sentence of an offset: “Russia has stated that it has”."""
        for name in reversed(self._names):
            if (
                at - MAX_LOOK_BACK_CHARS < name.start < at
                and name.is_subject
                and name.label in {"ORG", "LOC"}
            ):
                return None if SENTENCE_END.search(self._text, name.end, at) else name.entity
        return None

    def _person_entity(self, at: int, other: str) -> str | None:
        """The person that a pronoun at `at` means; `other` is the gender that it can't be."""
        start = max(self._text.rfind("\n", 0, at), 0)
        people = [
            name
            for name in self._names
            if name.label == "PER"
            and at - MAX_LOOK_BACK_CHARS < name.start < at
            and self._gender.get(name.entity) != other
        ]
        here = [name for name in people if name.start >= start]
        subjects = [name for name in here if name.is_subject]
        if subjects:
            return subjects[-1].entity
        spoke = self._last_speaker
        if spoke and at - spoke[0] < MAX_LOOK_BACK_CHARS and any(name.entity == spoke[1] for name in people):
            return spoke[1]
        before = [name for name in people if name.is_subject] or people
        return (here or before)[-1].entity if here or before else None

    def _described_entity(self, said: list[str], at: int) -> str | None:
        """Who "the minister" or "the company" is."""
        if (
            len(said) > 1
            and said[-1] in self._words.voices
            and not self._words.organisations.isdisjoint(said[:-1])
        ):
            return self._nearest_entity(at, ("ORG",))  # a company spokesperson
        if said[0] not in self._words.definite or len(said) < 2:
            return None
        head = said[-1]
        for name in reversed(self._names):
            if at - MAX_LOOK_BACK_CHARS < name.start < at and (
                (name.label == "PER" and head in name.title)
                or (name.label == "ORG" and head in self._text[name.start : name.end].lower().split())
            ):
                return name.entity
        if head in self._words.firms and len(said) == 2:
            return self._nearest_entity(at, ("ORG",))
        return None

    def _nearest_entity(self, at: int, labels: tuple[str, ...]) -> str | None:
        for name in reversed(self._names):
            is_agency = self._text[name.start : name.end] in lexicon().agencies
            if at - MAX_LOOK_BACK_CHARS < name.start < at and name.label in labels and not is_agency:
                return name.entity
        return None

    def _has_label(self, entity: str, label: str) -> bool:
        return any(name.entity == entity and name.label == label for name in self._names)

    def _member_of(
        self, mention: Mention, before: Mention | None, entities: dict[str, Entity]
    ) -> _CastMember:
        entity = entities.get(mention.entity or "")
        start = self._sentence_start(mention.start)
        clause = self._text[start : mention.start]
        if before and before.end > start:
            title = self._title(self._text[before.end : mention.start], mention.end, entity)
        else:
            title = self._title(clause, mention.end, entity)
        label = entity.label if entity else mention.label
        after_person = before is not None and before.label == "PER" and before.end > start
        subject = (
            not after_person and mention.start - start < MAX_TITLE_CHARS and self._can_open_sentence(clause)
        )
        return _CastMember(mention.start, mention.end, label, mention.entity or "", title, subject)

    def _sentence_start(self, at: int) -> int:
        """Where the sentence of an offset starts, as far as `MAX_TITLE_CHARS` characters tell."""
        earliest = max(0, at - MAX_TITLE_CHARS)
        for end in reversed(list(SENTENCE_END.finditer(self._text, earliest, at))):
            word = WORD_BEFORE.search(self._text, earliest, end.start())
            if end.group()[0] != "." or word is None or word.group().lower() not in self._words.titles:
                return end.end()
        return earliest

    def _title(self, clause: str, end: int, entity: Entity | None) -> tuple[str, ...]:
        """The words that say what a name is: its roles, those just before it, an apposition after it."""
        said = [word.lower() for role in (entity.roles if entity else ()) for word in WORD.findall(role)]
        if apposition := APPOSITION_AFTER.match(self._text, end):
            said += self._words_of_title(WORD.findall(apposition[1]))
        return (*said, *self._words_of_title(WORD.findall(clause.rpartition(",")[2])[::-1])[::-1])

    def _words_of_title(self, said: list[str]) -> list[str]:
        """The words, in lower case, up to one that no title holds."""
        words = self._words
        kept: list[str] = []
        for word in map(str.lower, said):
            ends = word in words.prepositions or word in words.boundaries or word in words.auxiliaries
            if ends or word in words.determiners:
                break
            kept.append(word)
        return kept

    def _can_open_sentence(self, clause: str) -> bool:
        """Whether a name that follows `clause` can be its sentence's subject: only a title stands before it."""
        ends = self._words.boundaries | self._words.cues | self._words.auxiliaries | self._words.openers
        return not any(word.lower() in ends for word in WORD.findall(clause))

    def _genders(self) -> Iterator[tuple[str, str]]:
        """What titles and kinship words just before a name tell."""
        for name in self._names:
            near = set(name.title[-3:])
            if name.label == "PER" and near & self._words.masculine:
                yield name.entity, "m"
            elif name.label == "PER" and near & self._words.feminine:
                yield name.entity, "f"

    def _likely_genders(self, entities: Iterable[Entity]) -> Iterator[tuple[str, str]]:
        """What given names tell, which titles overrule."""
        for entity in entities:
            name = read_name(entity.name) if entity.label == "PER" else None
            if name and len(name.words) > 1 and not is_family_first(name):
                gender = gender_of_given(name.words[0])
                if gender:
                    yield entity.id, gender
