"""Briefs of one source that tell the same, which their shingles don't show.

A brief has too few words to be known by its shingles, and each next version changes some: a figure, a verb, a name.
Of one source, within two hours, it is known by most of its words, and by names that agree; the story that follows an
alert has the alert's words in its headline and at its beginning.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import chain, pairwise
from typing import Final, NamedTuple

from processors.deduplicate.sentences import SplitReport, fold_words, load_meaning_words, split_words
from processors.deduplicate.standing_lines import hash_sentence
from processors.times import HOUR_MS

# A longer report is no brief: some sixty words. With more, notices of an hour have enough in common by chance.
MAX_BRIEF_CHARS: Final = 400
# Between an alert and its story, and between versions of an item. With more, the next match of a team is this one.
MAX_GAP_MS: Final = 2 * HOUR_MS
# Of each source: a desk sends some dozens in two hours; more cost time.
MAX_BRIEFS: Final = 48
MAX_SOURCES: Final = 4096
# Of what the words of the shorter one tell. From successive versions of news items in sixteen languages: at .72 the
# notices of a line of one template are joined now and then, at .8 one in sixteen versions is missed, here one in 25.
MIN_LIKENESS: Final = 0.74
MIN_COMMON: Final = 0.4  # of the words themselves: what is less is not weighed
MIN_SHARED_COUNT: Final = 3  # words; fewer are a place and a verb
# Names that only one of two briefs has, of those in both, where the other too has such: more is another club, company
# or country in the same words.
MAX_OWN_NAMES: Final = 0.5
# Of the shorter headline's words: the same headline, or one contained in the other. With less the notices of an hour
# that are made from one template are versions of each other.
MIN_SHARED_TITLE: Final = 0.85
MAX_FIGURES: Final = 0.3  # of the words; more is a table: results, prices, earnings
# Briefs that a source is taken to have sent before, which had none of the words: with none the first two differ in
# nothing that is weighed, with many a source's templates are known late.
COUNTED_BEFORE: Final = 8
STEM_CHARS: Final = 5  # of a word that are compared: endings change with the sentence


# Of stories that do not say whose they are. Strangers may have sent them, so only one headline joins them.
NO_SOURCE: Final = hash_sentence("")


@dataclass(frozen=True)
class BriefWords:
    """The stems of a headline's words, and the headline; all the others are read when they are first asked for.

    Few briefs have a headline that is like another's, and the others are compared with none.
    """

    title: frozenset[str]
    headline: frozenset[str]
    read_lead_words: Callable[[], tuple[frozenset[str], frozenset[str]]]

    @property
    def stems(self) -> frozenset[str]:
        """The stems of all words."""
        return self._lead[0]

    @property
    def names(self) -> frozenset[str]:
        """The stems of the names among those of the text."""
        return self._lead[1]

    @cached_property
    def _lead(self) -> tuple[frozenset[str], frozenset[str]]:
        return self.read_lead_words()


class _Brief(NamedTuple):
    row: int
    time_ms: int
    words: BriefWords


class _SourceBriefs:
    """The latest briefs of one source, by number, and how many of them have a word: templates of the source weigh little.

    `titled` has the numbers of the briefs whose headlines have a stem; `untitled` counts those whose headline has none.
    """

    __slots__ = ("_counts", "briefs", "next_number", "titled", "untitled")

    def __init__(self) -> None:
        self.briefs: dict[int, _Brief] = {}
        self._counts: Counter[str] | None = None  # counted when it is asked for: few briefs are like another
        self.titled: dict[str, list[int]] = {}
        self.untitled = 0
        self.next_number = 0

    def add(self, brief: _Brief) -> None:
        if len(self.briefs) == MAX_BRIEFS:
            self._remove_oldest()
        titled, number = self.titled, self.next_number
        self.briefs[number] = brief
        self.next_number += 1
        self._counts = None
        for stem in brief.words.title:
            titled.setdefault(stem, []).append(number)
        self.untitled += not brief.words.title

    def remove_before(self, row: int) -> None:
        """Forget the briefs that have left the window."""
        while self.briefs and next(iter(self.briefs.values())).row < row:
            self._remove_oldest()

    def find_titled(self, title: frozenset[str]) -> list[_Brief]:
        """The briefs with a headline like one."""
        briefs = self.briefs
        if not title or self.untitled:
            return [brief for brief in briefs.values() if _have_like_titles(title, brief.words.title)]
        shared: dict[int, int] = {}
        for stem in title:
            for number in self.titled.get(stem, ()):
                shared[number] = shared.get(number, 0) + 1
        return [
            briefs[number]
            for number, count in shared.items()
            if count >= MIN_SHARED_TITLE * min(len(title), len(briefs[number].words.title))
        ]

    def weigh(self, stems: Iterable[str]) -> float:
        """How much some words tell, by how few of the briefs have them; in whatever order they come."""
        if self._counts is None:
            self._counts = Counter(chain.from_iterable([brief.words.stems for brief in self.briefs.values()]))
        weights, counts = _read_weights(len(self.briefs) + COUNTED_BEFORE), self._counts
        return math.fsum([weights[counts[stem]] for stem in stems])

    def _remove_oldest(self) -> None:
        number = next(iter(self.briefs))
        words, titled = self.briefs.pop(number).words, self.titled
        self._counts = None
        for stem in words.title:
            if titled[stem][-1] == number:
                del titled[stem]
            else:
                titled[stem].pop(0)
        self.untitled -= not words.title


@cache
def _read_weights(whole: int) -> list[float]:
    """log(N / n) of N briefs for n, one that is new counted in."""
    return [math.log(whole / (count + 1)) for count in range(MAX_BRIEFS + 1)]


class RecentBriefs:
    """The latest briefs by source, each with its row."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._sources: dict[int, _SourceBriefs] = {}

    def add(self, source: int, row: int, time_ms: int, words: BriefWords) -> None:
        """Remember a brief."""
        briefs = self._sources.pop(source, None) or _SourceBriefs()
        briefs.add(_Brief(row, time_ms, words))
        self._sources[source] = briefs  # the latest source is the last
        if len(self._sources) > MAX_SOURCES:
            del self._sources[next(iter(self._sources))]

    def has_title(self, source: int, time_ms: int, title: frozenset[str]) -> bool:
        """Whether a brief of a source has enough words of a headline that the whole of both is worth comparing."""
        briefs = self._sources.get(source)
        titled = briefs.find_titled(title) if briefs else ()
        return any(abs(time_ms - brief.time_ms) <= MAX_GAP_MS for brief in titled)

    def find_row(self, source: int, time_ms: int, words: BriefWords, first: int) -> tuple[int, float] | None:
        """The row, from `first` on, of the likest brief of a source, of equals the newest, and how like it is."""
        briefs = self._sources.get(source)
        if briefs is None:
            return None
        briefs.remove_before(first)
        best: tuple[float, int] | None = None
        for brief in briefs.find_titled(words.title):
            if abs(time_ms - brief.time_ms) <= MAX_GAP_MS:
                likeness = _compare(words, brief.words, briefs)
                if likeness is not None and (source != NO_SOURCE or _have_one_headline(words, brief.words)):
                    best = max(best or (0.0, -1), (likeness, brief.row))
        return (best[1], best[0]) if best else None


def _compare(ours: BriefWords, theirs: BriefWords, briefs: _SourceBriefs) -> float | None:
    """How like two briefs with like headlines are, from 0 to 1; None where they may tell two things."""
    shared = ours.stems & theirs.stems
    if len(shared) < max(MIN_SHARED_COUNT, MIN_COMMON * min(len(ours.stems), len(theirs.stems))):
        return None
    if not _names_agree(ours, theirs, briefs):
        return None
    likeness = briefs.weigh(shared) / min(briefs.weigh(ours.stems), briefs.weigh(theirs.stems))
    return likeness if likeness >= MIN_LIKENESS else None


def _have_like_titles(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether the shorter of two headlines has enough of its words in the other."""
    return len(ours & theirs) >= MIN_SHARED_TITLE * min(len(ours), len(theirs))


def _have_one_headline(ours: BriefWords, theirs: BriefWords) -> bool:
    """Whether two headlines are the same, figures too, or one is contained in the other."""
    shorter = min(ours.headline, theirs.headline, key=len)
    return len(shorter) >= MIN_SHARED_COUNT and shorter == ours.headline & theirs.headline


def _names_agree(ours: BriefWords, theirs: BriefWords, briefs: _SourceBriefs) -> bool:
    """Whether two briefs name the same, or one of them names more: not each somebody of its own.

    What is a name here may stand in the other's headline, or be written small there.
    """
    if not ours.names or not theirs.names:
        return True
    shared = briefs.weigh((ours.names & theirs.stems) | (theirs.names & ours.stems))
    own = min(briefs.weigh(ours.names - theirs.stems), briefs.weigh(theirs.names - ours.stems))
    return own <= MAX_OWN_NAMES * shared and shared > 0


def read_brief(report: SplitReport, language: str) -> BriefWords | None:
    """The words of a brief, headline and text; None of a longer report, and of a table, which is made of figures."""
    return read_lead(report, language) if len(report.text) <= MAX_BRIEF_CHARS else None


def read_title(report: SplitReport, language: str) -> frozenset[str]:
    """The stems of a headline, as `BriefWords.title` has them."""
    return _read_stems(report.title_forms, _read_empty(language))


def read_lead(report: SplitReport, language: str) -> BriefWords | None:
    """The words that an alert of a story may have: of its headline and its beginning; None where many are figures."""
    text = report.text[:MAX_BRIEF_CHARS]
    forms = fold_words(text)
    figures = sum([form[0].isdigit() for form in forms])
    if figures > MAX_FIGURES * len(forms):
        return None
    title = read_title(report, language)
    return BriefWords(
        title, frozenset(report.title_forms), partial(_read_words, text, forms, title, language)
    )


def _read_words(
    text: str, forms: Sequence[str], title: frozenset[str], language: str
) -> tuple[frozenset[str], frozenset[str]]:
    """The stems of a brief's words, headline and text, and of the names among those of its text."""
    empty = _read_empty(language)
    capitals = set() if text.isupper() else {word.form for word in split_words(text)[1:] if word.capital}
    names = [form[:STEM_CHARS] for form in capitals.difference(empty) if len(form) > 1]
    return _read_stems(forms, empty) | title, frozenset(names)


@cache
def _read_empty(language: str) -> frozenset[str]:
    """The words of a language that tell nothing of a brief: the commonest, and the marks of alerts."""
    words = load_meaning_words(language)
    return words.empty | words.alerts


def _read_stems(forms: Sequence[str], empty: frozenset[str]) -> frozenset[str]:
    """The stems of words that carry meaning; of unspaced scripts, pairs of characters."""
    distinct = set(forms).difference(empty)
    stems = [form[:STEM_CHARS] for form in distinct if len(form) > 1 and not form[0].isdigit()]
    if not all(map(str.isascii, distinct)):
        signs = [form for form in forms if len(form) == 1 and form not in empty and not form.isdigit()]
        stems += [before + sign for before, sign in pairwise(signs) if not sign.isascii()]
    return frozenset(stems)
