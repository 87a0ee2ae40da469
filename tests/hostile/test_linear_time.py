"""A short part of ``make fuzz``: pumps of all patterns and loops, each in a container by chance, with a fixed seed.

And the generator is held to find what it is for.
"""

from __future__ import annotations

import itertools
import random
import re
from functools import partial

import pytest

from processors.deduplicate.references import MAX_SLUG_CHARS
from processors.notices import MAX_NOTE_CHARS
from tests.hostile.containers import Container, all_containers
from tests.hostile.corpus import SIZES, make_corpus, try_steps
from tests.hostile.fuzz import Report, documents, try_document
from tests.hostile.loops import UNITS, NumberedPump, loop_pumps
from tests.hostile.patterns import all_patterns, patterns_in, pumps_of, seconds_at
from tests.hostile.pipeline import loaded_steps
from tests.hostile.timing import is_linear

SEED = 20_260_122
DOCUMENTS = 40  # some 15 s of CPU
CORPUS_DOCUMENTS = 12  # some 4 s


def test_documents_cost_no_more_than_their_size() -> None:
    report = Report()
    for container, pump in itertools.islice(documents(SEED), DOCUMENTS):
        try_document(loaded_steps(), container, pump, report)
    assert report.documents == DOCUMENTS
    assert not report.hits, "\n".join(hit.report() for hit in report.hits)


def test_a_few_documents_of_the_hostile_corpus_keep_to_its_limits() -> None:
    """``make hostile`` runs 2,000 of them, and a running wiredesk on them."""
    corpus = list(make_corpus(SEED, CORPUS_DOCUMENTS))
    assert {document.size for document in corpus} == {SIZES[0]}
    assert len({document.container.kind for document in corpus}) == CORPUS_DOCUMENTS
    figures = try_steps(corpus)
    assert figures.is_sound, "\n".join(figures.lines())
    assert {
        "poll",
        "normalise",
        "deduplicate",
        "copy",
        "segment",
        "tag",
        "route",
        "index",
        "page",
        "export",
    } <= figures.steps.keys()


def test_there_are_containers_of_every_kind() -> None:
    kinds = {container.kind for container in all_containers()}
    assert kinds >= {
        "rss", "atom", "rdf", "sitemap", "json-feed", "email", "dispatch", "dispatches", "ninjs-1", "ninjs-3", "newsml-1", "newsml-g2",
        "nitf", "anpa-1312", "iptc-7901", "head", "item", "html", "json",
    }  # fmt: skip
    names = {container.name for container in all_containers() if container.kind == "rss"}
    assert names >= {"<title>", "<description>", "<category>", "<guid>"}
    assert len(all_containers()) > 500


def chosen() -> random.Random:
    return random.Random(SEED)  # noqa: S311 -- a choice of tests


@pytest.mark.parametrize("container", all_containers()[::17], ids=lambda c: f"{c.kind} {c.name}")
def test_a_container_holds_its_text(container: Container) -> None:
    marked = container.wrap("Quillbrandt")
    if container.kind != "json":
        assert (
            b"Quillbrandt" in marked.replace(b"\n", b"").replace(b"ZCZC", b"")
            or container.kind == "dispatches"
        )
    assert len(container.wrap("Q" * 5000)) > len(container.wrap("Q" * 100))


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(?:a+)+b", "a loop in a loop"),
        (r"\s+x|\s*\Z", "a search that begins at each blank"),
        (r"[\w.]*[\w:]*>", "two loops that accept the same"),
        (r"<!--.*?-->", "an opening without an end"),
        (r"(?:the|a)\s+(?:the|a)?\s*(?:old|new)?\s*ferry$", "blanks beside blanks"),
    ],
)
def test_pumps_show_what_is_not_linear(pattern: str, why: str) -> None:
    compiled = re.compile(pattern, re.DOTALL)
    chance = chosen()
    pumps = {pump for _ in range(8) for pump in pumps_of(compiled, chance)}
    assert any(
        seconds_at(compiled, pump, size, 0.3) >= 0.3
        or not is_linear(lambda n, pump=pump: seconds_at(compiled, pump, n, 0.3), size)  # type: ignore[misc]
        for pump in pumps
        for size in (30, 8000)
    ), why


def test_patterns_of_modules_functions_and_the_lexicon_are_collected() -> None:
    sources = "\n".join(str(pattern.pattern) for pattern in all_patterns())
    assert "NNNN" in sources  # of a module
    assert (
        "updateFrequency" in sources
        or "itemprop" in sources
        or "skipHours" in sources
        or len(sources) > 100_000
    )
    assert "donderdag" in sources  # of the lexicon, in a date rule
    assert len(all_patterns()) > 700


def test_loops_have_numbered_units_and_words_of_the_lexicon() -> None:
    pumps = list(itertools.islice(loop_pumps(chosen()), len(UNITS) + 50))
    assert {pump.unit for pump in pumps} >= set(UNITS)
    assert NumberedPump("", "Ada{}, ", "").text(20) == "Ada0, Ada1, Ada2, Ada3, "


def test_a_step_that_compares_each_with_all_is_found() -> None:
    """Its work is counted, not timed: a machine that others use gives a growth of 4 as one of 3 now and then."""

    def slow(size: int) -> float:
        names = NumberedPump("", "Ada{}, ", "").text(size).split(", ")
        compared = sum(1 for name in names for other in names if other is not name)
        return compared / 10_000_000  # as if each took so long

    assert is_linear(lambda size: size / 100_000, 16_000)
    assert not is_linear(slow, 16_000)


# What runs in a thread, which no deadline ends while a pattern searches: each has to be linear by itself, whatever it is
# given, or else is given a short text only.
UNGUARDED = (
    "processors.deduplicate",
    "processors.notices",
    "processors.sources",
    "sinks.routes.router",
    "sinks.routes.chains",
    "sinks.search_words",
    "sinks.stories",
    "streams.routing",
    "streams.messages",
)
SHORT = {
    "processors.deduplicate.references._VERSION_MARKS": MAX_SLUG_CHARS,
    "processors.notices._languages": MAX_NOTE_CHARS,
}
MAX_PUMPS = 3  # of a pattern, each time others: those of the lexicon have hundreds
SHORT_S = 0.2  # for a search of a short text


def test_patterns_of_steps_that_no_child_runs_are_linear_by_themselves() -> None:
    patterns, chance = patterns_in(*UNGUARDED), chosen()
    assert len(patterns) > 60
    assert all(any(place.startswith(prefix) for place in patterns) for prefix in SHORT)
    for place, pattern in patterns.items():
        short = next((size for prefix, size in SHORT.items() if place.startswith(prefix)), None)
        pumps = pumps_of(pattern, chance)
        for pump in chance.sample(pumps, min(len(pumps), MAX_PUMPS)):
            took = seconds_at(pattern, pump, short or 5000, 0.5)
            is_sound = (
                took < SHORT_S
                if short
                else took < 0.01 or is_linear(partial(seconds_at, pattern, pump, limit_s=2.0), 5000)
            )
            assert is_sound, f"{place}: {pump}"
