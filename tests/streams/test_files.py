"""Paths lead to files: each once, in one order, and what can't be read is told and waited for by nobody."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.files import (
    UNFINISHED_SUFFIXES,
    Files,
    RefusedPath,
    file_identity,
    printable_path,
    unreadable_error,
)


def written(path: Path, payload: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(payload)
    return path


def found(*paths: Path, unfinished: tuple[str, ...] = ()) -> list[str]:
    told = Files([str(path) for path in paths], unfinished=unfinished)
    return [each for each in told if isinstance(each, str)]


def refusals(*paths: Path) -> dict[str, str]:
    told = Files([str(path) for path in paths])
    return {Path(each.path).name: str(each.error) for each in told if isinstance(each, RefusedPath)}


def test_a_folder_stands_for_what_is_below_it_by_name_without_what_is_hidden(tmp_path: Path) -> None:
    for name in (
        "b.txt",
        "a/z.txt",
        "a/b/y.txt",
        "c.jsonl",
        ".hidden",
        ".git/config",
        "a/.DS_Store",
        "B.txt",
    ):
        written(tmp_path / name)
    told = [os.path.relpath(path, tmp_path) for path in found(tmp_path)]
    assert told == ["B.txt", "a/b/y.txt", "a/z.txt", "b.txt", "c.jsonl"]


def test_a_file_that_is_named_is_read_whatever_its_name_is_and_as_often_as_it_is_named(
    tmp_path: Path,
) -> None:
    hidden = written(tmp_path / ".wire.tmp")
    assert found(hidden, hidden, unfinished=UNFINISHED_SUFFIXES) == [str(hidden)] * 2


def test_unfinished_files_are_left_out_where_that_is_asked_for(tmp_path: Path) -> None:
    names = ["a.PART", "b.txt", "c.tmp"]
    for name in names:
        written(tmp_path / name)
    assert [Path(path).name for path in found(tmp_path)] == names
    assert [Path(path).name for path in found(tmp_path, unfinished=UNFINISHED_SUFFIXES)] == ["b.txt"]


def test_no_file_is_read_twice_whatever_leads_to_it(tmp_path: Path) -> None:
    one = written(tmp_path / "in" / "one.txt")
    two = written(tmp_path / "in" / "sub" / "two.txt")
    (tmp_path / "in" / "hard.txt").hardlink_to(one)
    (tmp_path / "in" / "sub" / "soft.txt").symlink_to(one)
    (tmp_path / "in" / "zub").symlink_to(two.parent)
    files = Files([str(two), str(tmp_path / "in"), str(two.parent), str(one)])
    told = [each for each in files if isinstance(each, str)]
    assert [Path(path).name for path in told] == ["two.txt", "hard.txt"]
    assert files.again == 6  # one.txt, sub/soft.txt, sub/two.txt, zub, the folder sub, one.txt by its name


def test_links_are_followed_and_those_that_lead_round_or_nowhere_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    written(folder / "sub" / "x.txt")
    outside = written(tmp_path / "out" / "y.txt")
    (folder / "linked").symlink_to(outside.parent)
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "sub" / "above").symlink_to(tmp_path)
    (folder / "self").symlink_to(folder / "self")
    (folder / "nowhere").symlink_to(tmp_path / "gone")
    assert [Path(path).name for path in found(folder)] == ["y.txt", "x.txt"]
    told = refusals(folder)
    assert set(told) == {"up", "above", "self", "nowhere"}
    assert all("back to a folder above" in told[name] for name in ("up", "above"))
    assert "back to itself" in told["self"]
    assert "to nothing" in told["nowhere"]


def test_links_between_two_folders_end(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a" / "x.txt").parent, written(tmp_path / "b" / "y.txt").parent
    (first / "to-b").symlink_to(second)
    (second / "to-a").symlink_to(first)
    assert [Path(path).name for path in found(tmp_path)] == ["y.txt", "x.txt"]
    assert set(refusals(tmp_path)) == {"to-a"}


def test_pipes_and_sockets_are_refused_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "x.txt")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)  # a socket's path has to be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("plug")
        assert [Path(path).name for path in found(tmp_path)] == ["x.txt"]
        assert set(refusals(tmp_path)) == {"pipe", "plug"}


def test_what_the_caller_writes_is_not_read(tmp_path: Path) -> None:
    output = written(tmp_path / "events.jsonl")
    source = written(tmp_path / "x.txt")
    assert list(Files([str(tmp_path)], outputs=[file_identity(output.stat())])) == [str(source)]


def test_a_folder_that_is_gone_and_one_that_may_not_be_read_say_so(tmp_path: Path) -> None:
    [refused] = Files([str(tmp_path / "gone")])
    assert isinstance(refused, RefusedPath)
    assert "No such file" in str(refused.error)
    assert "allow this user" in str(unreadable_error("x", PermissionError(13, "Permission denied")))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_without_permission_is_refused_and_the_rest_is_read(tmp_path: Path) -> None:
    written(tmp_path / "a" / "x.txt")
    written(tmp_path / "b.txt")
    (tmp_path / "a").chmod(0)
    try:
        assert set(refusals(tmp_path)) == {"a"}
        assert [Path(path).name for path in found(tmp_path)] == ["b.txt"]
    finally:
        (tmp_path / "a").chmod(0o700)


def test_folders_may_be_deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(1500):
        Path("d").mkdir()
        os.chdir("d")
    Path("x.txt").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    [path] = found(Path())
    assert path.endswith("d/x.txt")
    for _ in range(1500):  # nothing that pytest clears away may be so deep
        os.chdir("d")
    for _ in range(1500):
        for each in Path().iterdir():
            each.unlink() if each.is_file() else each.rmdir()
        os.chdir("..")


def test_a_name_that_is_no_utf_8_is_shown_with_its_bytes(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/n\xe9.txt")
    Path(path).write_bytes(b"x")
    [told] = found(tmp_path)
    assert Path(told).read_bytes() == b"x"
    assert printable_path(told).endswith("/n\\xe9.txt")


names = st.text(alphabet="ab.-é", min_size=1, max_size=4).filter(lambda name: name.strip("."))


@settings(max_examples=30, deadline=None)
@given(st.sets(st.lists(names, min_size=1, max_size=3).map("/".join), max_size=12))
def test_every_file_that_is_not_hidden_comes_once_in_sorted_order(
    tmp_path_factory: pytest.TempPathFactory, wanted: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    made = []
    for name in sorted(wanted):
        path = folder / name
        if any((folder / parent).is_file() for parent in Path(name).parents) or path.is_dir():
            continue
        made.append(written(path).relative_to(folder))
    plain = [path for path in made if not any(part.startswith(".") for part in path.parts)]
    assert found(folder) == [str(folder / path) for path in sorted(plain, key=lambda path: path.parts)]
