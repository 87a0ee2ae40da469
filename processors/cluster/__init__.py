"""One happening, many reports: stories of any source in any language that tell of one event stand in one cluster.

`Clusterer` reads tagged events. What decides is learned on labelled pairs (`likeness`): words of like meaning in the
languages of the table (`words`), names by their sound, places, figures, and the time between. A chain of versions
(`processors.deduplicate`) is in one cluster.
"""

from __future__ import annotations

from processors.cluster.clusterer import ClusterDecision, Clusterer

__all__ = ["VERSION", "ClusterDecision", "Clusterer"]

VERSION = "1"
"""Another number means that the same stories may be clustered otherwise."""
