"""Briefs of one source that tell the same."""

from __future__ import annotations

import math
import random

from processors.deduplicate.briefs import COUNTED_BEFORE, MAX_BRIEFS, BriefWords, RecentBriefs
from processors.times import HOUR_MS

SOURCE = 7


def brief_of(stems: frozenset[str], title: frozenset[str]) -> BriefWords:
    return BriefWords(title, title, lambda: (stems, frozenset()))


def words(own: random.Random, title: frozenset[str] | None = None) -> BriefWords:
    stems = frozenset([f"stem{own.randrange(60)}" for _ in range(20)])
    title = (
        frozenset([f"head{own.randrange(20)}" for _ in range(own.randrange(4))]) if title is None else title
    )
    return brief_of(stems | title, title)


def test_how_like_a_brief_is_depends_on_no_order_of_its_words() -> None:
    own = random.Random(1)  # noqa: S311 -- an example, not a secret
    for _ in range(40):
        briefs, title = RecentBriefs(), frozenset({"ferry", "norr"})
        former = [words(own, frozenset({f"other{number}"})) for number in range(9)]
        brief = words(own, title)
        for row, one in enumerate((*former, brief)):
            briefs.add(SOURCE, row, 0, one)
        counts = {stem: sum(stem in one.stems for one in (*former, brief)) for stem in brief.stems}
        later = brief_of(brief.stems | {"new"}, title)
        whole = 10 + COUNTED_BEFORE
        weight = math.fsum(math.log(whole / (count + 1)) for count in counts.values())
        assert briefs.find_row(SOURCE, 0, later, 0) == (9, weight / weight)
        twin = brief_of(frozenset(sorted(brief.stems)[1:]) | {"new", "more"}, title)
        shared = math.fsum(math.log(whole / (counts[stem] + 1)) for stem in brief.stems & twin.stems)
        assert briefs.find_row(SOURCE, 0, twin, 0) == (9, shared / weight)


def test_a_headline_finds_the_briefs_that_a_look_at_all_would_find() -> None:
    own = random.Random(2)  # noqa: S311 -- an example, not a secret
    briefs, sent = RecentBriefs(), list[tuple[int, frozenset[str]]]()
    for row in range(300):
        asked = frozenset([f"head{own.randrange(20)}" for _ in range(own.randrange(4))])
        near = [
            title
            for time_ms, title in sent[-MAX_BRIEFS:]
            if abs(row * HOUR_MS // 10 - time_ms) <= 2 * HOUR_MS
            and len(title & asked) >= 0.85 * min(len(title), len(asked))
        ]
        assert briefs.has_title(SOURCE, row * HOUR_MS // 10, asked) == bool(near)
        brief = words(own)
        sent.append((row * HOUR_MS // 10, brief.title))
        briefs.add(SOURCE, row, row * HOUR_MS // 10, brief)
