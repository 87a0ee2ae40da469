"""Watch lists mark the entities that an operator cares about; a fault in their file is named by its line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from config import Misconfigured
from config.settings import Settings
from processors.model.event import Event
from processors.model.story import Story
from processors.tag import Tagger
from processors.tag.copy import Copy
from processors.tag.phrase_search import CopyWords
from processors.tag.watchlists import WatchLists
from tests.processors.tag.conftest import Told, entity, relisted

STORY = (
    "NORRVIK, Jan 21 (Reuters) - Galewright will build a mill with Norrvik Steel Works, Chief Executive Freya Lockhart "
    "said on Tuesday. The greenfield site lies on the Tarn River."
)


def lists(folder: Path, text: str) -> str:
    path = folder / "lists.toml"
    path.write_text(text, "utf-8")
    return str(path)


def test_a_hit_is_told_by_the_name_of_its_list(tmp_path: Path, told: Told) -> None:
    path = lists(
        tmp_path,
        '[lists.suppliers]\nlabel = "ORG"\nnames = ["Galewright", "Norrvik Steel Works"]\n'
        "[lists.sites]\npatterns = ['\\bgr(?:ee|ay)nfield site\\b']\n[lists.board]\nnames = ['Lockhart']\n",
    )
    event = told(STORY, by=Tagger(relisted(Settings(), path).tag))
    assert entity(event, "Galewright").watchlists == ("suppliers",)
    assert entity(event, "Norrvik Steel Works").label == "ORG"
    assert entity(event, "greenfield site").watchlists == ("sites",)
    assert entity(event, "Freya Lockhart").watchlists == ("board",)


def test_names_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("# mills\nTarn Mill\n\n/mill (?:no|number) [0-9]+/\n", "utf-8")
    read = WatchLists.read(lists(tmp_path, '[lists.mills]\nfile = "names.txt"\n'))
    assert hits(read, "Tarn Mill and mill no 7") == ["Tarn Mill", "mill no 7"]


@pytest.mark.parametrize(
    ("name", "text", "hit"),
    [
        ("Kesten", "the port of Kesten", True),
        ("Kesten", "THE PORT OF KESTEN", True),
        ("Kesten", "kestens and kesten", False),
        ("Kesten", "Kestenberg", False),
        ("rolled steel", "Rolled steel", True),
        ("Ash", "ash fell", False),
    ],
)  # fmt: skip
def test_capitals_count_where_the_list_has_them(tmp_path: Path, name: str, text: str, hit: bool) -> None:
    read = WatchLists.read(lists(tmp_path, f'[lists.one]\nnames = ["{name}"]\n'))
    assert bool(hits(read, text)) is hit


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[lists.one]\nnames = ['x']\npatterns = [\n  'fine',\n  'bad(',\n]\n", "line 5: 'bad('"),
        ("[lists.one]\npatterns = [\n  'fine',\n  '(x+)+y',\n]\n", "line 4: '(x+)+y' can take for ever"),
        ("\n[lists.one]\nname = ['x']\n", "line 2: [lists.one] may have"),
        ("[lists.one]\nlabel = 'CITY'\n", "line 1: [lists.one]: label must be one of"),
        ("[lists.one]\nnames = 'x'\n", "names must be a list of strings"),
        ("[one]\nnames = ['x']\n", "a watch list stands under [lists.NAME]"),
        ("[lists.one\n", "not TOML"),
    ],
)
def test_a_fault_is_one_clear_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Misconfigured) as told_error:
        WatchLists.read(lists(tmp_path, text))
    assert said in str(told_error.value)
    assert "\n" not in str(told_error.value)


def test_a_bad_pattern_in_a_file_of_names_is_told_by_that_file(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Fine\n/[/\n", "utf-8")
    with pytest.raises(Misconfigured, match=r"names\.txt, line 2: '\['"):
        WatchLists.read(lists(tmp_path, '[lists.one]\nfile = "names.txt"\n'))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"nowhere\.toml: No such file"):
        WatchLists.read(str(tmp_path / "nowhere.toml"))


def test_no_lists_are_no_hits(tmp_path: Path) -> None:
    assert hits(WatchLists.read(lists(tmp_path, "[lists.none]\nnames = []\n")), STORY) == []
    assert hits(WatchLists.read(""), STORY) == []


def test_a_hundred_thousand_names_cost_a_story_no_more_than_ten(tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text("\n".join(f"Mill {n} of Tarn" for n in range(100_000)), "utf-8")
    many = WatchLists.read(lists(tmp_path, '[lists.many]\nfile = "many.txt"\n'))
    few = WatchLists.read(lists(tmp_path, "[lists.few]\nnames = ['a b', 'c d', 'e f']\n"))
    text = STORY * 200
    assert seconds(many, text) < 5 * seconds(few, text) + 0.01
    assert hits(many, "Mill 77 of Tarn opens") == ["Mill 77 of Tarn"]


def test_a_pattern_that_looks_far_ahead_takes_time_in_proportion_to_the_text(tmp_path: Path) -> None:
    read = WatchLists.read(lists(tmp_path, "[lists.one]\npatterns = ['Tarn .*Mill']\n"))
    before = time.process_time()
    assert hits(read, "Tarn and " * 20_000) == []
    assert time.process_time() - before < 20  # it takes a second; by the square of the text it took minutes
    assert hits(read, "x " * 5_000 + "Tarn River Mill " + "x " * 5_000) == ["Tarn River Mill"]


def hits(read: WatchLists, text: str) -> list[str]:
    copy = Copy.of(Event(Story("urn:test:1"), text=text), 10**6)
    return [text[hit.name.start : hit.name.end] for hit in read.find(copy, CopyWords.of(copy.read))]


def seconds(read: WatchLists, text: str) -> float:
    copy = Copy.of(Event(Story("urn:test:1"), text=text), 10**6)
    words = CopyWords.of(copy.read)
    times = []
    for _ in range(5):
        before = time.process_time()
        read.find(copy, words)
        times.append(time.process_time() - before)
    return min(times)
