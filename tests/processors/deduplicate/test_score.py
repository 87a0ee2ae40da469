"""Briefs are one story only where they are all but equal; longer texts are judged by the model."""

from __future__ import annotations

import math

import numpy as np
import pytest

from config.settings import Deduplicate
from processors.deduplicate import Deduplicator
from processors.deduplicate.fingerprint import COMPLETE_BOUND, make_fingerprint
from processors.deduplicate.overlap import (
    Overlap,
    OverlapQuery,
    measure_overlaps,
    sample_fingerprint,
)
from processors.deduplicate.record import RecordView
from processors.deduplicate.score import (
    Likeness,
    jaccard_likeness,
    mean_run,
    measure_likeness,
    missing_share,
)
from processors.deduplicate.sentences import SplitReport
from processors.times import HOUR_MS
from tests.processors.deduplicate.stories import event


def likeness(old: tuple[str, str], new: tuple[str, str], hours: float = 0.0) -> Likeness | None:
    """Of two stories, each a headline and a text, some hours apart."""
    view = RecordView(Deduplicator(Deduplicate()).decide(event("a", old[1], old[0])).memory)
    fingerprint, earlier = make_fingerprint(*new), make_fingerprint(*old)
    query = OverlapQuery(
        fingerprint,
        np.ones(len(fingerprint.shingles), np.uint8),
        [(0, sample_fingerprint(earlier))],
    )
    overlap = measure_overlaps(
        [query],
        lambda counts: np.full(len(counts), 1024),
        lambda hashes: np.ones(len(hashes), np.uint8),
    )[0][0]
    if overlap is None:
        return None
    time_ms = view.head.time_ms + round(hours * HOUR_MS)
    return measure_likeness(fingerprint, SplitReport(*new), time_ms, view, overlap)


def words(count: int, first: str = "w") -> str:
    return " ".join(f"{first}{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(count))


@pytest.mark.parametrize("count", [19, 20])
def test_from_twenty_words_on_the_model_judges_texts_that_end_in_another_word(count: int) -> None:
    ours, theirs = f"{words(count - 1)} tarnel", f"{words(count - 1)} brodal"
    assert (likeness(("", ours), ("", theirs)) is not None) == (count >= 20)


@pytest.mark.parametrize("longer", [39, 40])
def test_a_flash_is_compared_with_a_story_of_forty_words(longer: int) -> None:
    flash, story = words(16), words(longer)
    assert (likeness(("", flash), ("", story)) is not None) == (longer >= 40)


@pytest.mark.parametrize(("shared", "total"), [(3, 4), (5, 7)])
def test_headlines_of_one_brief_share_three_quarters_of_their_words(shared: int, total: int) -> None:
    text = words(12)
    ours, theirs = words(shared, "h"), f"{words(shared, 'h')} {words(total - shared, 'o')}"
    one = shared / total >= 0.75
    assert (likeness((ours, text), (theirs, text)) is not None) == one


@pytest.mark.parametrize(("kept", "size"), [(11, 14), (10, 15)])
def test_a_brief_may_have_a_quarter_more_at_one_end(kept: int, size: int) -> None:
    ours, theirs = words(kept), words(size)
    one = (kept - 2) / (size - 2) >= 0.75  # shingles
    assert (likeness(("", ours), ("", theirs)) is not None) == one


@pytest.mark.parametrize("shared", [11, 12, 13])
def test_pairs_that_share_less_than_an_eighth_are_not_counted(shared: int) -> None:
    common = words(shared + 2)  # so many shingles
    rest = 100 - shared
    ours, theirs = f"{common} {words(rest, 'x')}", f"{common} {words(rest, 'y')}"
    assert len(make_fingerprint("", ours).shingles) == 100
    assert (likeness(("", ours), ("", theirs)) is not None) == (shared / 100 >= 0.12)


def test_what_is_missing_is_counted_below_the_bounds_of_full_sets() -> None:
    assert missing_share([], [1]) == 0.0
    assert missing_share([1, 2, 3], [2, 3]) == 1 / 4
    full = list(range(10, 58))
    assert missing_share([1, 2, 1000], full) == 2 / 3, "1000 lies above what the full set has"
    assert missing_share([1, 2, 1000], full[:-1]) == 3 / 4


def test_headlines_are_alike_by_shared_words() -> None:
    assert jaccard_likeness([1, 2, 3], [2, 3, 4]) == 0.5
    assert jaccard_likeness([], [1]) == 0.0


def test_runs_are_as_long_as_in_the_whole_text() -> None:
    overlap = Overlap(9, 9, 6, 9, 9, 6, 0, 0, 0, 6, 2, np.zeros(0, np.uint32))
    assert mean_run(overlap, COMPLETE_BOUND) == math.log1p(3)
    assert mean_run(overlap, COMPLETE_BOUND // 2) == pytest.approx(math.log1p(6))
    assert mean_run(overlap._replace(runs=0, shared_rare=0), COMPLETE_BOUND) == 0.0


TABLE = "Harbour coal {hour} wharf one {one} up {up} wharf two {two} off {off} wharf three {three} up 1 closed quays four and five, tugs six"


def table(hour: int, figures: tuple[int, int, int, int, int]) -> tuple[str, str]:
    one, up, two, off, three = figures
    return f"Harbour coal at {hour}", TABLE.format(hour=hour, one=one, up=up, two=two, off=off, three=three)


def test_the_table_of_another_hour_is_no_version() -> None:
    old, new = table(11, (61, 4, 72, 3, 80)), table(12, (61, 4, 75, 5, 80))
    other, same = likeness(old, new), likeness(old, (old[0], new[1].replace("12", "11")))
    assert other is not None
    assert same is not None
    assert other.features["other-instalment"] == 1.0
    assert other.score < 0.5 < same.score


@pytest.mark.parametrize(("digits", "counts"), [(0.04, False), (0.06, True)])
def test_another_figure_in_a_headline_counts_in_tables(digits: float, *, counts: bool) -> None:
    figures = round(100 * digits)
    body = f"{words(100 - figures)} {' '.join(str(1000 + at) for at in range(figures))}"
    made = likeness(("Toll at 11", body), ("Toll at 12", body))
    assert made is not None
    assert (made.features["other-instalment"] > 0) == counts


def test_notices_of_two_companies_conflict_in_names_and_copies_do_not() -> None:
    notice = "{} said on Monday it would raise the fare of its ferry to nine crowns from eight, beginning with the first boat of the day, for all who have no pass"
    one, other = notice.format("Arden Boats"), notice.format("Quill Lines")
    conflict, cut = (
        likeness(("", one), ("", other)),
        likeness(("", f"{one}. Brodal Vik objected."), ("", one)),
    )
    assert conflict is not None
    assert cut is not None
    assert conflict.features["names-conflict"] > 0 == cut.features["names-conflict"]
    assert conflict.score < cut.score


def test_other_figures_weigh_by_the_hours_in_between() -> None:
    one, other = f"{words(40)} 17 18 19", f"{words(40)} 17 18 20"
    soon, late = (likeness(("", one), ("", other), hours=hours) for hours in (0.1, 40.0))
    assert soon is not None
    assert late is not None
    assert 0 < soon.features["numbers-conflict"] < late.features["numbers-conflict"]
    assert late.score < soon.score
