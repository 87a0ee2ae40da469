"""Where a file of the operator lies: one rule for feeds, routes, watch lists, webhooks and certificates."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.files import CONFIG_FOLDER, find_file
from config.schema import Setting, all_settings
from config.settings import Settings, load
from streams.commands.options import log_files

FILES = [setting for setting in all_settings(Settings) if setting.is_file]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The folder of a settings file, and the working folder."""
    own, working = tmp_path / "own", tmp_path / "working"
    own.mkdir()
    working.mkdir()
    monkeypatch.chdir(working)
    return own, working


def routes_of(settings_file: Path, name: str) -> Path:
    """The file of the routes that a settings file names."""
    settings_file.write_text(f'[routes]\nfile = "{name}"\n', "utf-8")
    return find_file(load(settings_file, {}).routes.file)


def test_every_kind_of_file_is_marked() -> None:
    assert {setting.key for setting in FILES} == {
        "tag.watchlists", "poll.feeds", "poll.sources", "routes.file", "webhooks.file", "kafka.ca_file", "kafka.cert_file",
        "kafka.key_file", "elasticsearch.ca_file", "desk.tokens", "alerts.services",
        "alerts.smtp_ca_file",
    }  # fmt: skip


def test_an_absolute_path_is_what_it_says(folders: tuple[Path, Path], tmp_path: Path) -> None:
    own, _ = folders
    assert routes_of(own / "w.toml", f"{tmp_path}/none.toml") == tmp_path / "none.toml"


def test_beside_the_settings_file_comes_before_the_working_folder_and_the_bundled_file(
    folders: tuple[Path, Path],
) -> None:
    own, working = folders
    assert routes_of(own / "w.toml", "routes.toml") == CONFIG_FOLDER / "routes.toml"
    (working / "routes.toml").touch()
    assert routes_of(own / "w.toml", "routes.toml") == working / "routes.toml"
    (own / "routes.toml").touch()
    assert routes_of(own / "w.toml", "routes.toml") == own / "routes.toml"


def test_a_settings_file_may_be_named_from_the_working_folder(folders: tuple[Path, Path]) -> None:
    own, _ = folders
    (own / "mine.toml").touch()
    assert routes_of(Path("../own/w.toml"), "mine.toml").resolve() == own / "mine.toml"


def test_a_file_that_is_nowhere_is_looked_for_beside_the_settings_file(folders: tuple[Path, Path]) -> None:
    own, _ = folders
    assert routes_of(own / "w.toml", "lists/none.toml") == own / "lists/none.toml"


def test_a_name_that_the_settings_file_does_not_say_is_not_looked_for_beside_it(
    folders: tuple[Path, Path],
) -> None:
    own, working = folders
    (own / "routes.toml").touch()
    (own / "w.toml").touch()
    settings = load(own / "w.toml", {"WIREDESK_POLL_FEEDS": "mine.toml"})
    assert find_file(settings.routes.file) == CONFIG_FOLDER / "routes.toml"
    (own / "mine.toml").touch()
    assert find_file(settings.poll.feeds) == working / "mine.toml"


@pytest.mark.parametrize("setting", FILES, ids=lambda setting: setting.key)
def test_every_file_lies_beside_the_settings_file(folders: tuple[Path, Path], setting: Setting) -> None:
    own, _ = folders
    (own / "mine").touch()
    section, name = setting.path
    (own / "w.toml").write_text(f'[{section}]\n{name} = "mine"\n', "utf-8")
    secure = {"WIREDESK_ELASTICSEARCH_URL": "https://index.example:9200"}  # authorities need it
    assert getattr(getattr(load(own / "w.toml", secure), section), name) == str(own / "mine")


def test_empty_stays_empty(folders: tuple[Path, Path]) -> None:
    own, _ = folders
    (own / "w.toml").write_text('[routes]\nfile = ""\n', "utf-8")
    assert load(own / "w.toml", {}).routes.file == ""


def test_the_log_says_which_files_are_read(folders: tuple[Path, Path]) -> None:
    own, working = folders
    (own / "mine.toml").touch()
    (working / "routes.toml").touch()
    (own / "w.toml").write_text('[poll]\nfeeds = "mine.toml"\n', "utf-8")
    with capture_logs() as lines:
        log_files(load(own / "w.toml", {}), "poll.feeds", "routes.file", "tag.watchlists", "webhooks.file")
    assert [(line["setting"], line["path"]) for line in lines] == [
        ("poll.feeds", str(own / "mine.toml")),
        ("routes.file", str(working / "routes.toml")),
        ("tag.watchlists", str(CONFIG_FOLDER / "watchlists.toml")),
    ]
