"""Where a name begins and ends: without articles, titles and punctuation, and two names that were read as one apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from config.lexicon import language
from config.tables import given_genders
from processors.model.event import Label
from processors.places import candidates, key_of
from processors.tag.copy import Copy, NameSpan
from processors.tag.lexicon import lexicon, small_words
from processors.tag.people import NAME_PARTICLES
from processors.tag.place_signs import place_signs
from processors.tag.rules import RuleContext
from processors.tag.words import SHORT_WORDS

EDGE_CHARS: Final = " \t\r\n\"'“”‘’„«»‚‹›()[]{}<>,;:!?*_/\\|-–—=+#^~•·…"
ARTICLE: Final = re.compile(r"(?:the|a|an)\s+", re.IGNORECASE)
POSSESSIVE_END: Final = re.compile(r"['’]s?$")
FIRST_WORD: Final = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*)\.?\s+(?=\S)")
# A woman's name and not the month, since no preposition is before it and no day behind: "April Jones".
MONTH_GIVEN: Final = re.compile(r"(?:(?P<before>\w+) )?(?P<given>April|May|June|August) $")
MONTH_LEADS: Final = frozenset(
    "in of last this next since by late early mid until till through for from to on each every the between and".split()  # noqa: SIM905 -- a word list
)
MAX_MONTH_CHARS: Final = 20
OFFICE_OF: Final = re.compile(r"of (?:the )?(?=[^\W\d_])")  # "Mayor of London" less its title
SYLLABLE: Final = re.compile(r"-([a-z]{2,5})\b")
# What follows the hyphen of "Peel-led".
COMPOUNDS: Final = frozenset(
    "led like era born style made based run owned held free wide esque bound hit ready type level ism ite ally only "  # noqa: SIM905 -- a word list
    "proof rich rated loyal drawn built".split()
)
# "Galewright turbine": the thing is no part of the name.
SMALL_TAIL: Final = re.compile(r"(?<=[^\W\d_])(?: [a-z]+)+$")
MARK: Final = re.compile(r"\s*\([LRC]\)$")
SMALL_WORDS_INSIDE: Final = re.compile(r"(?<=[\w.]) ((?:[^\W\d_A-Z]+ ){1,4})(?=[A-ZÀ-ÖØ-ÞĀ-ž])")
SMALL_NAME_WORDS: Final = NAME_PARTICLES | {
    "dit",
    "dite",
    "ould",
    "o",
    "t",
    "mc",
    "vom",
    "am",
    "op",
    "het",
    "in",
    "the",
}
# Particles that are also prepositions and conjunctions: two full names beside one are two people.
PARTING_WORDS: Final = frozenset(
    {"da", "de", "di", "do", "a", "por", "par", "von", "van", "e", "y", "i", "con", "com"}
)
MODEL_GAP: Final = re.compile(r" ?[/-] ?| (?=[A-Z]?\d)")  # between a maker and what it makes, or two makers
# Within a name that ran over the end of a sentence: "Søren Bak. Kjærgaard". Shorter words are abbreviations, mostly.
SHORT_WORD: Final = re.compile(SHORT_WORDS)
SENTENCE_GAP: Final = re.compile(r"([^\W\d_]{3,})\.\s+(?=\w)")
DATELINE_AFTER: Final = re.compile(r",| \(|[ /]+[A-Z]{3}")  # behind the first place of a dateline
# No name has 200 characters; what is longer is no name, and trimming it word by word would cost the square of its length.
MAX_NAME_CHARS: Final = 200
LAST_CAPITALS: Final = re.compile(r"(?<=[a-z.]) ([A-Z][A-Z'’-]{2,}(?: [A-Z][A-Z'’-]+)*)$")


def trim_names(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names without what does not belong to them; those of which nothing is left are gone."""
    pieces = (piece for name in names for piece in _pieces_by_part(context.copy, name))
    return [trimmed for name in pieces if (trimmed := trim_name(context.copy, name))]


def _pieces_by_part(copy: Copy, name: NameSpan) -> Iterator[NameSpan]:
    """A name that ran on into a list as a name before it and one in it: elsewhere the rest is mostly none."""
    part = copy.part_at(name.start)
    if part is None or name.end <= part.end:
        yield name
        return
    yield replace(name, end=part.end)
    rest = copy.read[part.end : name.end]
    start = part.end + len(rest) - len(rest.lstrip())
    following = copy.part_at(start) if start < name.end else None
    if following is not None and following.kind == "list":
        yield from _pieces_by_part(copy, replace(name, start=start))


def trim_name(copy: Copy, name: NameSpan) -> NameSpan | None:
    """The same name without what does not belong to it; None where no name is left, or it is too long for one."""
    text = copy.read
    start, end = _within_part(copy, name)
    if end - start > MAX_NAME_CHARS:
        return None
    before = None
    while before != (start, end):
        before = (start, end)
        while start < end and _is_edge(text[start]):
            start += 1
        while start < end and _is_edge(text[end - 1]):
            end -= 1
        if copy.is_english:
            start = _without_front(text, start, end, name.label)
        end = _without_back(text, start, end, name.label)
    label = name.label
    if copy.is_english and label == "PER" and (office := OFFICE_OF.match(text, start, end)):
        start, label = office.end(), "LOC" if candidates(text[office.end() : end]) else "ORG"
    words = text[start:end]
    if not any(map(str.isalpha, words)) or words.islower() or words in lexicon().never:
        return None
    if label in {"PER", "ORG"} and " " not in words:
        start, label = _with_month(copy, start, label)
    return NameSpan(start, _end_of_syllables(text, end) if label == "PER" else end, label, name.weight)


def _with_month(copy: Copy, start: int, label: Label) -> tuple[int, Label]:
    """The start and label of a surname, with the given name before it that is a month's too."""
    month = MONTH_GIVEN.search(copy.read, max(0, start - MAX_MONTH_CHARS), start)
    part = copy.part_at(start)
    if month is None or part is None or month.start("given") < part.start:
        return start, label
    before = (month["before"] or "").lower()
    return (start, label) if before in MONTH_LEADS else (month.start("given"), "PER")


def _is_edge(char: str) -> bool:
    """Punctuation, emoji and control characters."""
    return char in EDGE_CHARS or (not char.isalnum() and unicodedata.category(char)[0] in "SC")


def _end_of_syllables(text: str, end: int) -> int:
    """The end of a name with its small second syllable: "Moon Jae-in", "Tsai Ing-wen"."""
    more = SYLLABLE.match(text, end)
    return more.end() if more and more[1] not in COMPOUNDS else end


def _within_part(copy: Copy, name: NameSpan) -> tuple[int, int]:
    """A name does not run over the end of its segment."""
    part = copy.part_at(name.start)
    return (name.start, min(name.end, part.end)) if part else (name.start, name.start)


def _without_front(text: str, start: int, end: int, label: Label) -> int:
    if article := ARTICLE.match(text, start, end):
        return article.end()
    if label == "PER" and (word := FIRST_WORD.match(text, start, end)):
        first = word[1].lower()
        if first in lexicon().titles or first in lexicon().roles:
            return word.end()
    return start


def _without_back(text: str, start: int, end: int, label: Label) -> int:
    words = text[start:end]
    if mark := MARK.search(words):
        return start + mark.start()
    if label == "MISC" and (tail := SMALL_TAIL.search(words)):
        return start + tail.start()
    if possessive := POSSESSIVE_END.search(words):
        return start + possessive.start()
    if words.endswith(".") and not _is_abbreviation(words):
        return end - 1
    return end


def _is_abbreviation(words: str) -> bool:
    """U.S., Inc., Jr.: the full stop is theirs."""
    last = words.rsplit(" ", 1)[-1]
    return "." in last[:-1] or last.rstrip(".") in {"Inc", "Corp", "Co", "Ltd", "Jr", "Sr", "Bros", "St"}


def cut_prefixes(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names without the conjunction or preposition that is written as one with them: وسامي is "and Sami".

    Many names begin with these letters themselves, so that what is left must be a given name, or a name of the story.
    """
    words = language(context.copy.language)
    prefixes = sorted(words.names.prefixes, key=len, reverse=True) if words and words.names else []
    if not prefixes:
        return list(names)
    read = context.copy.read
    firsts = {read[name.start : name.end].split()[0] for name in names}
    return [_without_prefix(read, name, prefixes, firsts) for name in names]


def _without_prefix(text: str, name: NameSpan, prefixes: Sequence[str], firsts: set[str]) -> NameSpan:
    first = text[name.start : name.end].split(maxsplit=1)[0]
    for prefix in prefixes:
        rest = first.removeprefix(prefix)
        is_name = rest in firsts or (rest in given_genders() and first not in given_genders())
        if rest and rest != first and is_name:
            return replace(name, start=name.start + len(prefix))
    return name


def split_joined_names(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names, those that are two as two."""
    read = context.copy.read
    names = [whole for name in names for whole in _split_sentences(context.copy, name)]
    surnames = {
        read[name.start : name.end].split()[-1]
        for name in names
        if name.label == "PER" and " " in read[name.start : name.end]
    }
    apart = [part for name in names for part in _split_by_surnames(context.copy, name, surnames)]
    return [part for name in apart for part in split_name(context.copy, name)]


def _split_by_surnames(copy: Copy, name: NameSpan, surnames: set[str]) -> list[NameSpan]:
    """A name that is a clause about people of the story: "Brandt thanked Ruiz" read as one name of a work."""
    words = copy.read[name.start : name.end]
    if name.label == "PER":
        return [name]
    for gap in SMALL_WORDS_INSIDE.finditer(words):
        left, right = words[: gap.start()], words[gap.end() :]
        small = frozenset(gap[1].split())
        if (
            not small_words(copy.language).isdisjoint(small)
            or small <= SMALL_NAME_WORDS
            or not ({left.split()[-1], right.split()[0]} & surnames)
        ):
            continue
        head, tail = replace(name, end=name.start + gap.start()), replace(name, start=name.start + gap.end())
        return [
            replace(part, label="PER") if copy.read[part.start : part.end].split()[-1] in surnames else part
            for part in (head, tail)
        ]
    return [name]


def _split_sentences(copy: Copy, name: NameSpan) -> list[NameSpan]:
    """A name that ran over the end of a sentence as the names on either side."""
    for gap in SENTENCE_GAP.finditer(copy.read, name.start, name.end):
        if not SHORT_WORD.fullmatch(gap[1]):
            rest = replace(name, start=gap.end())
            return [replace(name, end=gap.end(1)), *_split_sentences(copy, rest)]
    return [name]


def split_name(copy: Copy, name: NameSpan) -> list[NameSpan]:
    """The names in a name: maker and model ("Airbus A350"), photographer and dateline ("Lena Brandvold OSLO").

    So are two people with a word between that belongs to no name ("Ruiz thanked Brandt", "Ana Ruiz da Karl Brandt"), and
    two countries ("Francia y Alemania").
    """
    words = copy.read[name.start : name.end]
    if (between := _gap_between(words, name.label, copy.language)) is not None:
        rest = replace(name, start=name.start + between[1])
        return [replace(name, end=name.start + between[0]), *split_name(copy, rest)]
    is_before_dateline = DATELINE_AFTER.match(copy.read, name.end) is not None
    if (
        is_before_dateline
        and name.label in {"PER", "ORG"}
        and (tail := LAST_CAPITALS.search(words))
        and candidates(tail[1])
    ):
        head = replace(name, end=name.start + tail.start())
        return [head, replace(name, start=name.start + tail.start(1), label="LOC")]
    if name.label == "MISC" and words not in lexicon().known_others and (gap := MODEL_GAP.search(words)):
        return _split_product(name, words, gap)
    return [name]


def _gap_between(words: str, label: Label, tag: str) -> tuple[int, int] | None:
    """Where in a name the words stand that part two; None where there are none, or they may belong to one name."""
    if label not in {"PER", "LOC"}:
        return None
    for gap in SMALL_WORDS_INSIDE.finditer(words):
        small, left, right = gap[1].split(), words[: gap.start()], words[gap.end() :]
        if label == "LOC":
            if (
                len(small) == 1
                and place_signs(tag).joining.fullmatch(small[0])
                and _are_countries(left, right)
                and not candidates(words)
            ):
                return gap.span()
        elif not all(word in SMALL_NAME_WORDS for word in small) or (
            " " in left
            and " " in right
            and small[-1] in PARTING_WORDS
            and right.split()[0] in lexicon().given
        ):
            return gap.span()
    return None


def _are_countries(left: str, right: str) -> bool:
    return all(key_of(name) in lexicon().countries for name in (left, right))


def _split_product(name: NameSpan, words: str, gap: re.Match[str]) -> list[NameSpan]:
    makers, rest = lexicon().known_organisations, words[gap.end() :]
    if words[: gap.start()] not in makers:
        return [name]
    maker = replace(name, end=name.start + gap.start(), label="ORG")
    model = replace(name, start=name.start + gap.end(), label="ORG" if rest in makers else "MISC")
    return [maker, model] if any(map(str.isupper, rest)) else [maker]
