"""One story, one label a name: what was found once is found everywhere, and the mentions of a name agree."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from processors.model.event import Label
from processors.places import candidates
from processors.tag.copy import Copy
from processors.tag.found import Found, merge
from processors.tag.lexicon import lexicon
from processors.tag.rules.gazetteer import SURE, label_of
from processors.tag.words import Keys, Phrases, Words

STORY: Final = 120  # words that make a copy a story, which introduces its people by their full names
SUFFIXES: Final = frozenset({"jr", "sr", "ii", "iii", "iv"})
LAST_WORD: Final = re.compile(r"([^\W\d_]+)\.? +$")
ARTICLES: Final = ("al-", "el-", "ad-", "ar-", "as-", "ash-", "an-", "ben ", "bin ")
LOCATING: Final = frozenset(
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
REACH: Final = 20  # characters before a name that hold the word before it


def agreed(copy: Copy, words: Words, found: Sequence[Found], *, wired: bool = False) -> list[Found]:
    """The names with one label each, and with the places where they stand but were not seen.

    `wired` tells that the copy has a dateline, which makes it a story however short it is.
    """
    names = _Names.of(copy, found)
    introduces = wired or len(words) >= STORY
    labels = {key: names.label(key, introduces) for key in names.votes}
    settled = [replace(each, label=labels[_key(copy, each)]) for each in found]
    return merge(settled, _repeats(copy, words, settled))


def surname(name: str) -> str:
    """The last word of a person's name, without its Arabic article: ``Bashar al-Assad`` → ``assad``."""
    parts = name.replace("-", " ").casefold().split()
    while len(parts) > 1 and parts[-1].rstrip(".") in SUFFIXES:
        parts.pop()
    return parts[-1] if parts else ""


@dataclass(frozen=True, slots=True)
class _Names:
    """What the mentions of a copy say of each name: votes for labels, how it is written, what is before it."""

    votes: dict[str, dict[Label, float]]
    written: dict[str, str]
    titled: frozenset[str]
    located: frozenset[str]
    surnames: frozenset[str]
    given: frozenset[str]

    @classmethod
    def of(cls, copy: Copy, found: Sequence[Found]) -> _Names:
        votes: defaultdict[str, dict[Label, float]] = defaultdict(dict)
        written: dict[str, str] = {}
        titled, located = set(), set()
        for each in found:
            key = _key(copy, each)
            votes[key][each.label] = votes[key].get(each.label, 0) + each.weight
            written.setdefault(key, copy.read[each.start : each.end])
            before = _word_before(copy, each)
            if before in LOCATING or each.weight >= SURE:
                located.add(key)
            elif before in lexicon().titles or before in lexicon().roles:
                titled.add(key)
        people = [key for key, labels in votes.items() if " " in key and _most(labels) == "PER"]
        return cls(
            votes, written, frozenset(titled), frozenset(located), frozenset(map(surname, people)),
            frozenset(name.split()[0] for name in people),
        )  # fmt: skip

    def label(self, key: str, introduces: bool) -> Label:
        """The label of a name: whose surname it is, what is known of it, else the most of its mentions.

        A story gives people's full names once, so a lone word that is nobody's surname or given name and has no title
        is no person, whatever the pipeline thought: mostly it is a company or a club. So is a place that no gazetteer
        has and that nothing is ever said to be in.
        """
        single = " " not in key
        if single and surname(key) in self.surnames and not self._namesake(key):
            return "PER"
        if known := label_of(self.written[key]):
            return known
        label = _most(self.votes[key])
        if label == "PER" and single and introduces and not self._person(key):
            others: dict[Label, float] = {"ORG": 0.0, **self.votes[key], "PER": -1.0}
            label = _most(others)
        if label == "LOC" and introduces and not self._place(key):
            label = "ORG"
        return label

    def _namesake(self, key: str) -> bool:
        """Whether a surname is a known place here, because something is in it: "Jack London", "in London"."""
        return key in self.located and _most(self.votes[key]) == "LOC" and bool(candidates(self.written[key]))

    def _place(self, key: str) -> bool:
        name = self.written[key]
        return key in self.located or bool(candidates(name)) or not lexicon().places.isdisjoint(name.split())

    def _person(self, key: str) -> bool:
        name = self.written[key]
        return (
            key in self.given
            or key in self.titled
            or name in lexicon().given
            or name in lexicon().single_names
            or key.startswith(ARTICLES)
        )


def _most(votes: dict[Label, float]) -> Label:
    return max(votes, key=lambda label: votes[label])


def _key(copy: Copy, found: Found) -> str:
    return copy.read[found.start : found.end].casefold()


def _word_before(copy: Copy, found: Found) -> str:
    before = LAST_WORD.search(copy.read, max(0, found.start - REACH), found.start)
    return before[1].lower() if before else ""


def _repeats(copy: Copy, words: Words, found: Sequence[Found]) -> Iterator[Found]:
    """The names where the pipeline did not see them, and the surnames of its people."""
    names: dict[str, Label] = {}
    keys: dict[str, Keys] = {}
    for each in found:
        name = copy.read[each.start : each.end]
        if len(name) > 2 and name not in names and name not in lexicon().never:
            names[name], keys[name] = each.label, words.keys_between(each.start, each.end)
            last = name.split()[-1]
            if each.label == "PER" and " " in name and len(last) > 2 and last not in names:
                names[last] = "PER"
                keys[last] = words.keys_between(each.end - len(last), each.end)
    phrases = Phrases((keys[name], name) for name in names)
    for hit in phrases.find(words):
        start, end = words.starts[hit.first], words.ends[hit.last]
        written = copy.read[start:end]
        for name in hit.values:
            if written == name or (len(name) > 4 and written == name.upper()):
                yield Found(start, end, names[name])
                break
