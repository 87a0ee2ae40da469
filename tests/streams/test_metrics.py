"""Figures tell what came of records: one is made or rejected, and each of its dead letters counts by its error."""

from __future__ import annotations

from prometheus_client import REGISTRY

from processors.errors import Bug, Empty, Malformed
from streams import metrics
from streams.messages import Message, Record, dead_letter

RECORD = Record("wire.items.raw.v1", 0, 0, b"bbc", b"x", 0)
MADE = Message("wire.stories.normalised.v1", b"en", b"{}", 0)


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"step": "a test", **labels}) or 0.0


def test_a_record_counts_once_and_its_dead_letters_each() -> None:
    letters = (dead_letter(RECORD, "a test", Empty("")), dead_letter(RECORD, "a test", Malformed("")))
    bug = (dead_letter(RECORD, "a test", Bug("ours"), 3),)
    metrics.count("a test", [(MADE, MADE), (), (MADE, *letters), letters[:1], bug])
    assert figure("wire_records_total", outcome="made") == 2
    assert figure("wire_records_total", outcome="rejected") == 2
    assert figure("wire_dead_letters_total", type="Empty") == 2
    assert figure("wire_dead_letters_total", type="Malformed") == 1
    assert figure("wire_records_total", outcome="bug") == figure("wire_dead_letters_total", type="Bug") == 1
