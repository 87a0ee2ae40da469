"""What the documents tell to type is typed: every target of the Makefile, and every command of README, CONTRIBUTING and docs.

Commands that need Kafka, Elasticsearch or another program are parsed only: the subcommand and its options must exist.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from config.settings import load
from streams.cli import cli
from streams.topology import KAFKA_STATES, ROUTE, ROUTED, SINKS, STEP_NAMES, STEPS, TOPICS
from tests.acceptance.conftest import free_port
from tests.acceptance.test_run import until
from tests.recipes.tree import ROOT, copy_tree, environment, run_shell
from tests.test_imports import graph

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / name for name in ("config/samples/README.md", "processors/tag/model/README.md")),
]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
TARGETS = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
OTHER_PROGRAMS = {
    "kcat",
    "jq",
    "base64",
    "kafka-consumer-groups.sh",
    "sqlite3",
    "docker",
    "openssl",
    "kubectl",
}
SHELL = {"export", "python3"}
SERVED = {"poll", "worker", "sink", "topics", "index", "desk"}  # subcommands that need Kafka or Elasticsearch
INSTALLED = ["-o", f"{sys.prefix}/.dev", "-o", f"{sys.prefix}/.embedded"]  # make does not install again
RECIPES = "CONTRIBUTING.md"  # its blocks are run by `tests.recipes`
SAMPLE = "config/samples/01-efe-ferry.txt"


@dataclass(frozen=True, slots=True)
class Line:
    """One line that a page tells to type."""

    page: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command of the line, without redirections."""
        lexer = shlex.shlex(self.text, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        commands: list[list[str]] = [[]]
        words = iter(lexer)
        for word in words:
            if word in {"|", "&&", "||", ";", "&"}:
                commands.append([])
            elif word in {"<", ">", "2"}:
                next(words, None)
            else:
                commands[-1].append(word)
        return [command for command in commands if command]

    @property
    def needs_servers(self) -> bool:
        return any(
            command[0] in OTHER_PROGRAMS
            or ("wiredesk" in command[0] and ("--kafka" in command or SERVED & set(command[1:2])))
            for command in self.commands
        )


def lines_of(text: str) -> Iterator[str]:
    """The lines of a block that are typed: behind ``$`` where the block has any."""
    joined = text.replace("\\\n", " ").splitlines()
    typed = [line[2:] for line in joined if line.startswith("$ ")]
    yield from (line for line in typed or joined if line.strip())


def block_lines() -> list[Line]:
    return [
        Line(page.relative_to(ROOT).as_posix(), line)
        for page in PAGES
        for language, text in BLOCK.findall(page.read_text("utf-8"))
        if language in {"sh", "console"} or (not language and is_typed(text))
        for line in lines_of(text)
    ]


def is_typed(text: str) -> bool:
    """Whether a block without a language holds commands: its first word is a program."""
    return text.split(maxsplit=1)[0].rpartition("/")[2] in {"make", "wiredesk", "curl"}


def span_lines() -> list[Line]:
    return [
        Line(page.relative_to(ROOT).as_posix(), span)
        for page in PAGES
        for span in SPAN.findall(BLOCK.sub("", page.read_text("utf-8")))
        if re.match(r"(\.venv/bin/)?wiredesk [a-z]|make [a-z]+$|curl ", span)
    ]


LINES = list(dict.fromkeys(block_lines()))
TYPED = list(dict.fromkeys([*LINES, *span_lines()]))


def wiredesk_commands(lines: list[Line]) -> list[tuple[Line, list[str]]]:
    return [
        (line, command[1:])
        for line in lines
        for command in line.commands
        if command[0] in {"wiredesk", ".venv/bin/wiredesk"}
    ]


# ---------------------------------------------------------------- what can be checked without running


@pytest.mark.parametrize("line", [line for line in LINES if line.page != RECIPES], ids=str)
def test_a_line_begins_with_a_program_that_the_test_knows(line: Line) -> None:
    for command in line.commands:
        name = command[0].rpartition("/")[2]
        known = {"wiredesk", "make", "curl"} | OTHER_PROGRAMS | SHELL
        assert name in known or "=" in name, f"{name}: say in this test whether it can be run"


@pytest.mark.parametrize(
    ("line", "words"), [pytest.param(*pair, id=str(pair[0])) for pair in wiredesk_commands(TYPED)]
)
def test_a_command_and_its_options_exist(line: Line, words: list[str]) -> None:
    command: click.Command = cli
    context = click.Context(command, info_name="wiredesk")
    words = list(words)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found, f"{line}: no command {name}"
        command = found
        context = click.Context(command, info_name=name, parent=context)
    command.make_parser(context).parse_args(words)


@pytest.mark.parametrize("line", TYPED, ids=str)
def test_a_target_of_make_exists(line: Line) -> None:
    named = {command[1] for command in line.commands if command[0] == "make" and len(command) > 1}
    assert named <= set(TARGETS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_paths_that_a_page_names_exist(page: Path) -> None:
    text = re.sub(r"New file `[^`]+`", "", BLOCK.sub("", page.read_text("utf-8")))
    named = re.findall(r"`((?:config|docs|processors|sinks|streams|tests|locks)/[\w./-]+)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []
    linked = re.findall(r"\]\(([\w./-]+)\)", text)
    assert [path for path in linked if not (page.parent / path).exists()] == []


def test_settings_that_operating_shows_are_accepted(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    blocks = [text for language, text in BLOCK.findall(page) if language == "toml"]
    assert blocks
    for block in blocks:
        (tmp_path / "settings.toml").write_text(block, "utf-8")
        load(tmp_path / "settings.toml", {})


# ---------------------------------------------------------------- the Makefile


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with what the documents speak of: settings, feeds, an archive, a dispatch."""
    tree = copy_tree(tmp_path_factory.mktemp("documents") / "wiredesk")
    (tree / "archive").mkdir()
    for name in ("05-ap-dam-writethru.txt", "08-reuters-copper.txt"):
        (tree / "archive" / name).write_bytes((tree / "config" / "samples" / name).read_bytes())
    for name in ("dispatch.txt", "item"):
        (tree / name).write_bytes((tree / SAMPLE).read_bytes())
    (tree / "feeds.toml").write_text('[[feeds]]\nid = "nowhere"\nurl = "http://127.0.0.1:9/feed"\n', "utf-8")
    for name in ("wire.toml", "fleet.toml"):
        (tree / name).write_text("", "utf-8")
    return tree


def in_tree(tree: Path, script: str) -> str:
    """What a script says that must end with status 0."""
    output = run_shell(tree, f"{script}\necho status $?", timeout_s=200)
    said, _, status = output.rpartition("status ")
    assert status.strip() == "0", output
    return said


def test_help_lists_every_target(tree: Path) -> None:
    listed = re.findall(r"^  make (\w+) +\S", in_tree(tree, "make help"), re.MULTILINE)
    assert listed == TARGETS
    assert in_tree(tree, "make") == in_tree(tree, "make help")


@pytest.mark.parametrize("target", ["schemas", "settings", "places"])
def test_what_is_generated_is_what_stands_there(tree: Path, target: str) -> None:
    before = _contents(tree)
    in_tree(tree, f"make {target}")
    assert [path for path, content in _contents(tree).items() if before.get(path) != content] == []


def _contents(tree: Path) -> dict[str, bytes]:
    return {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for folder in ("config", "docs")
        for path in (tree / folder).rglob("*")
        if path.is_file()
    }


def test_format_formats(tree: Path) -> None:
    ugly = tree / "streams" / "ugly.py"
    ugly.write_text('"""Nothing."""\nWIDE = [ 1,2 ]\n', "utf-8")
    in_tree(tree, "make format")
    assert "WIDE = [1, 2]" in ugly.read_text("utf-8")
    ugly.unlink()


def test_tests_and_checks_take_what_they_run() -> None:
    """In the tree itself, where mypy's cache is."""
    shell = {**environment(ROOT), "MYPY_FORCE_COLOR": "0"}
    command = ["make", "check", "TESTS=tests/test_imports.py", f"VENV={sys.prefix}", *INSTALLED]
    done = subprocess.run(
        command, cwd=ROOT, env=shell, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    command[1] = "test"
    done = subprocess.run(
        command, cwd=ROOT, env=shell, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_benchmark_has_a_short_form(tree: Path) -> None:
    output = in_tree(tree, 'make bench ARGS="--stories 8 --words 60 --workers 1 --starts 1"')
    assert re.search(r"^ratio +\d", output, re.MULTILINE)


def test_the_training_starts(tree: Path) -> None:
    """It takes ten minutes and the corpora; its options are read."""
    assert "--corpus" in in_tree(tree, "make model ARGS=--help")


def test_the_locks_are_resolved_from_files_that_stand_there(tree: Path) -> None:
    """Without the network no more can be said: what make would run, and on which files."""
    commands = in_tree(tree, "make --dry-run lock")
    assert commands.count("uv pip compile") == 5
    assert set(re.findall(r"locks/\w+\.txt", commands)) == {
        path.relative_to(tree).as_posix() for path in (tree / "locks").glob("*.txt")
    }


def test_an_installation_needs_hashes(tree: Path) -> None:
    """The network is needed for it: what make would run where nothing is installed."""
    commands = in_tree(tree, "make --dry-run VENV=elsewhere test")
    assert "-m venv elsewhere" in commands
    assert "--require-hashes -r locks/dev.txt" in commands


def test_clean_leaves_sources_and_data(tree: Path, tmp_path: Path) -> None:
    sources = tmp_path / "clean"
    (sources / "data").mkdir(parents=True)
    (sources / ".mypy_cache").mkdir()
    (sources / "Makefile").write_bytes((tree / "Makefile").read_bytes())
    (sources / ".venv").mkdir()
    in_tree(sources, "make clean")
    assert sorted(path.name for path in sources.iterdir()) == ["Makefile", "data"]


# ---------------------------------------------------------------- one machine


@contextmanager
def running(tree: Path, script: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs until it is told to stop, once its desk answers."""
    log = tree / "run.log"
    shell = {**environment(tree), "WIREDESK_DESK_PORT": str(port)}
    with (
        log.open("wb") as stream,
        subprocess.Popen(
            ["bash", "-c", script], cwd=tree, env=shell, stdout=stream, stderr=stream, start_new_session=True
        ) as process,
    ):
        try:
            until(lambda: _answers(f"http://127.0.0.1:{port}/readyz"), 90, process, log)
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            process.wait(60)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- our own desk
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False


@dataclass(frozen=True, slots=True)
class Machine:
    """A tree in which the samples were processed, and what its desk said to each ``curl`` of the documents."""

    tree: Path
    answers: dict[str, str]


@pytest.fixture(scope="module")
def machine(tree: Path) -> Machine:
    port = free_port()
    with running(tree, f"make run ARGS=--no-feeds PORT={port}", port) as process:
        search = f"curl -s 'http://127.0.0.1:{port}/api/stories?q=lighthouse'"
        until(lambda: "Lighthouse" in in_tree(tree, search), 60, process, tree / "run.log")
        answers = {line.text: _asked(tree, line.text, port) for line in CURLS}
    return Machine(tree, answers)


def _asked(tree: Path, text: str, port: int) -> str:
    script = re.sub(r"127\.0\.0\.1:8080", f"127.0.0.1:{port}", text)
    if " -sN " in script:  # a stream has no end
        script = f"{script} --max-time 1 || [ $? = 28 ]"
    return in_tree(tree, script)


CURLS = [line for line in TYPED if line.commands[0][0] == "curl"]
ENDLESS = re.compile(r"wiredesk (run|routes follow)\b")
RUNS = [
    line
    for line in [*LINES, *span_lines()]
    if line.page != RECIPES and not line.needs_servers and not ENDLESS.search(line.text)
    if line in LINES or re.match(r"wiredesk (backfill|feeds list|dlq list)", line.text)
    if line.commands[0][0].endswith("wiredesk")
]


@pytest.mark.parametrize("line", CURLS, ids=str)
def test_the_desk_answers_what_the_documents_ask(machine: Machine, line: Line) -> None:
    assert machine.answers[line.text].strip()


@pytest.mark.parametrize("line", list(dict.fromkeys(RUNS)), ids=str)
def test_a_command_does_what_the_documents_tell(machine: Machine, line: Line) -> None:
    script = line.text.replace("/var/lib/wiredesk", "data")
    output = in_tree(machine.tree, script)
    assert output or ">" in script or "-o" in script or "check" in script


def test_the_copy_that_operating_tells_to_make_can_be_read(machine: Machine) -> None:
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    backup, restore = (re.search(rf"`(wiredesk {name} [^`]+)`", page) for name in ("backup", "restore"))
    assert backup
    assert restore
    in_tree(machine.tree, backup[1].replace("/var/lib/wiredesk", "data"))
    in_tree(machine.tree, restore[1].replace("/var/lib/wiredesk", "restored"))
    assert "ferry" in in_tree(machine.tree, "wiredesk export --data restored --query ferry").lower()


def test_what_is_exported_is_there(machine: Machine) -> None:
    in_tree(machine.tree, "wiredesk export --query ferry --format csv -o ferry.csv")
    assert "ferry" in (machine.tree / "ferry.csv").read_text("utf-8").lower()


@pytest.mark.parametrize(
    "line", [line for line in LINES if re.search(r"wiredesk routes follow", line.text)], ids=str
)
def test_a_route_is_followed(machine: Machine, line: Line) -> None:
    events = [json.loads(event) for event in in_tree(machine.tree, f"{line.text} --once").splitlines()]
    assert all(event["lineage"]["relation"] for event in events)  # the samples may have none that is urgent


@pytest.mark.parametrize(
    "line", [line for line in LINES if line.text.startswith("wiredesk run") and line.page != RECIPES], ids=str
)
def test_the_machine_starts_as_the_documents_tell(machine: Machine, line: Line) -> None:
    script = line.text.replace("/var/lib/wiredesk", "data")
    with running(machine.tree, f"exec {script}", free_port()) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


# ---------------------------------------------------------------- the pictures


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def test_modules_in_the_pictures_exist() -> None:
    named = set(re.findall(r"\b((?:config|processors|sinks|streams)/[\w/]*\w(?:\.\w+)?)", ARCHITECTURE))
    assert len(named) > 40
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_the_pictures_show_every_topic_step_and_sink_and_no_other() -> None:
    shown = set(re.findall(r"wire\.[\w.-]+\.v1", ARCHITECTURE)) - {"wire.out.RULE.v1"}
    held = {sink.held.name for sink in SINKS if sink.held}
    assert (
        shown == {topic.name for topic in (*TOPICS, ROUTED)} | {topic.name for topic in KAFKA_STATES} | held
    )
    way = ARCHITECTURE.partition("## One story's way")[2].partition("## ")[0]
    assert set(re.findall(r"\b(\w+)\[\1<br>", way)) == {*STEP_NAMES, ROUTE.name}
    assert all(sink.name in way for sink in SINKS)


def test_the_arrows_of_the_pipeline_are_those_of_the_topology() -> None:
    arrows = set(re.findall(r"^ +(\w+) -->(?:\|[^|]*\|)? (\w+)", ARCHITECTURE, re.MULTILINE))
    names = dict(re.findall(r"\b(\w+)\(\[(wire\.[\w.-]+)\]\)", ARCHITECTURE))
    drawn = {(names.get(start, start), names.get(end, end)) for start, end in arrows}
    for step in STEPS:
        assert {(topic.name, step.name) for topic in step.reads} <= drawn
        assert {(step.name, topic.name) for topic in step.writes} <= drawn


def test_the_arrows_between_rooms_are_imports() -> None:
    house = ARCHITECTURE.partition("## The house")[2].partition("## ")[0]
    labels = dict(re.findall(r"\b(\w+) ?\[([^\]]+)\]", house))
    arrows = re.findall(r"^ +(\w+)(?:\[[^\]]*\])? -->(?:\|[^|]*\|)? (\w+)", house, re.MULTILINE)
    assert len(arrows) > 20
    imports = {(name, other) for name, others in graph().items() for other in others}
    missing = [
        (start, end)
        for start, end in arrows
        if not any(_is_in(name, labels[start]) and _is_in(other, labels[end]) for name, other in imports)
    ]
    assert missing == []


def _is_in(module: str, label: str) -> bool:
    """Whether a module is one that a box of the picture names, or within a room that it names."""
    named = [
        path.removesuffix(".py").strip("/").replace("/", ".") for path in re.findall(r"[a-z]+/[\w/.]*", label)
    ]
    return any(module == name or module.startswith(f"{name}.") for name in named)
