"""What help and documents tell an operator to type is what the commands take; each command shows examples."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

import click
import pytest
from click.testing import CliRunner

from config import Misconfigured
from config.files import CONFIG_FOLDER
from processors.model.event import Relation
from sinks.export import ExportFormat
from streams.cli import COMMANDS, cli, main
from streams.commands.options import ALL_STEPS, parse_milliseconds, parse_steps
from streams.topology import STEPS

ROOT: Final = Path(__file__).parents[2]
ASSIGNMENT: Final = re.compile(r"[A-Z_][A-Z0-9_]*=\S+\s+")
DOCUMENTS: Final = ("README.md", "docs/operating.md", "docs/evolution.md", "CONTRIBUTING.md")
OPERATORS: Final = ("backfill", "dlq", "replay", "topics")  # whose subcommands show examples as well


def commands(name: str) -> Iterator[tuple[str, click.Command]]:
    """A command and those below it, by their full names."""
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command
    yield name, command
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found
            yield f"{name} {below}", found


ALL: Final = {name: command for top in COMMANDS for name, command in commands(top)}


def check(line: str) -> None:
    """Parse a line as the shell and the command would, up to where it would begin to work."""
    words = shlex.split(line, comments=True)[1:]
    pipe = next((at for at, word in enumerate(words) if word in {"|", ">", "<", "&&", ";", "2>"}), len(words))
    words = [word for word in words[:pipe] if word != "…"]
    if not words or words[0].startswith("-"):
        return
    assert words[0] in ALL, f"{line}: there is no command {words[0]}"
    name = words.pop(0)
    if isinstance(ALL[name], click.Group) and words and not words[0].startswith("-"):
        name = f"{name} {words.pop(0)}"
        assert name in ALL, f"{line}: there is no command {name}"
    command = ALL[name]
    try:
        options, _, _ = command.make_parser(click.Context(command)).parse_args(words)
    except click.UsageError as error:
        pytest.fail(f"{line}: {error.format_message()}")
    for option in command.params:
        told = options.get(option.name or "")
        if isinstance(option.type, click.Choice) and isinstance(told, str):
            assert told in option.type.choices, line


def examples(command: click.Command) -> list[str]:
    text = (command.help or "").partition("Examples:")[2]
    lines = (ASSIGNMENT.sub("", line.strip()) for line in text.splitlines())
    parts = [part.strip() for line in lines for part in line.split("| ")]
    return [re.sub(r"\s{3,}\S.*$", "", part) for part in parts if part.startswith("wiredesk ")]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_examples(name: str) -> None:
    assert examples(ALL[name])


@pytest.mark.parametrize("name", [name for name in ALL if name.partition(" ")[0] in OPERATORS])
def test_every_subcommand_of_the_operators_shows_examples_and_what_each_option_does(name: str) -> None:
    assert examples(ALL[name])
    for option in ALL[name].params:
        assert not isinstance(option, click.Option) or option.help, f"{name}: {option.name}"


@pytest.mark.parametrize("name", ALL)
def test_the_examples_of_the_help_can_be_typed(name: str) -> None:
    for line in examples(ALL[name]):
        check(line)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_commands_of_documents_can_be_typed(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    blocks = [
        line for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) for line in block.splitlines()
    ]
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    lines = [ASSIGNMENT.sub("", line.strip()) for line in (*blocks, *inline)]
    for line in lines:
        if line.startswith("wiredesk "):
            check(line)


def test_a_line_that_cannot_be_typed_is_noticed() -> None:
    with pytest.raises(pytest.fail.Exception, match="No such option"):
        check("wiredesk dlq list --lately")
    with pytest.raises(AssertionError, match="no command"):
        check("wiredesk dlq burn")


def test_the_steps_of_the_command_line_are_those_of_the_topology() -> None:
    assert parse_steps(ALL_STEPS) == [step.name for step in STEPS]


@pytest.mark.parametrize("told", ["", " , ", "segment,stem"])
def test_steps_that_there_are_not_are_refused_with_those_that_there_are(told: str) -> None:
    with pytest.raises(click.BadParameter, match=f"the steps are {ALL_STEPS}"):
        parse_steps(told)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("2026-01-31", 1769817600),
        ("2026-01-31 12:00", 1769860800),
        ("2026-01-31T12:00:00Z", 1769860800),
        ("2026-01-31T12:00:00+01:00", 1769857200),
    ],
)
def test_times_without_an_offset_count_as_utc(told: str, seconds: int) -> None:
    assert parse_milliseconds("--since", told) == seconds * 1000


@pytest.mark.parametrize("told", ["yesterday", "2026-13-01", "", "0001-01-01T00:00:00+05:00"])
def test_what_is_no_time_is_bad_usage(told: str) -> None:
    with pytest.raises(click.BadParameter, match="no RFC 3339 timestamp"):
        parse_milliseconds("--since", told)


@pytest.mark.parametrize("command", ["process", "backfill"])
def test_a_format_that_there_is_not_is_bad_usage_and_names_those_that_there_are(command: str) -> None:
    done = CliRunner().invoke(ALL[command], ["--format", "telex"])
    assert done.exit_code == 2
    assert "'telex'; known are rss, " in done.stderr


def needed_words(command: click.Command, folder: Path) -> list[str]:
    """What a command can't do without, so that it gets as far as its settings."""
    words: list[str] = []
    for parameter in command.params:
        if parameter.required:
            if isinstance(parameter, click.Option):
                words += [
                    parameter.opts[0],
                    "1" if isinstance(parameter.type, click.IntRange) else "2026-01-31",
                ]
            else:
                (folder / "input").touch()
                words.append(str(folder / "input"))
    return words


# The check tells all faults in its own way (test_settings_check.py), and the schema has none.
OTHERWISE: Final = {"config check", "config schema"}
LEAVES: Final = [
    name for name, command in ALL.items() if not isinstance(command, click.Group) and name not in OTHERWISE
]


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_follows_a_settings_file_and_the_environment(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["wiredesk", *name.split(), *needed_words(ALL[name], tmp_path)]
    settings = tmp_path / "wire.toml"
    settings.write_text("[embedded]\nbatch = 0\n", "utf-8")
    line = "embedded.batch is 0; it must be a whole number from 1 to 10,000"
    monkeypatch.setattr("sys.argv", [*words, "--config", str(settings)])
    assert end_of_main(capsys) == (2, f"wiredesk: {settings}: {line}\n")
    monkeypatch.setattr("sys.argv", words)
    monkeypatch.setenv("WIREDESK_EMBEDDED_BATCH", "0")
    assert end_of_main(capsys) == (2, f"wiredesk: WIREDESK_EMBEDDED_BATCH: {line}\n")
    monkeypatch.delenv("WIREDESK_EMBEDDED_BATCH")
    monkeypatch.setenv("WIREDESK_EMBEDED_BATCH", "1")
    status, said = end_of_main(capsys)
    assert status == 2
    assert said.startswith("wiredesk: WIREDESK_EMBEDED_BATCH: no setting has this variable; did you mean")


def end_of_main(capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """The status that the console script ends with, and what it says."""
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize("beside", [True, False])
def test_routes_are_those_that_the_settings_file_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: bool
) -> None:
    working = tmp_path / "working"
    working.mkdir()
    monkeypatch.chdir(working)
    (tmp_path / "wire.toml").write_text('[routes]\nfile = "routes.toml"\n', "utf-8")
    if beside:
        (tmp_path / "routes.toml").write_text('[routes.mine]\nlanguages = ["is"]\n', "utf-8")
    shown = CliRunner().invoke(cli, ["routes", "check", "--config", "../wire.toml"])
    place = tmp_path / "routes.toml" if beside else CONFIG_FOLDER / "routes.toml"
    assert shown.exit_code == 0
    assert (shown.stdout == "mine\twire.out.mine.v1\n") is beside
    assert Path(shown.stderr.partition(" rules in ")[2].strip()).resolve() == place
    bundled = CliRunner().invoke(cli, ["routes", "check"], env={"WIREDESK_ROUTES_FILE": ""})
    assert (bundled.stdout, bundled.stderr) == ("", "0 rules\n")


def test_routes_of_the_command_line_lie_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text('[routes.mine]\nlanguages = ["is"]\n', "utf-8")
    shown = CliRunner().invoke(cli, ["routes", "check", "--routes", "mine.toml"])
    assert (shown.stdout, shown.stderr) == ("mine\twire.out.mine.v1\n", f"1 rules in {tmp_path}/mine.toml\n")
    missing = CliRunner().invoke(cli, ["routes", "check", "--routes", "none.toml"])
    assert isinstance(missing.exception, Misconfigured)
    assert (
        str(missing.exception)
        == f"{tmp_path}/none.toml: No such file or directory; name a file of rules with routes.file"
    )


def test_a_route_is_followed_in_the_data_folder_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "wire.toml").write_text(f'[embedded]\ndata = "{tmp_path}/kept"\n', "utf-8")
    done = CliRunner().invoke(cli, ["routes", "follow", "urgent", "--config", str(tmp_path / "wire.toml")])
    assert isinstance(done.exception, Misconfigured)
    assert str(done.exception).startswith(f"{tmp_path}/kept/wiredesk.sqlite: no such log")


def test_feeds_are_those_that_the_settings_file_names(tmp_path: Path) -> None:
    (tmp_path / "wire.toml").write_text('[poll]\nfeeds = "mine.toml"\n', "utf-8")
    config = ["--config", str(tmp_path / "wire.toml")]
    added = CliRunner().invoke(
        cli, ["feeds", "add", "https://wire.example/rss", "--id", "wire", "--unchecked", *config]
    )
    assert added.stdout == "added wire\n"
    shown = CliRunner().invoke(cli, ["feeds", "list", *config])
    assert shown.stdout.startswith("wire\t")
    assert shown.stderr == f"1 feeds in {tmp_path}/mine.toml\n"


def test_a_backfill_refuses_a_broken_list_of_feeds(tmp_path: Path) -> None:
    (tmp_path / "wire.toml").write_text(
        f'[poll]\nfeeds = "mine.toml"\n[embedded]\ndata = "{tmp_path}/data"\n', "utf-8"
    )
    (tmp_path / "mine.toml").write_text("[[feeds]]\nname = 'x'\n", "utf-8")
    (tmp_path / "item.txt").write_text("x", "utf-8")
    done = CliRunner().invoke(
        cli, ["backfill", "--config", str(tmp_path / "wire.toml"), str(tmp_path / "item.txt")]
    )
    assert isinstance(done.exception, Misconfigured)
    assert "mine.toml: feed 1 (x): url is missing" in str(done.exception)


def test_choices_of_an_export_are_those_of_the_model() -> None:
    choices = {option.name: option.type for option in ALL["export"].params}
    for name, kind in (("relation", Relation), ("format_", ExportFormat)):
        type_ = choices[name]
        assert isinstance(type_, click.Choice)
        assert list(type_.choices) == list(get_args(kind))


def test_a_backfill_says_whose_language_and_zone_its_items_have(tmp_path: Path) -> None:
    (tmp_path / "wire.toml").write_text(
        f'[poll]\nfeeds = "mine.toml"\n[embedded]\ndata = "{tmp_path}/data"\n', "utf-8"
    )
    (tmp_path / "mine.toml").write_text('[[feeds]]\nid = "morrow"\nurl = "https://m.example/rss"\n', "utf-8")
    (tmp_path / "item.txt").write_text("x", "utf-8")
    words = ["backfill", "--config", str(tmp_path / "wire.toml"), str(tmp_path / "item.txt")]
    said = f"language and zone of morrow are those of {tmp_path}/mine.toml\n"
    assert said in CliRunner().invoke(cli, [*words, "--feed", "morrow"]).stderr
    assert "language and zone" not in CliRunner().invoke(cli, words).stderr
