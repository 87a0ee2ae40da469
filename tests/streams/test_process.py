"""Inputs become items; items become events or reasons, in order."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import orjson
import pytest

from config.settings import Settings
from processors.errors import Empty, Malformed, MissingIdentity, Rejected, TooLarge, Unreadable
from processors.model.event import Event, RawItem
from sinks.stories import revision
from streams import topology
from streams.process import Input, Pipeline, Tally, batches, chosen_steps, read_inputs
from streams.steps import STAGE_LOADERS, NewEvent, StageOutcome, StatelessStage
from streams.topology import Topic, by_chain

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
    return Pipeline(chosen_steps(names), Settings())


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
    assert [step.name for step in chosen_steps(["tag", "normalise"])] == ["normalise", "tag"]
    with pytest.raises(KeyError, match="stem"):
        chosen_steps(["stem"])


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


def test_an_event_goes_to_the_steps_that_read_its_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that reads beside another one, or behind the last, is reached like the rest; nothing counts positions."""
    seen: dict[str, list[str]] = {"beside": [], "behind": []}

    def watching(name: str) -> StatelessStage:
        def run(event: Event) -> StageOutcome:
            seen[name].append(event.story.uri)
            return (NewEvent(event),)

        return StatelessStage.one_by_one(run)

    counted_, last = Topic("wire.stories.counted.v1", by_chain), Topic("wire.stories.last.v1", by_chain)
    steps = (
        *topology.STEPS,
        topology.Step("beside", (topology.DUPLICATE,), (counted_,)),
        topology.Step("behind", (topology.ENRICHED,), (last,)),
    )
    monkeypatch.setattr(topology, "STEPS", steps)
    monkeypatch.setattr("streams.process.STEPS", steps)
    for name in seen:
        monkeypatch.setitem(STAGE_LOADERS, name, partial(lambda name, _settings: watching(name), name))
    chosen = [step for step in steps if step.name not in {"segment", "tag"}]
    results = Pipeline(chosen, Settings())(inputs(a_line("urn:x:1"), a_line("urn:x:2")))
    assert seen == {"beside": ["urn:x:2"], "behind": ["urn:x:1"]}
    assert [result.event.story.uri for result in results if isinstance(result.event, Event)] == [
        "urn:x:1",
        "urn:x:2",
    ]


def test_events_of_one_document_keep_their_order_where_no_step_follows() -> None:
    same = "<description>The ferry sailed on Wednesday with two hundred people and one donkey.</description>"
    entries = "".join(
        f"<item><guid>urn:x:{n}</guid><title>The ferry sailed</title>{same}</item>" for n in (1, 2)
    )
    other = (
        "<item><guid>urn:x:3</guid><title>Rain in Lugo</title><description>It rained.</description></item>"
    )
    feed = f'<rss version="2.0"><channel><title>x</title>{entries}{other}</channel></rss>'
    item = RawItem(feed.encode(), NOW, input="x")
    results = pipeline("normalise", "deduplicate")([Input("x", None, item)])
    relations = [
        result.event.lineage.relation
        for result in results
        if isinstance(result.event, Event) and result.event.lineage
    ]
    assert relations == ["new", "duplicate", "new"]


def test_the_first_step_is_never_left_out() -> None:
    with pytest.raises(ValueError, match="normalise"):
        pipeline("segment")


DISPATCH = b"VIGO, Nov 18 (Reuters) - The ferry sailed on Wednesday with two hundred people on board."
FEED = (
    b'<rss version="2.0"><channel><title>x</title>'
    b"<item><guid>a</guid><title>The ferry sailed</title></item><item><guid>b</guid></item></channel></rss>"
)
PIPELINE = Pipeline(chosen_steps(["normalise"]), Settings())


def counted(*inputs: Input, batch: int = 32) -> list[str]:
    tally = Tally()
    for start in range(0, len(inputs), batch):
        some = inputs[start : start + batch]
        tally.add(some, PIPELINE(some))
    return [" ".join(line.split()) for line in tally.lines()]


def an_input(
    path: str, payload: bytes | Rejected, line: int | None = None, format_: str | None = None
) -> Input:
    item = payload if isinstance(payload, Rejected) else RawItem(payload, NOW, input=path, format=format_)
    return Input(path, line, item)


def test_items_events_and_reasons_stand_beside_the_format_that_had_most_items() -> None:
    lines = counted(
        an_input("a.txt", DISPATCH),
        an_input("b.xml", FEED),
        an_input("c.bin", bytes(range(256))),
        an_input("d", Unreadable("permission denied")),
    )
    assert lines == [
        "rss 1 file, 2 items, 1 event, 1 refused: 1 MissingContent",
        "unknown 2 files, 2 items, 0 events, 2 refused: 1 NotText, 1 Unreadable",
        "plain-text 1 file, 1 item, 1 event",
        "total 4 files, 5 items, 2 events, 3 refused: 1 MissingContent, 1 NotText, 1 Unreadable",
    ]


@pytest.mark.parametrize("batch", [1, 2, 32])
def test_a_file_of_many_lines_is_one_however_it_was_batched(batch: int) -> None:
    lines = counted(
        *(
            an_input("a.jsonl", b'{"uri": "urn:x:%d", "headline": "Ferry %d"}' % (n, n), n + 1, "ninjs")
            for n in range(5)
        ),
        an_input("a.jsonl", b"{", 6, "ninjs"),
        an_input("b.jsonl", b'{"uri": "urn:x:9", "headline": "Boat"}', 1, "ninjs"),
        batch=batch,
    )
    assert lines == [
        "ninjs 2 files, 7 items, 6 events, 1 refused: 1 Malformed",
        "total 2 files, 7 items, 6 events, 1 refused: 1 Malformed",
    ]


def test_a_document_without_items_is_counted_by_what_it_is() -> None:
    empty = b'<rss version="2.0"><channel><title>x</title></channel></rss>'
    assert counted(an_input("a.xml", empty))[0] == "rss 1 file, 0 items, 0 events"


def test_nothing_at_all_is_a_total_of_nothing() -> None:
    assert counted() == ["total 0 files, 0 items, 0 events"]


def test_a_kill_that_names_two_stories_is_one_event() -> None:
    names = ("Night ferry sinks off Gannet", "Bakers of Port Ellery open later")
    texts = (TEXT, "PORT ELLERY (Reuters) - Bakers open an hour later from May, their guild said.")
    kill = f"Please kill the stories headlined “{names[0]}” and “{names[1]}”."
    lines = [
        orjson.dumps(
            orjson.loads(a_line(f"urn:x:{name}", text)) | {"headlines": [{"role": "main", "value": name}]}
        )
        for name, text in zip((*names, "KILL"), (*texts, kill), strict=True)
    ]
    results = pipeline("normalise", "deduplicate")(inputs(*lines))
    assert len(results) == len(lines)
    last = results[-1].event
    assert isinstance(last, Event)
    assert last.lineage
    uris = [result.event.story.uri for result in results[:2] if isinstance(result.event, Event)]
    assert [last.lineage.of, *(other.of for other in last.lineage.also_killed)] == uris
