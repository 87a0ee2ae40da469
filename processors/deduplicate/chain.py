"""Whether a likely parent's chain is the story's own: chains grow by reports that are one, not through third stories.

Two reports of one event share what was said there, and the background. So what stands in quotation marks counts for
nothing where there is enough beside it; a short part of a long story is not that story; and whoever is like a later
member of a chain only, and not its first, must begin as that member does, or be all but its equal.
"""

from __future__ import annotations

import re
from typing import Final

from processors.deduplicate.score import Likeness
from processors.deduplicate.sentences import SplitReport, fold_words

# Of the shorter story's shingles in the longer. From pairs of republished and of web stories: with less, both ways, they
# share quotations and background; copies that were scanned badly have no more, but have it both ways.
MIN_SHARED: Final = 0.4
MIN_SHARED_REVERSE: Final = 0.25
MIN_SHARED_PART: Final = 0.55  # where the longer story has much more: a brief, a cut copy
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

_QUOTATION: Final = re.compile(
    r"“[^”\n]{20,2000}”|\"[^\"\n]{20,2000}\"|«[^»\n]{20,2000}»|„[^“”\n]{20,2000}[“”]|「[^」\n]{10,2000}」"
)


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
        and features["plain-containment"] >= MIN_SHARED_PART
    )


def continues_chain(
    report: SplitReport, likeness: Likeness, earlier: SplitReport, root: Likeness | None
) -> bool:
    """Whether a story that is like a later member of a chain belongs to the chain, whose first member is `root`."""
    if likeness.features["reverse-containment"] >= MIN_VERSION_SHARED:
        return True
    if root is not None and root.features["plain-containment"] >= MIN_ROOT_SHARED:
        return True
    return (
        bool(report.sentences and earlier.sentences)
        and report.sentences[0].forms == earlier.sentences[0].forms
    )


def measure_own_words(one: SplitReport, other: SplitReport) -> float | None:
    """The share of the shorter report's runs of three words outside quotations that the longer has; None of too few."""
    ours, theirs = _own_runs(one), _own_runs(other)
    shorter, longer = sorted((ours, theirs), key=len)
    if len(shorter) < MIN_OWN_WORDS:
        return None
    return len(shorter & longer) / len(shorter)


def _own_runs(report: SplitReport) -> frozenset[tuple[str, ...]]:
    forms = fold_words(_QUOTATION.sub(" ", report.text))
    return frozenset(zip(forms, forms[1:], forms[2:], strict=False))
