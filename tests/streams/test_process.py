"""Inputs become items; items become events or reasons, in order."""

from __future__ import annotations

import io
from pathlib import Path

import orjson
import pytest

from config.settings import Settings
from processors.errors import Empty, Malformed, MissingIdentity, Rejected, TooLarge
from processors.model.event import Event, RawItem
from sinks.revision import revision
from streams.process import Input, Pipeline, batches, chosen, read_inputs

NOW = "2026-11-20T12:00:00Z"
TEXT = (
    "VIGO, Nov 18 (Reuters) - The ferry sailed on Wednesday with two hundred people and one donkey on board."
)


def a_line(uri: str, text: str = TEXT, version: str = "1") -> bytes:
    body = {"role": "main", "contentType": "text/plain", "value": text}
    return orjson.dumps(
        {"uri": uri, "version": version, "versionCreated": NOW, "language": "en", "bodies": [body]}
    )


def inputs(*lines: bytes, limit: int = 10_000) -> list[Input]:
    stream = io.BytesIO(b"".join(line + b"\n" for line in lines))
    return list(read_inputs(["-"], stream, now=NOW, format_=None, limit=limit))


def pipeline(*names: str) -> Pipeline:
    return Pipeline(chosen(names), Settings())


def test_lines_are_numbered_from_one_and_named_as_given() -> None:
    read = inputs(a_line("urn:x:1"), a_line("urn:x:2"))
    assert [(each.path, each.line) for each in read] == [("-", 1), ("-", 2)]
    assert all(isinstance(each.item, RawItem) and each.item.format == "ninjs" for each in read)


def test_an_empty_line_and_one_over_the_limit_are_told_and_the_next_is_read() -> None:
    read = inputs(b"", b"x" * 20_000_000, a_line("urn:x:1"))
    assert [type(each.item) for each in read] == [Empty, TooLarge, RawItem]
    assert [each.line for each in read] == [1, 2, 3]


def test_a_file_is_one_item(tmp_path: Path) -> None:
    path = tmp_path / "dispatch.txt"
    path.write_text(TEXT, "utf-8")
    [read] = read_inputs([str(path)], io.BytesIO(), now=NOW, format_=None, limit=1000)
    assert isinstance(read.item, RawItem)
    assert (read.line, read.item.payload.decode(), read.item.input) == (None, TEXT, str(path))


def test_a_file_over_the_limit_is_told(tmp_path: Path) -> None:
    path = tmp_path / "dispatch.txt"
    path.write_text(TEXT, "utf-8")
    [read] = read_inputs([str(path)], io.BytesIO(), now=NOW, format_=None, limit=50)
    assert isinstance(read.item, TooLarge)


def test_results_keep_the_order_of_the_input() -> None:
    told = pipeline("normalise")(inputs(a_line("urn:x:1"), b"{", b'{"headline": "x"}', a_line("urn:x:2")))
    kinds = [
        result.event.story.uri if isinstance(result.event, Event) else type(result.event) for result in told
    ]
    assert kinds == ["urn:x:1", Malformed, MissingIdentity, "urn:x:2"]
    assert [result.source.line for result in told] == [1, 2, 3, 4]


def test_a_step_that_did_not_run_adds_nothing() -> None:
    [result] = pipeline("normalise", "segment")(inputs(a_line("urn:x:1")))
    assert isinstance(result.event, Event)
    assert result.event.segments
    assert result.event.dateline is not None
    assert result.event.lineage is None
    assert result.event.mentions is None
    assert result.event.provenance is not None
    assert [step.name for step in result.event.provenance.steps] == ["normalise", "segment"]


def test_a_duplicate_is_neither_segmented_nor_tagged() -> None:
    run = pipeline("normalise", "deduplicate", "segment")
    first, second = run(inputs(a_line("urn:x:1"), a_line("urn:x:2")))
    assert isinstance(first.event, Event)
    assert isinstance(second.event, Event)
    assert first.event.segments
    assert second.event.lineage is not None
    assert (second.event.lineage.relation, second.event.lineage.of) == ("duplicate", "urn:x:1")
    assert second.event.segments is None


def test_the_window_lasts_over_batches() -> None:
    run = pipeline("normalise", "deduplicate")
    run(inputs(a_line("urn:x:1")))
    [again] = run(inputs(a_line("urn:x:2")))
    assert isinstance(again.event, Event)
    assert again.event.lineage is not None
    assert again.event.lineage.relation == "duplicate"


def test_steps_run_in_the_order_of_the_topology() -> None:
    assert [step.name for step in chosen(["tag", "normalise"])] == ["normalise", "tag"]
    with pytest.raises(KeyError, match="stem"):
        chosen(["stem"])


def test_batches_hold_everything_once() -> None:
    read = inputs(*(a_line(f"urn:x:{n}") for n in range(70)))
    assert [each for batch in batches(read) for each in batch] == read


def test_a_rejection_is_a_result_not_an_exception() -> None:
    [result] = pipeline("normalise")(inputs(b"\xff\xfe\x00\x01"))
    assert isinstance(result.event, Rejected)


HUGE = "9" * 5000  # digits: more than Python reads as a number
NEWS_ITEM = """<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="urn:x:g2" version="{0}" standard="NewsML-G2">
<itemMeta><itemClass qcode="ninat:text"/><versionCreated>2026-11-20T12:00:00Z</versionCreated></itemMeta>
<contentMeta><urgency>{0}</urgency><headline rank="{0}">The ferry</headline><headline rank="2">A boat</headline>
</contentMeta><contentSet><inlineData contenttype="text/plain">The ferry sailed.</inlineData></contentSet></newsItem>"""


@pytest.mark.parametrize("number", ["1", "0", "\u00b2", "\u0663", HUGE, "0" * 5000, "-1", "1e9"])
def test_no_number_that_somebody_sends_is_a_bug_of_ours(number: str) -> None:
    run = pipeline("normalise", "deduplicate")
    items = [a_line("urn:x:1", version=number), a_line("urn:x:1", TEXT + " It came back.", version="2"),
             a_line("urn:x:1", TEXT + " It sank.", version=number)]  # fmt: skip
    results = run(inputs(*items)) + run(
        [Input("x", None, RawItem(NEWS_ITEM.format(number).encode(), NOW, input="x"))]
    )
    assert len(results) == 4
    for result in results:
        assert isinstance(result.event, Event), result.event
        assert 0 <= revision(result.event) < 2**63
