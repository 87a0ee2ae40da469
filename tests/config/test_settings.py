"""What an operator writes is followed or refused in one clear line."""

from __future__ import annotations

import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest

from config.errors import Misconfigured
from config.settings import HERE, Settings, load


def written(folder: Path, text: str) -> Path:
    path = folder / "wiredesk.toml"
    path.write_text(text, "utf-8")
    return path


def test_defaults_need_no_file() -> None:
    assert load(environment={}) == Settings()


def test_the_example_file_holds_the_defaults() -> None:
    assert load(HERE / "wiredesk.toml", environment={}) == Settings()


def test_the_example_file_names_every_setting() -> None:
    told = tomllib.loads((HERE / "wiredesk.toml").read_text("utf-8"))
    defaults = asdict(Settings())
    assert {name: set(section) for name, section in told.items()} == {
        name: set(section) for name, section in defaults.items()
    }


def test_a_file_beats_the_defaults(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '[poll]\nhost_delay_s = 2\nallowed_addresses = ["127.0.0.0/8"]\n[kafka.options]\n'
        'compression_type = "gzip"\nfetch_max_bytes = 1000\ncheck_crcs = false\n',
    )
    settings = load(path, environment={})
    assert settings.poll.host_delay_s == 2.0
    assert settings.poll.allowed_addresses == ("127.0.0.0/8",)
    assert settings.kafka.options == {
        "compression_type": "gzip",
        "fetch_max_bytes": "1000",
        "check_crcs": "false",
    }
    assert settings.desk == Settings().desk


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, '[kafka]\nservers = "a:1"\npartitions = 3\n')
    settings = load(path, {"WIREDESK_KAFKA_SERVERS": "b:2", "WIREDESK_DESK_PORT": "9000"})
    assert (settings.kafka.servers, settings.kafka.partitions, settings.desk.port) == ("b:2", 3, 9000)


def test_secrets_come_from_files(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("s3cret\n", "utf-8")
    assert load(environment={"WIREDESK_DESK_TOKEN_FILE": str(secret)}).desk.token == "s3cret"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[pol]\n", "unknown setting 'pol'; did you mean 'poll'?"),
        ("[poll]\nconcurency = 5\n", "unknown setting 'poll.concurency'; did you mean 'concurrency'?"),
        ('[poll]\nconcurrency = "many"\n', "poll.concurrency must be a int, not 'many'"),
        ("[poll]\nconcurrency = true\n", "poll.concurrency must be a int, not True"),
        ("[poll]\nallowed_addresses = [1]\n", "poll.allowed_addresses must be a list of strings"),
        ("[kafka]\noptions = 5\n", "kafka.options must be a table of strings, numbers and booleans"),
        ("[kafka.options]\nfetch_max_bytes = [1]\n", "kafka.options must be a table of strings"),
        ("poll = 3\n", "poll must be a Poll"),
        ("[poll\n", "not TOML"),
    ],
)
def test_what_cannot_be_followed_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(Misconfigured) as caught:
        load(path, environment={})
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"none\.toml: No such file"):
        load(tmp_path / "none.toml", environment={})


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wiredesk.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Misconfigured, match="not TOML"):
        load(path, environment={})


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="WIREDESK_DESK_TOKEN_FILE"):
        load(environment={"WIREDESK_DESK_TOKEN_FILE": str(tmp_path / "none")})
