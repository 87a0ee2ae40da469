"""How alike two stories are: the features of a pair, and a logistic model over them with its weights as data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from config.tables import likeness_weights
from processors.deduplicate.arrays import BoolArray, Hashes32
from processors.deduplicate.fingerprint import COMPLETE_BOUND, MAX_SET_WORDS, Fingerprint, WordSets
from processors.deduplicate.overlap import Overlap
from processors.deduplicate.record import RecordView
from processors.deduplicate.sentences import SplitReport
from processors.times import HOUR_MS

# In a shorter text every word may be what the story is about. With a higher figure briefs that were edited are
# strangers; with a lower one notices made from one template are one story.
BRIEF_WORDS: Final = 20
# Jaccard likeness of two briefs that are one, and of their headlines: a lower figure takes another file's number for a
# copy, a higher one misses a headline with a word more.
MIN_BRIEF_LIKENESS: Final = 0.75
MAX_ODDS: Final = 30.0  # logarithm; more changes no digit that is kept
# Of words that are figures. With less a text is prose, in whose headline another figure is a higher toll; with more it is
# a table, in whose headline it is the hour of another one. In pairs of wire stories that were read one by one, prose had
# up to .1, tables from .15 on.
TABLE_DIGITS: Final = (0.05, 0.15)
# In prose other names are another report; in rows of earnings, from the higher figure on, they are column heads.
ROWS_DIGITS: Final = (0.2, 0.4)


@dataclass(frozen=True, slots=True)
class LikenessModel:
    """A logistic regression: the log odds are the intercept and the weighted features."""

    intercept: float
    weights: tuple[tuple[str, float], ...]

    def __call__(self, features: dict[str, float]) -> float:
        """The probability that the pair tells one report."""
        odds = self.intercept + sum([weight * features[name] for name, weight in self.weights])
        return 1 / (1 + math.exp(-max(-MAX_ODDS, min(MAX_ODDS, odds))))


@cache
def load_model() -> LikenessModel:
    """The model of ``config/deduplicate.toml``."""
    model = likeness_weights()
    return LikenessModel(model.intercept, tuple(model.weights.items()))


class Likeness(NamedTuple):
    """How like an earlier story a new one is: the features of the pair, and the model's score of them."""

    view: RecordView
    overlap: Overlap
    features: dict[str, float]
    score: float


def measure_likeness(
    fingerprint: Fingerprint, report: SplitReport, time_ms: int, view: RecordView, overlap: Overlap
) -> Likeness | None:
    """The likeness of a new story and an earlier one; None where they are two briefs that are not the same."""
    ours, theirs = fingerprint.word_sets(), view.word_sets()
    features = _pair_features(fingerprint, view, overlap, ours, theirs)
    features |= _conflict_features(features, report, time_ms, view, ours, theirs)
    if not _is_same_brief(fingerprint, view, features, ours, theirs):
        return None
    return Likeness(view, overlap, features, round(load_model()(features), 4))


def _pair_features(
    fingerprint: Fingerprint, view: RecordView, overlap: Overlap, ours: WordSets, theirs: WordSets
) -> dict[str, float]:
    our_words, their_words = fingerprint.words, view.head.words
    shorter_is_new = our_words <= their_words
    words, most_words = (our_words, their_words) if shorter_is_new else (their_words, our_words)
    shorter, longer = (ours, theirs) if shorter_is_new else (theirs, ours)
    smaller_count = min(overlap.our_count, overlap.their_count)
    smaller_is_new = overlap.our_count <= overlap.their_count
    figures = overlap.our_figures if smaller_is_new else overlap.their_figures
    containment = min(1.0, overlap.containment)
    reverse = min(1.0, overlap.shared_weight / max(overlap.our_weight, overlap.their_weight))
    numbers = missing_share(shorter.numbers, longer.numbers)
    plain_containment = overlap.shared_count / smaller_count
    names = missing_share(shorter.names, longer.names)
    if not ours.names and not theirs.names:  # no capitals in this script: what is not shared may be names
        names = 1 - plain_containment
    return {
        "containment": containment,
        "plain-containment": plain_containment,
        "reverse-containment": reverse,
        "numbers-missing": numbers,
        "names-missing": names,
        "headline": jaccard_likeness(ours.headline, theirs.headline),
        "figures-kept": (overlap.shared_figures + containment) / (figures + 1),
        "figures": figures / smaller_count,
        "run": mean_run(overlap, min(view.head.bound, fingerprint.bound)),
        "words": math.log(max(words, 1)),
        "digits": fingerprint.digits if shorter_is_new else view.head.digits,
        "length-ratio": words / max(most_words, 1),
    }


def _conflict_features(
    features: dict[str, float],
    report: SplitReport,
    time_ms: int,
    view: RecordView,
    ours: WordSets,
    theirs: WordSets,
) -> dict[str, float]:
    """What each of two stories has of its own in the place of the other's: the marks of another notice of one template.

    A copy that was cut lacks names and figures, a later version has more; where both have others, it is another
    company's dividend, or the next day's table. Figures count by the hours in between: reports are revised soon.
    """
    digits, names = features["digits"], features["names-missing"]
    if names and (ours.names or theirs.names):
        names = min(missing_share(ours.names, theirs.names), missing_share(theirs.names, ours.names))
    numbers = features["numbers-missing"]
    if numbers:
        numbers = min(
            missing_share(ours.numbers, theirs.numbers), missing_share(theirs.numbers, ours.numbers)
        )
    in_table = _rise(digits, *TABLE_DIGITS)
    is_other = in_table > 0 and features["headline"] < 1 and _has_other_figures(report, view.report())
    return {
        "names-conflict": names * (1 - _rise(digits, *ROWS_DIGITS)),
        "numbers-conflict": numbers * math.log1p(abs(time_ms - view.head.time_ms) / HOUR_MS),
        "other-instalment": in_table if is_other else 0.0,
    }


def _rise(value: float, low: float, high: float) -> float:
    """Zero up to one value, one from another on, in proportion between them."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _has_other_figures(report: SplitReport, earlier: SplitReport) -> bool:
    """Whether each of two headlines has a figure that the other lacks."""
    ours, theirs = ({form for form in one.title_forms if form[0].isdigit()} for one in (report, earlier))
    return not (ours <= theirs or theirs <= ours)


def _is_same_brief(
    fingerprint: Fingerprint, view: RecordView, features: dict[str, float], ours: WordSets, theirs: WordSets
) -> bool:
    """Whether two short texts are all but equal; True where one is long enough for the model to judge.

    Flood warnings, results and other notices of a line are made from templates: a name, a number or the headline is
    all that tells one from the other. So none may differ, and one text may have a few words more at an end, but not
    the other as well: a last word in place of another may be the number of a file. Under one headline a brief may be
    all in the other, which goes on. A flash beside the story that follows it is no such pair.
    """
    words = (fingerprint.words, view.head.words)
    if min(words) >= BRIEF_WORDS or max(words) >= 2 * BRIEF_WORDS:
        return True
    is_like = features["headline"] >= MIN_BRIEF_LIKENESS
    if (
        is_like
        and features["plain-containment"] == 1.0
        and _holds_sets(fingerprint.words, view.head.words, ours, theirs)
    ):
        return True
    if (ours.numbers, ours.names) != (theirs.numbers, theirs.names):
        return False
    if ours.headline and theirs.headline and not is_like:
        return False
    our_count, their_count = len(fingerprint.shingles), view.head.shingle_count
    shared = min(our_count, their_count)
    return features["plain-containment"] == 1.0 and shared >= MIN_BRIEF_LIKENESS * (
        our_count + their_count - shared
    )


def _holds_sets(our_words: int, their_words: int, ours: WordSets, theirs: WordSets) -> bool:
    """Whether the longer of two texts has the shorter one's numbers and names."""
    shorter, longer = (ours, theirs) if our_words <= their_words else (theirs, ours)
    return set(shorter.numbers) <= set(longer.numbers) and set(shorter.names) <= set(longer.names)


def mean_run(overlap: Overlap, bound: int) -> float:
    """The logarithm of the mean length, in shingles, of the runs of the text that the other story has, too."""
    rate = (bound + 1) / (COMPLETE_BOUND + 1) if bound < COMPLETE_BOUND else 1.0
    return math.log1p(overlap.shared_rare / overlap.runs / rate) if overlap.runs else 0.0


def jaccard_likeness(ours: Sequence[int], theirs: Sequence[int]) -> float:
    """Words in both headlines as a share of those in either; 0 where one is empty."""
    if not ours or not theirs:
        return 0.0
    both = len(set(ours).intersection(theirs))
    return both / (len(ours) + len(theirs) - both)


def find_shared(ours: Hashes32, theirs: Hashes32) -> BoolArray:
    """For each of our hashes whether they have it; both ascend."""
    if not len(theirs):
        return np.zeros(len(ours), np.bool_)
    places = theirs.searchsorted(ours)
    same: BoolArray = theirs.take(places, mode="clip") == ours
    return same


def measure_novelty(
    fingerprint: Fingerprint, weights: NDArray[np.int64], shared: BoolArray, bound: int
) -> float:
    """The weight of what the new story says and the earlier one does not, as a share of the new story's.

    `shared` is true for the shingles of its sample that the earlier one has, whose own sample is complete up to
    `bound`.
    """
    if bound < fingerprint.bound:
        cut = int(fingerprint.shingles.searchsorted(bound, "right"))
        shared, weights = shared[:cut], weights[:cut]
    if not len(shared):
        return 0.0
    return float(np.add.reduce(weights[~shared]) / np.add.reduce(weights))


def missing_share(shorter: Sequence[int], longer: Sequence[int]) -> float:
    """The share of the shorter story's numbers or names that the longer one lacks, smoothed; below both bounds."""
    if not shorter:
        return 0.0
    if len(shorter) < MAX_SET_WORDS and len(longer) < MAX_SET_WORDS:  # both are complete
        return len(set(shorter).difference(longer)) / (len(shorter) + 1)
    bound = min(_set_bound(shorter), _set_bound(longer))
    compared = [word for word in shorter if word <= bound]
    return len(set(compared).difference(longer)) / (len(compared) + 1)


def _set_bound(words: Sequence[int]) -> int:
    """Up to which hash a set of words is complete."""
    return words[-1] if len(words) == MAX_SET_WORDS else COMPLETE_BOUND


# ---------------------------------------------------------------- chains
#
# Two reports of one event share what was said there, and the background. So what stands in quotation marks counts for
# nothing where there is enough beside it; a short part of a long story is not that story; and whoever is like a later
# member of a chain only, and not its first, must begin as that member does, or be all but its equal.

# Of the shorter story's shingles in the longer. From pairs of republished and of web stories: with less, both ways, they
# share quotations and background; copies that were scanned badly have no more, but have it both ways.
MIN_SHARED: Final = 0.4
MIN_SHARED_REVERSE: Final = 0.25
# Where the longer story has much more: a brief, a cut copy. With more, cut copies that were scanned badly are lost.
MIN_SHARED_PART: Final = 0.5
# With more no chance phrases are left, and nothing is asked about quotations.
SURE_SHARED: Final = 0.8
# Of the shorter story's words outside quotations: less is what an event's speakers said, told twice.
MIN_OWN_SHARED: Final = 0.4
MIN_OWN_WORDS: Final = 25  # outside quotations; fewer make an interview, whose quotations are the story
# Of the longer one: two stories that are versions of each other, whatever the first of the chain was.
MIN_VERSION_SHARED: Final = 0.5
MIN_ROOT_SHARED: Final = 0.3  # of the shorter one in the first of the chain, or the other way round

# A long report that was rewritten with other figures: from so many words on, so long runs of words in common, and so
# much, the model's doubt about figures (templates have others, too) weighs less. Templates have shorter runs.
MIN_REWRITTEN_WORDS: Final = 4.4  # logarithm: 80 words
MIN_REWRITTEN_RUN: Final = 2.8  # logarithm: 16 words
MIN_REWRITTEN_SCORE: Final = 0.35
MIN_REWRITTEN_SHARED: Final = 0.55


def is_same_report(report: SplitReport, likeness: Likeness, earlier: SplitReport) -> bool:
    """Whether what two stories share is a report, and not only words of speakers or background."""
    shared, reverse = likeness.features["plain-containment"], likeness.features["reverse-containment"]
    if shared < (MIN_SHARED if reverse >= MIN_SHARED_REVERSE else MIN_SHARED_PART):
        return False
    if shared >= SURE_SHARED:
        return True
    own = measure_own_words(report, earlier)
    return own is None or own >= MIN_OWN_SHARED


def is_rewritten(likeness: Likeness) -> bool:
    """Whether a story is a long one again with other figures."""
    features = likeness.features
    return (
        likeness.score >= MIN_REWRITTEN_SCORE
        and features["words"] >= MIN_REWRITTEN_WORDS
        and features["run"] >= MIN_REWRITTEN_RUN
        and features["plain-containment"] >= MIN_REWRITTEN_SHARED
    )


def continues_chain(
    report: SplitReport, likeness: Likeness, earlier: SplitReport, root: Likeness | None
) -> bool:
    """Whether a story that is like a later member of a chain belongs to the chain, whose first member is `root`."""
    if likeness.features["reverse-containment"] >= MIN_VERSION_SHARED:
        return True
    if root is not None and root.features["plain-containment"] >= MIN_ROOT_SHARED:
        return True
    return bool(report.sentences and earlier.sentences) and report.forms_of(0) == earlier.forms_of(0)


def measure_own_words(one: SplitReport, other: SplitReport) -> float | None:
    """The share of the shorter report's runs of three words outside quotations that the longer has; None of too few."""
    shorter, longer = sorted((one.own_runs, other.own_runs), key=len)
    if len(shorter) < MIN_OWN_WORDS:
        return None
    return len(shorter & longer) / len(shorter)
