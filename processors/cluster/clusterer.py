"""Which happening a story reports: decided from what came earlier only, and never revised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import xxhash

from config.settings import ClusterSettings
from processors.cluster.likeness import FigureArray, lay_beside, measure_confidence, weigh_figures
from processors.cluster.novelty import measure_novelty
from processors.cluster.outline import Outline, read_outline, source_of
from processors.cluster.record import FORMAT_NUMBER, OutlineRecord, UnknownOutlineFormat, unpack_record
from processors.cluster.window import ClusterWindow, StoryCluster
from processors.cluster.words import load_table
from processors.model.event import ClusterStanding, Event
from processors.times import HOUR_MS, to_timestamp

# Log-odds of a story and a cluster from which on they are one. Chosen on half of the labelled events: at -0.5 reports in
# other languages split off, at -1.1 two happenings of one kind join. Below 0, for pairs of a large event count less.
MIN_LOG_ODDS: Final = -0.8
# A story of fewer words says nothing that others could share: "Yes.", a figure, a picture's number.
MIN_TOLD_WORDS: Final = 2
MAX_CLUSTERS: Final = 10  # that a story is laid beside: 16 find no more in the labelled events, and cost time


@dataclass(frozen=True, slots=True)
class ClusterDecision:
    """Where a story stands, and the record that restores the clusterer to after it; empty for a story seen before."""

    standing: ClusterStanding
    memory: bytes = b""


class Clusterer:
    """The window of one log. Deterministic: a function of the order of the log and the content."""

    def __init__(self, settings: ClusterSettings) -> None:
        """Make an empty window."""
        self._table = load_table()
        self._window = ClusterWindow(settings.window_hours * HOUR_MS, settings.max_stories)
        self.ignored_records = 0

    def __len__(self) -> int:
        """How many stories the window holds."""
        return len(self._window)

    @property
    def cluster_count(self) -> int:
        """How many clusters the window holds."""
        return self._window.cluster_count

    def decide(self, event: Event) -> ClusterDecision:
        """The cluster of a tagged event; the window then holds it.

        A story that is seen again, or run again on purpose, keeps its place.
        """
        story = event.story
        chain = event.lineage.story if event.lineage else story.uri
        outline = read_outline(event, self._table)
        known = self._window.find_version(chain, story.uri, story.version or "")
        is_rerun = event.provenance is not None and event.provenance.rerun
        if known is not None and (is_rerun or known.outline == outline):
            return ClusterDecision(_standing_of(known))
        cluster, score = self._find_cluster(chain, story.uri, outline)
        record = self._make_record(event, chain, outline, cluster, score)
        return ClusterDecision(_standing_of(record), self._window.add(record))

    def restore(self, memory: bytes) -> None:
        """Remember a story of the log."""
        try:
            record = unpack_record(memory)
        except UnknownOutlineFormat:
            self.ignored_records += 1
            return
        self._window.note_time(record.outline.at_ms)
        self._window.add(record)

    def _find_cluster(
        self, chain: str, uri: str, outline: Outline
    ) -> tuple[StoryCluster | None, float | None]:
        """The cluster of the story's chain, or that its uri opened; else the likeliest one, and how likely (0 to 1)."""
        own = self._window.find_chain(chain) or self._window.find_cluster(uri)
        if own is not None:
            return own, 1.0
        if count_words(outline) < MIN_TOLD_WORDS:
            return None, None
        best: tuple[float, StoryCluster] | None = None
        clusters = self._window.find_candidates(outline)[:MAX_CLUSTERS]
        members = [self._window.members(cluster) for cluster in clusters]
        flat = [member for of_cluster in members for member in of_cluster]
        if not flat:
            return None, None
        odds = weigh_figures(lay_beside(outline, flat, self._table, self._window.counts))
        at = 0
        for cluster, of_cluster in zip(clusters, members, strict=True):
            own_odds = odds[at : at + len(of_cluster)]
            at += len(of_cluster)
            likely = join_odds(own_odds)
            if best is None or likely > best[0]:
                best = likely, cluster
        if best is None or best[0] < MIN_LOG_ODDS:
            return None, None
        return best[1], round(measure_confidence(best[0]), 3)

    def _make_record(
        self, event: Event, chain: str, outline: Outline, cluster: StoryCluster | None, score: float | None
    ) -> OutlineRecord:
        """The story and its answer: it opens a cluster of its own, or is the next of one."""
        source = xxhash.xxh32_intdigest(source_of(event).encode("utf-8", "surrogatepass"))
        own = StoryCluster(event.story.uri, outline.at_ms)
        of = own if cluster is None else cluster
        members = self._window.members(of)
        return OutlineRecord(
            format_number=FORMAT_NUMBER,
            uri=event.story.uri,
            version=event.story.version or "",
            chain=chain,
            cluster=of.uri,
            first_ms=of.first_ms,
            window_ms=self._window.note_time(outline.at_ms),
            sequence=of.count + 1,
            source=source,
            source_count=of.source_count + (not self._window.has_source(of, source)),
            languages=tuple(sorted({*of.languages, outline.language} - {""})),
            score=score,
            novelty=measure_novelty(outline, members, self._table) if members else 1.0,
            outline=outline,
        )


def count_words(outline: Outline) -> int:
    """How many words of a story can be compared: those of the table, or as they stand."""
    return max(len(outline.words), len(outline.own_words)) // 4


def join_odds(odds: FigureArray) -> float:
    """Of a cluster from those of its stories: half of the best, half of the mean, added in order."""
    mean = float(sum(odds.tolist())) / len(odds)
    return 0.5 * float(odds.max()) + 0.5 * mean


def _standing_of(record: OutlineRecord) -> ClusterStanding:
    return ClusterStanding(
        id=record.cluster,
        sequence=record.sequence,
        sources=record.source_count,
        languages=record.languages,
        first=to_timestamp(record.first_ms).replace(".000Z", "Z"),
        score=record.score,
        novelty=record.novelty,
    )
