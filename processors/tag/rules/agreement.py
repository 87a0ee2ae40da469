"""One label a name in a story: a name seen once is found everywhere, and its mentions agree on their label."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from processors.model.event import Label
from processors.places import candidates
from processors.tag.copy import Copy, NameSpan, merge_names
from processors.tag.lexicon import lexicon
from processors.tag.people import GENERATION_MARKS, NAME_PARTICLES, gender_of_given
from processors.tag.phrase_search import CopyWords, PhraseIndex, WordKeys
from processors.tag.rules import RuleContext
from processors.tag.rules.gazetteer import GAZETTEER_WEIGHT, label_of

MIN_STORY_WORDS: Final = (
    120  # of a copy that introduces its people by their full names; briefs and captions may not
)
MAX_ACRONYM_LETTERS: Final = 6  # a longer word in capitals is a cry, or a town's name in a table
LAST_WORD: Final = re.compile(r"([^\W\d_]+)\.? +$")
ARTICLES: Final = ("al-", "el-", "ad-", "ar-", "as-", "ash-", "an-", "ben ", "bin ")
LOCATING_WORDS: Final = frozenset(
    [
        "in",
        "at",
        "near",
        "from",
        "to",
        "outside",
        "inside",
        "around",
        "across",
        "throughout",
        "into",
        "through",
        "toward",
        "towards",
        "via",
        "off",
        "southern",
        "northern",
        "eastern",
        "western",
        "central",
        "south",
        "north",
        "east",
        "west",
        "downtown",
    ]
)
# Before a name that is a city: what stands there is a place, even where a university or a club goes by it.
INSIDE_WORDS: Final = frozenset(
    ["in", "near", "outside", "inside", "around", "across", "throughout", "downtown"]
)
MAX_CHARS_BEFORE: Final = 20  # of a name that hold the word before it; longer words are none of the lists


def agree_on_labels(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names with one label each, and with the places where they stand but were not seen.

    A copy with a dateline is a story, however short it is.
    """
    copy = context.copy
    evidence = _NameEvidence.of(copy, names)
    is_story = context.dateline is not None or len(context.words) >= MIN_STORY_WORDS
    introduces = is_story and copy.is_english
    labels = {key: evidence.label(key, introduces) for key in evidence.votes}
    labelled = [replace(name, label=labels[_key_of(copy, name)]) for name in names]
    return merge_names(labelled, _repeats(copy, context.words, labelled))


def surname(name: str) -> str:
    """The last word of a person's name, without its Arabic article: ``Bashar al-Assad`` → ``assad``."""
    parts = name.replace("-", " ").casefold().split()
    while len(parts) > 1 and parts[-1].rstrip(".") in GENERATION_MARKS:
        parts.pop()
    return parts[-1] if parts else ""


@dataclass(frozen=True, slots=True)
class _NameEvidence:
    """What the mentions of a copy say of each name: votes for labels, how it is written, what is before it."""

    votes: dict[str, dict[Label, float]]
    written: dict[str, str]
    titled: frozenset[str]
    located: frozenset[str]
    inside: frozenset[str]
    surnames: frozenset[str]
    shared_surnames: frozenset[str]  # of several people
    given: frozenset[str]
    nicknames: frozenset[str]  # of clubs whose full names have them at their end

    @classmethod
    def of(cls, copy: Copy, names: Sequence[NameSpan]) -> _NameEvidence:
        votes: defaultdict[str, dict[Label, float]] = defaultdict(dict)
        written: dict[str, str] = {}
        titled, located, inside = set(), set(), set()
        for name in names:
            key = _key_of(copy, name)
            votes[key][name.label] = votes[key].get(name.label, 0) + name.weight
            written.setdefault(key, copy.read[name.start : name.end])
            before = _word_before(copy, name)
            if before in INSIDE_WORDS and copy.is_english:
                inside.add(key)
            if before in LOCATING_WORDS or name.weight >= GAZETTEER_WEIGHT:
                located.add(key)
            elif before in lexicon().titles or before in lexicon().roles:
                titled.add(key)
        people = [key for key, labels in votes.items() if " " in key and _top_label(labels) == "PER"]
        return cls(
            votes, written, frozenset(titled), frozenset(located), frozenset(inside),
            frozenset(map(surname, people)) | _inner_surnames(written[key] for key in people),
            frozenset(name for name, bearers in Counter(map(surname, people)).items() if bearers > 1),
            frozenset(name.split()[0] for name in people),
            frozenset(_club_nicknames(written[key] for key, labels in votes.items() if _top_label(labels) == "ORG")),
        )  # fmt: skip

    def label(self, key: str, introduces: bool) -> Label:
        """The label of a name: whose surname it is, what is known of it, else the most of its mentions.

        A story gives people's full names once, so a lone word that is nobody's surname or given name and has no title
        is no person, whatever the recogniser thought: mostly it is a company or a club. A city in which something is
        said to be is no university and no club.
        """
        single = _is_single(key)
        if single and surname(key) in self.surnames and not self._is_namesake(key):
            return "PER"
        if certain := label_of(self.written[key]):
            return certain
        if not single and key not in self.titled and (label := self._label_by_words(key)):
            return label
        if single and key in self.nicknames:
            return "ORG"
        label = _top_label(self.votes[key])
        if label == "PER" and single and introduces and not self._is_person(key):
            others: dict[Label, float] = {"ORG": 0.0, **self.votes[key], "PER": -1.0}
            label = _top_label(others)
        if label == "ORG" and key in self.inside and candidates(self.written[key]):
            label = "LOC"
        if label == "LOC" and introduces and self._is_acronym(key):
            label = "ORG"
        return label

    def _label_by_words(self, key: str) -> Label | None:
        """What a name's own words tell: a given name with a surname of the story, or a company's last word."""
        first, *_, last = self.written[key].split()
        is_given = _is_given_name(first)
        is_person = _top_label(self.votes[key]) == "PER"
        if last.casefold() in (self.shared_surnames if is_person else self.surnames):
            return "PER" if is_given else None
        return "ORG" if is_person and last in lexicon().organisations else None

    def _is_acronym(self, key: str) -> bool:
        """Whether a name is letters alone that no place goes by."""
        name = self.written[key]
        short = name.isalpha() and name.isupper() and 1 < len(name) <= MAX_ACRONYM_LETTERS
        return short and key not in self.located and not candidates(name)

    def _is_namesake(self, key: str) -> bool:
        """Whether a surname is a known place here, because something is in it: "Jack London", "in London"."""
        return (
            key in self.located
            and _top_label(self.votes[key]) == "LOC"
            and bool(candidates(self.written[key]))
        )

    def _is_person(self, key: str) -> bool:
        name = self.written[key]
        return (
            key in self.given
            or key in self.titled
            or name in lexicon().given
            or name in lexicon().single_names
            or key.startswith(ARTICLES)
        )


def _is_single(key: str) -> bool:
    """Whether a name is one word, or one with a mark of a generation: "Kemp Sr."."""
    return " " not in key or {word.strip(".,") for word in key.split()[1:]} <= GENERATION_MARKS


def _inner_surnames(names: Iterable[str]) -> frozenset[str]:
    """The surnames before another one: the Solano of Ramiro Solano Paz."""
    return frozenset(part.casefold() for name in names for part in _surnames_within(name) if " " not in part)


def _club_nicknames(names: Iterable[str]) -> Iterator[str]:
    """The plurals at the end of full names: the comets of the Sydney Comets."""
    for name in names:
        *place, last = name.split()
        if (
            place
            and last.endswith("s")
            and last not in lexicon().organisations
            and candidates(" ".join(place))
        ):
            yield last.casefold()


def _top_label(votes: dict[Label, float]) -> Label:
    return max(votes, key=lambda label: votes[label])


def _key_of(copy: Copy, name: NameSpan) -> str:
    return copy.read[name.start : name.end].casefold()


def _word_before(copy: Copy, name: NameSpan) -> str:
    before = LAST_WORD.search(copy.read, max(0, name.start - MAX_CHARS_BEFORE), name.start)
    return before[1].lower() if before else ""


def _is_given_name(word: str) -> bool:
    return gender_of_given(word.casefold()) is not None or word in lexicon().given


def _surnames_within(name: str) -> Iterator[str]:
    """The surname of a full name as it is written, with its particles and without, and one before it (Villegas Montoya)."""
    words = name.split()
    if len(words) < 2:
        return
    if len(words[-1]) > 2:
        yield words[-1]
    if words[-2].casefold() in NAME_PARTICLES and len(words) > 2:
        yield " ".join(words[-2:])
    elif len(words) > 2:
        before = words[-2]
        if len(before) > 2 and before[0].isupper() and before.isalpha() and not _is_given_name(before):
            yield before


def _repeats(copy: Copy, words: CopyWords, names: Sequence[NameSpan]) -> Iterator[NameSpan]:
    """The names where the recogniser did not see them, and the surnames of its people."""
    labels: dict[str, Label] = {}
    keys: dict[str, WordKeys] = {}
    for name in names:
        whole = copy.read[name.start : name.end]
        if len(whole) > 2 and whole not in labels and whole not in lexicon().never:
            labels[whole], keys[whole] = name.label, words.keys_between(name.start, name.end)
            for part in _surnames_within(whole) if name.label == "PER" else ():
                at = name.start + whole.rindex(part)
                if part not in labels:
                    labels[part], keys[part] = "PER", words.keys_between(at, at + len(part))
    phrases = PhraseIndex((keys[whole], whole) for whole in labels)
    for hit in phrases.find(words):
        start, end = words.starts[hit.first], words.ends[hit.last]
        written = copy.read[start:end]
        for whole in hit.values:
            if written == whole or (len(whole) > 4 and written == whole.upper()):
                yield NameSpan(start, end, labels[whole])
                break
