"""Which happening a story reports: decided from what came earlier only, and never revised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import xxhash

from processors.cluster.likeness import FigureArray, lay_beside, weigh_figures
from processors.cluster.novelty import measure_novelty
from processors.cluster.outline import Outline, read_outline, source_of
from processors.cluster.record import (
    FORMAT_NUMBER,
    OutlineRecord,
    UnknownOutlineFormat,
    pack_record,
    unpack_record,
)
from processors.cluster.window import ClusterWindow, StoryCluster
from processors.cluster.words import load_table
from processors.model.event import ClusterStanding, Event
from processors.times import HOUR_MS, to_timestamp

# Log-odds of a story and a cluster from which on they are one. Chosen on half of the labelled events: higher splits
# reports in other languages off, lower joins two happenings of one place.
MIN_LOG_ODDS: Final = 0.0
# A cluster is open for so long after its newest story. Longer joins next week's match with this one, shorter begins a
# slow story anew.
WINDOW_HOURS: Final = 168
MAX_CLUSTERS: Final = (
    16  # that a story is laid beside; of fewer the right one is missed more often, more cost time
)


@dataclass(frozen=True, slots=True)
class ClusterDecision:
    """Where a story stands, and the record that restores the clusterer to after it; empty for a story seen before."""

    standing: ClusterStanding
    memory: bytes = b""


class Clusterer:
    """The window of one log. Deterministic: a function of the order of the log and the content."""

    def __init__(self) -> None:
        """Make an empty window."""
        self._table = load_table()
        self._window = ClusterWindow(WINDOW_HOURS * HOUR_MS)
        self.ignored_records = 0

    def decide(self, event: Event) -> ClusterDecision:
        """The cluster of a tagged event; the window then holds it."""
        story = event.story
        known = self._window.find_version(story.uri, story.version or "")
        outline = read_outline(event, self._table)
        if known is not None and known.record.outline == outline:
            return ClusterDecision(_standing_of(known.record))
        chain = event.lineage.story if event.lineage else story.uri
        cluster, score = self._find_cluster(chain, outline)
        record = self._make_record(event, chain, outline, cluster, score)
        self._window.add(record)
        return ClusterDecision(_standing_of(record), pack_record(record))

    def restore(self, memory: bytes) -> None:
        """Remember a story of the log."""
        try:
            self._window.add(unpack_record(memory))
        except UnknownOutlineFormat:
            self.ignored_records += 1

    def _find_cluster(self, chain: str, outline: Outline) -> tuple[StoryCluster | None, float | None]:
        """The cluster of the story's chain, else the likeliest one, and how likely (0 to 1)."""
        if (own := self._window.find_chain(chain)) is not None:
            return own, 1.0
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
        return best[1], round(1 / (1 + float(np.exp(-best[0]))), 3)

    def _make_record(
        self, event: Event, chain: str, outline: Outline, cluster: StoryCluster | None, score: float | None
    ) -> OutlineRecord:
        source = xxhash.xxh32_intdigest(source_of(event).encode("utf-8", "surrogatepass"))
        languages = {outline.language} - {""}
        members = self._window.members(cluster) if cluster else []
        return OutlineRecord(
            format_number=FORMAT_NUMBER,
            uri=event.story.uri,
            version=event.story.version or "",
            chain=chain,
            cluster=cluster.uri if cluster else event.story.uri,
            first_ms=cluster.first_ms if cluster else outline.at_ms,
            sequence=cluster.count + 1 if cluster else 1,
            source_count=len((cluster.sources if cluster else set()) | {source}),
            score=score,
            novelty=measure_novelty(outline, members, self._table) if members else 1.0,
            sources=() if cluster and source in cluster.sources else (source,),
            languages=tuple(languages - (cluster.languages if cluster else set())),
            all_languages=tuple(sorted(languages | (cluster.languages if cluster else set()))),
            outline=outline,
        )


def join_odds(odds: FigureArray) -> float:
    """Of a cluster from those of its stories: half of the best, half of the mean, added in order."""
    mean = float(sum(odds.tolist())) / len(odds)
    return 0.5 * float(odds.max()) + 0.5 * mean


def _standing_of(record: OutlineRecord) -> ClusterStanding:
    return ClusterStanding(
        id=record.cluster,
        sequence=record.sequence,
        sources=record.source_count,
        languages=record.all_languages,
        first=to_timestamp(record.first_ms).replace(".000Z", "Z"),
        score=record.score,
        novelty=record.novelty,
    )
