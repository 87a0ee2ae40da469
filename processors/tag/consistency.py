"""One story, one label a name: what was found once is found everywhere, and the mentions of a name agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from processors.story import Label
from processors.tag.copy import Copy
from processors.tag.found import Found, merge
from processors.tag.gazetteer import label_of
from processors.tag.lexicon import lexicon
from processors.tag.words import Phrases, Words

PARTICLES = frozenset(
    "al el ad ar as ash bin bint ibn abu de del della di da dos van von der den la le du".split()
)


def agreed(copy: Copy, words: Words, found: Sequence[Found]) -> list[Found]:
    """The names with one label each, and with the places where they stand but were not seen."""
    labels = _labels(copy, found)
    settled = [replace(f, label=labels[_key(copy, f)]) for f in found]
    return merge(settled, _repeats(copy, words, settled))


def surname(name: str) -> str:
    """The last word of a person's name, with its Arabic article or without: ``Bashar al-Assad`` → ``assad``."""
    parts = [
        part
        for part in name.replace("-", " ").casefold().split()
        if part.rstrip(".") not in {"jr", "sr", "ii", "iii"}
    ]
    return parts[-1] if parts else ""


def _key(copy: Copy, found: Found) -> str:
    return copy.read[found.start : found.end].casefold()


def _labels(copy: Copy, found: Sequence[Found]) -> dict[str, Label]:
    """The label of each name: what is known of it, whose surname it is, else the most of its mentions."""
    votes: defaultdict[str, Counter[Label]] = defaultdict(Counter)
    for each in found:
        votes[_key(copy, each)][each.label] += each.weight  # type: ignore[assignment] -- weights are fractions
    surnames = {
        surname(key) for key, labels in votes.items() if " " in key and labels.most_common(1)[0][0] == "PER"
    }
    made: dict[str, Label] = {}
    for each in found:
        key = _key(copy, each)
        if key in made:
            continue
        name = copy.read[each.start : each.end]
        if " " not in key and surname(key) in surnames:
            made[key] = "PER"
        else:
            made[key] = label_of(name) or votes[key].most_common(1)[0][0]
    return made


def _repeats(copy: Copy, words: Words, found: Sequence[Found]) -> Iterator[Found]:
    """The names where the pipeline did not see them, and the surnames of its people."""
    names: dict[str, Label] = {}
    keys: dict[str, tuple[str, ...]] = {}
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
            if written == name or (written == name.upper() and len(name) > 4):
                yield Found(start, end, names[name])
                break
