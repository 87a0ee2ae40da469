"""Which names of people in a story mean one person.

A person is introduced by a full name and goes by a part of it from then on: by the surname, which stands last, first
(Kang Min-ho) or in the middle (Andrés Villegas Montoya), or by the given name. Full names are compared with each
other first; then each bare one is the last person of that name who fits, by what titles, words of kin and given names
tell of gender, and by who is still alive to say it. Relatives share a surname and stay apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from config.lexicon import every_language, language
from config.tables import given_genders, known_names
from config.word_files import NO_PATTERN
from processors.quotes.lexicon import NO_WORDS, SpeechLexicon, speech_lexicon
from processors.tag.copy import Copy, NameSpan
from processors.tag.lexicon import lexicon

PersonGender = Literal["m", "f"]
ARABIC_ARTICLES: Final = frozenset({"al", "el", "ad", "ar", "as", "ash", "an", "at", "az"})
NAME_PARTICLES: Final = ARABIC_ARTICLES | frozenset(
    [
        "bin", "ibn", "bint", "ben", "von", "van", "der", "den", "de", "del", "della", "delle", "di", "da", "dos", "das",
        "do", "du", "la", "le", "les", "lo", "ten", "ter", "zu", "zum", "zur", "af", "av", "of", "st", "y", "e", "i",
    ]
)  # fmt: skip
GENERATION_MARKS: Final = frozenset({"jr", "sr", "ii", "iii", "iv"})
EDGE_MARKS: Final = ".,\"“”'‘’„«»()"
NICKNAME_WITHIN: Final = re.compile(r"\s[\"“'‘„«(]([^\"“”'‘’„«»()]{2,30})[\"”'’“»)](?=\s)")
WORD_BEFORE: Final = re.compile(r"([^\W\d_]+(?:['’-][^\W\d_]+)*)\.?,? +$")
KIN_AFTER: Final = re.compile(r", (?:\d+, )?(?:\w+(?:['’]s?)? ){0,3}?(?P<kin>\w+)(?=[,.])")
WORD_GAP: Final = re.compile(
    r"[\s\u00b7\u2027\u30fb]+"
)  # dots part the words of names from abroad in Chinese and Japanese
IDEOGRAPHIC_NAME: Final = re.compile(
    r"[\u3400-\u9fff々〆ヶ]{3,}"
)  # a family name and a given one, written as one
MAX_FAMILY_IDEOGRAPHS: Final = 3  # of a family name; those of Chinese have one or two
ANY_WORD: Final = re.compile(r"\w+")
MAX_TITLE_CHARS: Final = 30  # before a name, in which the word before it stands
MAX_FATE_CHARS: Final = (
    80  # beside a name, in which it is told that somebody is dead; more is the next clause
)
WORDS_TO_FATE: Final = 3  # before a name: killing his wife, …; more are about others
MAX_CLAUSE_CHARS: Final = (
    60  # behind a name, in which "he" or "she" is most often the same; more is somebody else
)
MAX_NAMESAKES: Final = 16  # people of one name that a name is compared with; a list of a family has no more
MIN_STEM_CHARS: Final = 3  # of a name without its case; fewer are common to most names
SENTENCE_END: Final = re.compile(r"[.!?\n]\s")


@dataclass(frozen=True, slots=True)
class PersonName:
    """The words of a name in lower case, without titles and particles, and what stands beside them."""

    words: tuple[str, ...]
    nicknames: tuple[str, ...] = ()
    generation: str | None = None

    @property
    def is_full(self) -> bool:
        """Whether both a given name and a family name are in it."""
        return len(self.words) > 1 or self.is_ideographic

    @property
    def is_ideographic(self) -> bool:
        """Whether it is a full name without a blank: 村岡健二."""
        return len(self.words) == 1 and IDEOGRAPHIC_NAME.fullmatch(self.words[0]) is not None


def read_name(name: str) -> PersonName:
    """Sir William “Buck” van den Tanner Jr. → william, tanner; buck; jr."""
    folded = name.casefold()
    nicknames = tuple(match[1].strip() for match in NICKNAME_WITHIN.finditer(folded))
    plain = NICKNAME_WITHIN.sub(" ", folded) if nicknames else folded
    words = [word.strip(EDGE_MARKS) for word in WORD_GAP.split(plain)]
    words = [_without_article(word) for word in words if word]
    generation = words.pop() if len(words) > 1 and words[-1] in GENERATION_MARKS else None
    while len(words) > 1 and (words[0] in lexicon().titles or words[0] in NAME_PARTICLES):
        del words[0]
    kept = [word for number, word in enumerate(words) if not number or word not in NAME_PARTICLES]
    return PersonName(tuple(kept), nicknames, generation)


def _without_article(word: str) -> str:
    head, hyphen, tail = word.partition("-")
    return tail if hyphen and head in ARABIC_ARTICLES and tail else word


def gender_of_given(word: str) -> PersonGender | None:
    """The gender of those who bear a given name; None where both do, or where nothing is known."""
    return given_genders().get(word) or given_genders().get(word.partition("-")[0])


def is_family_first(name: PersonName) -> bool:
    """Whether a name opens with the family: Kang Min-ho, Cao Weiguang, Nguyen Van Loc."""
    return 1 < len(name.words) <= 3 and name.words[0] in known_names().family_first


@cache
def full_givens(short: str) -> frozenset[str]:
    """The given names that a short one may stand for, in any language: bill → william."""
    return _diminutives().get(short, frozenset())


@cache
def _diminutives() -> dict[str, frozenset[str]]:
    table: dict[str, frozenset[str]] = {}
    for _, words in every_language():
        for short, full in (words.names.nicknames if words.names else {}).items():
            key = short.casefold()
            table[key] = table.get(key, frozenset()) | frozenset(full.casefold().split())
    return table


@dataclass(slots=True)
class _Person:
    """One person: the names, where they stand, and what is known."""

    names: list[PersonName]
    at: int  # where the person was introduced
    last: int  # where the person was named last
    gender: PersonGender | None = None  # by titles and words of kin
    is_dead: bool = False

    def likely_gender(self) -> PersonGender | None:
        """What a title tells, else what the given name does."""
        given = self.names[0].words[1 if is_family_first(self.names[0]) else 0]
        return self.gender or gender_of_given(given)

    def is_of_generation(self, mark: str | None) -> bool:
        """Whether a mark of generation may be the person's: "Kemp Jr." is not Walter Kemp Sr."""
        marks = {name.generation for name in self.names if name.generation}
        return not mark or not marks or mark in marks

    def is_called(self, word: str) -> bool:
        """Whether a word is one of the names just as it stands."""
        return any(word in name.words or word in name.nicknames for name in self.names)


class _Directory:
    """People by the words of their names: as a surname, within the name, as a given name."""

    def __init__(self, case_endings: tuple[str, ...]) -> None:
        self._endings = case_endings
        self._by_word: tuple[dict[str, list[_Person]], ...] = ({}, {}, {})

    def add_name(self, person: _Person, name: PersonName) -> None:
        """Note a full name of a person."""
        for rank, word in _ranked_words(name):
            for key in self.stems(word):
                people = self._by_word[rank].setdefault(key, [])
                if person not in people[-MAX_NAMESAKES:]:
                    people.append(person)

    def find(self, word: str) -> Iterator[list[_Person]]:
        """The people whom a word may mean, the surest first: of a rank those who are called just so come first."""
        for people in self._by_word:
            exact = [person for person in people.get(word, [])[-MAX_NAMESAKES:] if person.is_called(word)]
            if exact:
                yield exact
            likely = [
                person for stem in sorted(self.stems(word)) for person in people.get(stem, [])[-MAX_NAMESAKES:]
            ]  # fmt: skip
            if len(likely) > len(exact):
                yield likely

    def stems(self, word: str) -> frozenset[str]:
        """A word, and what is left of it without an ending of a case."""
        shorter = (
            word[: len(word) - len(ending)]
            for ending in self._endings
            if word.endswith(ending) and len(word) - len(ending) >= MIN_STEM_CHARS
        )
        return frozenset((word, *shorter))

    def is_same_word(self, one: str, other: str) -> bool:
        """Whether two words are one name, in whatever case."""
        return one == other or (bool(self._endings) and not self.stems(one).isdisjoint(self.stems(other)))


def _ranked_words(name: PersonName) -> Iterator[tuple[int, str]]:
    """The words by which a person may go: 0 as a surname, 1 perhaps as one, 2 as a given name."""
    first, last = name.words[0], name.words[-1]
    family_first = is_family_first(name)
    yield 0, last
    if name.is_ideographic:
        yield from ((0, last[:length]) for length in range(1, min(MAX_FAMILY_IDEOGRAPHS, len(last) - 1) + 1))
        yield 2, last[-2:]
        return
    yield (0 if family_first else 2), first
    if "-" in last and not family_first:
        yield from ((1, part) for part in last.split("-"))
    for word in name.words[1:-1]:
        if len(word) > 1:
            yield (2 if gender_of_given(word) else 1), word
    yield from ((2, word) for word in (*name.nicknames, *full_givens(first)))


def people_of(
    copy: Copy, names: Sequence[NameSpan], known_as: Mapping[NameSpan, NameSpan] | None = None
) -> dict[NameSpan, int]:
    """Of each name the number of the person whom it means; `known_as` has of aliases the name that they are one with."""
    return _Cast(copy, known_as or {}).assign(names)


class _Cast:
    """The people of one story."""

    def __init__(self, copy: Copy, known_as: Mapping[NameSpan, NameSpan]) -> None:
        self._text, self._known_as = copy.read, known_as
        words = language(copy.language)
        named = words.names if words else None
        self._speech: SpeechLexicon = speech_lexicon(copy.language) or NO_WORDS
        self._dead = named.dead if named else frozenset()
        self._kin = named.kin if named else frozenset()
        namesakes = named.namesakes if named else NO_PATTERN
        self._namesakes = re.compile(rf"(?:{namesakes}) $")
        self._relatives: list[_Person] = []  # named by their given names alone, behind a word of kin
        self._directory = _Directory(tuple(sorted(named.endings)) if named else ())
        self._people: list[_Person] = []

    def assign(self, names: Sequence[NameSpan]) -> dict[NameSpan, int]:
        """Full names first, then bare ones, each in the order of the text."""
        read = {name: read_name(self._text[name.start : name.end]) for name in names}
        owners: dict[NameSpan, _Person] = {}
        for name in names:
            if read[name].is_full:
                other = owners.get(self._known_as[name]) if name in self._known_as else None
                owners[name] = self._introduce(name, read[name], other)
        for person in self._people:
            person.last = person.at
        strangers: dict[str, _Person] = {}
        for name in names:
            person = owners.get(name) or self._recognise(name, read[name], strangers)
            owners[name] = person
            person.last = name.start
        numbers = {id(person): number for number, person in enumerate(self._people)}
        return {name: numbers[id(owners[name])] for name in names}

    def _introduce(self, span: NameSpan, name: PersonName, other: _Person | None) -> _Person:
        """The person of a full name, known or new; `other` is who the name is told to be an alias of."""
        gender = self._gender_beside(span)
        is_second = self._namesakes.search(self._text, max(0, span.start - MAX_TITLE_CHARS), span.start)
        person = other or (None if is_second else self._find_known(name, gender))
        if person is None:
            person = _Person([name], span.start, span.start)
            self._people.append(person)
        elif name not in person.names:
            person.names.append(name)
        person.gender = person.gender or gender
        person.is_dead = person.is_dead or self._is_dead(span)
        self._directory.add_name(person, name)
        return person

    def _find_known(self, name: PersonName, gender: PersonGender | None) -> _Person | None:
        checked: set[int] = set()
        for word in dict.fromkeys((name.words[-1], name.words[0])):
            for people in self._directory.find(word):
                for person in reversed(people):
                    if id(person) not in checked and self._is_same(person, name, gender):
                        return person
                    checked.add(id(person))
        return None

    def _is_same(self, person: _Person, name: PersonName, gender: PersonGender | None) -> bool:
        if name in person.names:
            return True
        if gender and person.gender and gender != person.gender:
            return False
        return any(self._agrees(known, name) for known in person.names[:MAX_NAMESAKES])

    def _agrees(self, one: PersonName, other: PersonName) -> bool:
        """Whether two full names may be one person's: all words of one in the other, or given names that fit."""
        if one.generation and other.generation and one.generation != other.generation:
            return False
        short, long = sorted((one.words, other.words), key=len)
        same = self._directory.is_same_word
        if self._is_within(short, long) and (same(short[-1], long[-1]) or same(short[0], long[0])):
            return True
        if {*short} == {*long} or "".join(short).replace("-", "") == "".join(long).replace("-", ""):
            return True
        if len(short) == 1 or is_family_first(one) or is_family_first(other) or not same(short[-1], long[-1]):
            return False
        return self._is_same_given(one.words[:-1], other.words[:-1], one.nicknames + other.nicknames)

    def _is_within(self, short: tuple[str, ...], long: tuple[str, ...]) -> bool:
        """Whether the words of one name stand in the other, in order."""
        rest = iter(long)
        return all(any(self._directory.is_same_word(word, other) for other in rest) for word in short)

    def _is_same_given(
        self, one: tuple[str, ...], other: tuple[str, ...], nicknames: tuple[str, ...]
    ) -> bool:
        first, second = one[0], other[0]
        if not (
            self._directory.is_same_word(first, second)
            or _initial(first) == second.replace(".", "")
            or _initial(second) == first.replace(".", "")
            or second in full_givens(first)
            or first in full_givens(second)
            or not full_givens(first).isdisjoint(full_givens(second))
            or first in nicknames
            or second in nicknames
        ):
            return False
        between, among = one[1:], other[1:]
        return not between or not among or _initial(between[0]) == _initial(among[0])

    def _recognise(self, span: NameSpan, name: PersonName, strangers: dict[str, _Person]) -> _Person:
        """The person whom a bare name means: introduced before, else behind it; a stranger where there is none."""
        word = name.words[0] if name.words else self._text[span.start : span.end].casefold()
        gender = self._gender_before(span)
        groups = list(self._directory.find(word))
        for introduced in (True, False):
            for people in groups:
                fits = [
                    person
                    for person in people
                    if (person.at < span.start) is introduced
                    and not (gender and person.likely_gender() not in {gender, None})
                    and person.is_of_generation(name.generation)
                ]
                if fits and self._is_speaking(span) and all(person.is_dead for person in fits):
                    return self._find_relative(span, gender) or self._find_stranger(
                        span, name, word, gender, strangers
                    )
                if fits:
                    return self._choose(span, fits)
        relative = self._find_relative(span, gender) if groups and gender else None
        return relative or self._find_stranger(span, name, word, gender, strangers)

    def _find_relative(self, span: NameSpan, gender: PersonGender | None) -> _Person | None:
        """The relative named last by the given name alone, who bears the family's name: "her father Martin" is Mr Harrow."""
        fits = [
            person
            for person in self._relatives
            if person.at < span.start and (gender is None or person.gender in {gender, None})
        ]
        return fits[-1] if fits else None

    def _find_stranger(
        self,
        span: NameSpan,
        name: PersonName,
        word: str,
        gender: PersonGender | None,
        strangers: dict[str, _Person],
    ) -> _Person:
        """Who goes by one word in the whole story; one who is named behind a word of kin may get a surname later."""
        stranger = strangers.get(word) or next(
            (strangers[stem] for stem in sorted(self._directory.stems(word)) if stem in strangers), None
        )
        if stranger is None or (gender and stranger.gender and gender != stranger.gender):
            stranger = _Person([name], span.start, span.start)
            self._people.append(stranger)
            if self._word_before(span) in self._kin:
                self._relatives.append(stranger)
        stranger.gender = stranger.gender or gender
        for stem in self._directory.stems(word):
            strangers.setdefault(stem, stranger)
        strangers[word] = stranger
        return stranger

    def _choose(self, span: NameSpan, people: list[_Person]) -> _Person:
        """The one of several namesakes: by who may speak, by the pronoun behind the name, else the last named."""
        if len(people) > 1 and self._is_speaking(span):
            people = [person for person in people if not person.is_dead] or people
        if len(people) > 1 and (gender := self._gender_behind(span)):
            people = [person for person in people if person.likely_gender() == gender] or people
        earlier = [person for person in people if person.last < span.start] or people[:1]
        return max(earlier, key=lambda person: person.last)

    def _gender_beside(self, span: NameSpan) -> PersonGender | None:
        """What a title or a word of kin tells: before a full name, within it, or behind a comma."""
        kin = KIN_AFTER.match(self._text, span.end, span.end + MAX_FATE_CHARS)
        return self._gender_before(span) or (self._gender_of_word(kin["kin"]) if kin else None)

    def _gender_before(self, span: NameSpan) -> PersonGender | None:
        within = self._text[span.start : span.end].split()
        first = self._gender_of_word(within[0].strip(".")) if len(within) > 1 else None
        return first or self._gender_of_word(self._word_before(span))

    def _word_before(self, span: NameSpan) -> str:
        """The word right before a name, in lower case; none gives an empty one."""
        before = WORD_BEFORE.search(self._text, max(0, span.start - MAX_TITLE_CHARS), span.start)
        return before[1].lower() if before else ""

    def _gender_of_word(self, word: str) -> PersonGender | None:
        low = word.lower()
        if low in self._speech.masculine:
            return "m"
        return "f" if low in self._speech.feminine else None

    def _gender_behind(self, span: NameSpan) -> PersonGender | None:
        """The gender of the first pronoun behind a name in its sentence."""
        for match in ANY_WORD.finditer(self._text, span.end, self._sentence_end(span.end, MAX_CLAUSE_CHARS)):
            word = match.group().lower()
            if (word in self._speech.pronouns_he) != (word in self._speech.pronouns_she):
                return "m" if word in self._speech.pronouns_he else "f"
        return None

    def _sentence_end(self, at: int, max_chars: int) -> int:
        end = SENTENCE_END.search(self._text, at, at + max_chars)
        return end.start() if end else at + max_chars

    def _is_dead(self, span: NameSpan) -> bool:
        """Whether the words beside a full name tell that the person is dead, and not that somebody else is."""
        opening = self._text[max(0, span.start - MAX_TITLE_CHARS) : span.start]
        if not self._dead.isdisjoint(word.lower() for word in ANY_WORD.findall(opening)[-WORDS_TO_FATE:]):
            return True
        behind = self._text[span.end : self._sentence_end(span.end, MAX_FATE_CHARS)]
        words = [word.lower() for word in ANY_WORD.findall(behind)]
        passing = self._speech.auxiliaries | self._speech.relatives | self._speech.times | self._dead
        for number, word in enumerate(words):
            if word in self._dead:
                following = words[number + 1] if number + 1 < len(words) else ""
                acts = not number and not behind.startswith(",") and following in self._speech.determiners
                return not acts  # "Tanner killed two men"
            if word not in passing and not word.isdigit():
                return False
        return False

    def _is_speaking(self, span: NameSpan) -> bool:
        """Whether a word of speech stands right beside a name."""
        behind = ANY_WORD.search(self._text, span.end, span.end + MAX_TITLE_CHARS)
        said = behind is not None and behind.group().lower() in self._speech.cues
        return said or self._word_before(span) in self._speech.cues


def _initial(word: str) -> str:
    return word[:1]
