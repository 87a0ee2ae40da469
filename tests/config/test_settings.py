"""What an operator writes is followed or refused in one clear line."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import msgspec
import pytest

from config import Misconfigured
from config.files import CONFIG_FOLDER
from config.reader import OTHER_VARIABLES
from config.schema import LANGUAGES, Setting, all_settings
from config.settings import Settings, load, override_settings
from processors.normalise.language import _identifier


def written(folder: Path, text: str) -> Path:
    path = folder / "wiredesk.toml"
    path.write_text(text, "utf-8")
    return path


def refused(folder: Path, text: str) -> str:
    """The one line that a settings file is refused with."""
    path = written(folder, text)
    with pytest.raises(Misconfigured) as caught:
        load(path, environment={})
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return line.removeprefix(f"{path}: ")


def refused_variable(name: str, value: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        load(environment={name: value})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults_need_no_file() -> None:
    assert load(environment={}) == Settings()


def test_the_example_file_holds_the_defaults(tmp_path: Path) -> None:
    shutil.copy(CONFIG_FOLDER / "wiredesk.toml", tmp_path)
    assert load(tmp_path / "wiredesk.toml", environment={}) == Settings()


def test_the_example_file_names_every_setting() -> None:
    told = tomllib.loads((CONFIG_FOLDER / "wiredesk.toml").read_text("utf-8"))
    for setting in all_settings(Settings):
        table = told
        for name in setting.path[:-1]:
            table = table[name]
        assert setting.path[-1] in table, setting.key


@pytest.mark.parametrize("setting", list(all_settings(Settings)), ids=lambda setting: setting.key)
def test_every_setting_has_a_meaning_a_range_and_an_allowed_default(setting: Setting) -> None:
    assert setting.meaning.endswith(".")
    assert "\n" not in setting.meaning
    if isinstance(setting.type, msgspec.inspect.IntType | msgspec.inspect.FloatType):
        assert setting.type.le is not None
        assert (setting.type.ge is None) != (setting.type.gt is None)
    default = list(setting.default) if isinstance(setting.default, tuple) else setting.default
    assert setting.convert(default) == setting.default
    assert setting.allowed()


NUMBERS = [
    setting
    for setting in all_settings(Settings)
    if isinstance(setting.type, msgspec.inspect.IntType | msgspec.inspect.FloatType)
]


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda setting: setting.key)
def test_the_bounds_of_a_number_are_allowed_and_what_is_beyond_them_is_not(setting: Setting) -> None:
    assert isinstance(setting.type, msgspec.inspect.IntType | msgspec.inspect.FloatType)
    low, high = setting.type.ge, setting.type.le
    assert high is not None
    beyond = [high + 1, -1]
    if low is None:
        beyond.append(0)
    else:
        assert setting.convert(low) == low
        beyond.append(low - 1)
    assert setting.convert(high) == high
    for value in beyond:
        with pytest.raises(ValueError, match="Expected"):
            setting.convert(value)


def test_the_languages_are_those_of_the_detector() -> None:
    assert set(LANGUAGES) == set(map(str, _identifier(()).labels)) - {"zxx"}, "zxx is no language"


def test_a_file_beats_the_defaults(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '[poll]\nhost_delay_s = 2\nallowed_addresses = ["127.0.0.0/8"]\n[kafka.options]\n'
        'compression_type = "gzip"\nfetch_max_bytes = 1000\ncheck_crcs = false\n',
    )
    settings = load(path, environment={})
    assert settings.poll.host_delay_s == 2.0
    assert isinstance(settings.poll.host_delay_s, float)
    assert settings.poll.allowed_addresses == ("127.0.0.0/8",)
    assert settings.kafka.options == {
        "compression_type": "gzip",
        "fetch_max_bytes": "1000",
        "check_crcs": "false",
    }
    assert settings.desk == Settings().desk


def test_sinks_have_sections_of_their_own(tmp_path: Path) -> None:
    path = written(tmp_path, '[sinks.events]\nfile = "events.jsonl"\n')
    assert load(path, environment={}).sinks.events.file == "events.jsonl"
    assert load(environment={"WIREDESK_SINKS_EVENTS_FILE": "e"}).sinks.events.file == "e"
    assert "unknown setting 'sinks.event'; did you mean 'events'?" in refused(tmp_path, "[sinks.event]\n")


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, '[kafka]\nservers = "a:1"\npartitions = 3\n')
    settings = load(path, {"WIREDESK_KAFKA_SERVERS": "b:2", "WIREDESK_DESK_PORT": "9000"})
    assert (settings.kafka.servers, settings.kafka.partitions, settings.desk.port) == ("b:2", 3, 9000)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("10.0.0.0/8,127.0.0.1:8000", ("10.0.0.0/8", "127.0.0.1:8000")),
        (" 10.0.0.0/8 , 127.0.0.1:8000, ", ("10.0.0.0/8", "127.0.0.1:8000")),
        ('["10.0.0.0/8", "::1"]', ("10.0.0.0/8", "::1")),
        ("::1", ("::1",)),
        ("", ()),
        ("[]", ()),
    ],
)
def test_lists_in_the_environment_have_commas_or_are_toml(text: str, addresses: tuple[str, ...]) -> None:
    assert load(environment={"WIREDESK_POLL_ALLOWED_ADDRESSES": text}).poll.allowed_addresses == addresses


def test_secrets_come_from_files(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("s3cret\n", "utf-8")
    assert load(environment={"WIREDESK_DESK_TOKEN_FILE": str(secret)}).desk.token == "s3cret"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[embedded]\nbatch = 0\n", "embedded.batch is 0; it must be a whole number from 1 to 10,000"),
        ("[embedded]\nbatch = 10001\n", "embedded.batch is 10_001; it must be a whole number from 1 to 10,000"),
        ("[deduplicate]\nwindow_hours = -5\n", "deduplicate.window_hours is -5; it must be a whole number from 1 to 87,600"),
        ("[deduplicate]\nwindow_hours = 0\n", "deduplicate.window_hours is 0; it must be a whole number from 1 to 87,600"),
        ("[deduplicate]\nthreshold = 7.5\n", "deduplicate.threshold is 7.5; it must be a number from 0 to 1"),
        ("[deduplicate]\nthreshold = -0.1\n", "deduplicate.threshold is -0.1; it must be a number from 0 to 1"),
        ("[deduplicate]\nthreshold = nan\n", "deduplicate.threshold is nan; it must be a number from 0 to 1"),
        ("[poll]\ntotal_timeout_s = inf\n", "poll.total_timeout_s is inf; it must be a number above 0, at most 315,360,000"),
        ("[poll]\ntotal_timeout_s = 0\n", "poll.total_timeout_s is 0; it must be a number above 0, at most 315,360,000"),
        ("[poll]\nmin_interval_s = -5\n", "poll.min_interval_s is -5; it must be a number above 0, at most 315,360,000"),
        ("[poll]\nmax_body_bytes = -1\n", "poll.max_body_bytes is -1; it must be a whole number from 1 to 2,147,483,647"),
        ("[poll]\nmax_entries = 99999999999999999999\n", "poll.max_entries is 99_999_999_999_999_999_999; it must be a whole number from 1 to 2,147,483,647"),
        ("[poll]\nconcurrency = 5.0\n", "poll.concurrency is 5.0; it must be a whole number from 1 to 65,535"),
        ("[poll]\nconcurrency = true\n", "poll.concurrency is true; it must be a whole number from 1 to 65,535"),
        ('[poll]\nconcurrency = "many"\n', 'poll.concurrency is "many"; it must be a whole number from 1 to 65,535'),
        ("[poll]\nhost_delay_s = false\n", "poll.host_delay_s is false; it must be a number from 0 to 315,360,000"),
        ("[poll]\nrobots = 1\n", "poll.robots is 1; it must be true or false"),
        ("[poll]\nallowed_addresses = [1]\n", 'poll.allowed_addresses is [1]; it must be a list of texts, such as ["a", "b"], or a,b in a variable'),
        ('[poll]\nallowed_addresses = "::1"\n', 'poll.allowed_addresses is "::1"; it must be a list of texts, such as ["a", "b"], or a,b in a variable'),
        ("[poll]\nuser_agent = 2026-01-31\n", "poll.user_agent is 2026-01-31; it must be visible ASCII, not empty"),
        ('[desk]\nsearch = "solr"\n', 'desk.search is "solr"; it must be one of elasticsearch, embedded'),
        ("[desk]\nport = 70000\n", "desk.port is 70_000; it must be a whole number from 0 to 65,535"),
        ("[desk]\nport = -1\n", "desk.port is -1; it must be a whole number from 0 to 65,535"),
        ("[push]\nport = 65536\n", "push.port is 65_536; it must be a whole number from 0 to 65,535"),
        ('[desk]\nhost = ""\n', 'desk.host is ""; it must be a host name or address'),
        ('[elasticsearch]\nurl = "127.0.0.1:9200"\n', 'elasticsearch.url is "127.0.0.1:9200"; it must be an address with scheme and port, such as http://127.0.0.1:9200'),
        ('[elasticsearch]\nurl = "https://index.example"\n', 'elasticsearch.url is "https://index.example"; it must be an address with scheme and port, such as http://127.0.0.1:9200'),
        ('[elasticsearch]\nindex = "Stories"\n', 'elasticsearch.index is "Stories"; it must be at most 200 small letters, digits, dots, hyphens and underscores'),
        ('[push]\npublic_url = "wire.example"\n', 'push.public_url is "wire.example"; it must be an address that begins with http:// or https://, or empty'),
        ("[embedded]\nretention_hours = -1\n", "embedded.retention_hours is -1; it must be a whole number from 0 to 87,600"),
        ("[embedded]\nindex_retention_days = -1\n", "embedded.index_retention_days is -1; it must be a whole number from 0 to 36,500"),
        ("[kafka]\nretention_hours = 0\n", "kafka.retention_hours is 0; it must be a whole number from 1 to 87,600"),
        ('[kafka]\nsecurity_protocol = "TLS"\n', 'kafka.security_protocol is "TLS"; it must be one of PLAINTEXT, SASL_PLAINTEXT, SASL_SSL, SSL'),
        ('[kafka]\nprefix = "two words"\n', 'kafka.prefix is "two words"; it must be at most 200 letters, digits, dots, hyphens and underscores'),
        ('[log]\nlevel = "loud"\n', 'log.level is "loud"; it must be one of debug, error, info, warning'),
        ("[webhooks]\nattempts = 0\n", "webhooks.attempts is 0; it must be a whole number from 1 to 1,000"),
        (f'[poll]\nuser_agent = ["{"a" * 200}"]\n', f'poll.user_agent is ["{"a" * 78}…; it must be visible ASCII, not empty'),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_one_line_with_key_value_and_range(
    tmp_path: Path, text: str, line: str
) -> None:
    assert refused(tmp_path, text) == line


def test_languages_are_those_of_the_detector_and_the_line_names_them(tmp_path: Path) -> None:
    line = refused(tmp_path, '[normalise]\nlanguages = ["english"]\n')
    assert line.startswith('normalise.languages is ["english"]; it must be a list of ace, af, ')
    assert ", en, " in line
    assert load(written(tmp_path, '[normalise]\nlanguages = ["en", "es"]\n'), {}).normalise.languages == (
        "en",
        "es",
    )
    assert load(environment={"WIREDESK_NORMALISE_LANGUAGES": "en,es"}).normalise.languages == ("en", "es")
    assert 'is ["english"]' in refused_variable("WIREDESK_NORMALISE_LANGUAGES", "english")


def test_the_least_interval_is_not_above_the_greatest(tmp_path: Path) -> None:
    line = refused(tmp_path, "[poll]\nmin_interval_s = 100\nmax_interval_s = 99.5\n")
    assert line == "poll.min_interval_s is 100; it must be at most poll.max_interval_s, which is 99.5"
    same = load(written(tmp_path, "[poll]\nmin_interval_s = 100\nmax_interval_s = 100\n"), {})
    assert same.poll.min_interval_s == same.poll.max_interval_s
    line = refused_variable("WIREDESK_POLL_MAX_INTERVAL_S", "30")
    assert line.startswith("WIREDESK_POLL_MAX_INTERVAL_S: poll.min_interval_s is 60; it must be at most")


def test_authorities_of_the_index_need_an_address_with_tls(tmp_path: Path) -> None:
    line = refused(tmp_path, '[elasticsearch]\nca_file = "/ca.pem"\n')
    assert line == "elasticsearch.ca_file needs an elasticsearch.url with https://"
    own = '[elasticsearch]\nca_file = "/ca.pem"\nurl = "https://index.example:9200"\n'
    assert load(written(tmp_path, own), {}).elasticsearch.ca_file == "/ca.pem"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[pol]\n", "unknown setting 'pol'; did you mean 'poll'?"),
        ("pol = 5\n", "unknown setting 'pol'; did you mean 'poll'?"),
        ("[poll]\nconcurency = 5\n", "unknown setting 'poll.concurency'; did you mean 'concurrency'?"),
        ("[deduplicate]\nshards = 2\n", "unknown setting 'deduplicate.shards'; known are window_hours"),
        ("poll = 3\n", "poll is a section; write [poll] above its names"),
        ("[[poll]]\n", "poll is a section; write [poll] above its names"),
        ("[sinks]\nevents = 'e'\n", "sinks.events is a section; write [sinks.events] above its names"),
        ("[poll\n", "not TOML"),
        ("[poll]\nrobots = yes\n", "not TOML"),
    ],
)
def test_what_cannot_be_followed_is_named(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "[kafka]\npassword = 12345\n",
        "[kafka]\npassword = [12345]\n",
        "[desk]\ntoken = 12345\n",
        "[elasticsearch]\napi_key = 12345\n",
        "[kafka]\noptions = 12345\n",
        "[kafka.options]\nsasl_oauth_token = [12345]\n",
        "kafka = 12345\n",
        '[elasticsearch]\nurl = "desk:12345@index.example:9200"\n',
        '[elasticsearch]\nurl = ["https://desk:12345@index.example:9200"]\n',
        '[elasticsearch]\nurl = "https://desk:1/2345@12345@index.example"\n',
    ],
)
def test_a_secret_is_never_shown(tmp_path: Path, text: str) -> None:
    line = refused(tmp_path, text)
    assert "2345" not in line
    assert "must be" in line or "is a section" in line


@pytest.mark.parametrize(
    "servers",
    [
        "kafka:9092",
        "kafka",
        "a:1,b:65535",
        "a:1, b",
        "127.0.0.1:9092",
        "[::1]:9092,[fe80::1]",
        "kafka_1.in:9",
    ],
)
def test_brokers_are_hosts_with_ports(servers: str) -> None:
    assert load(environment={"WIREDESK_KAFKA_SERVERS": servers}).kafka.servers == servers


@pytest.mark.parametrize(
    "servers",
    [
        "",
        ",",
        "a:1,",
        "kafka:port",
        "kafka:9092:1",
        "kafka:0",
        "kafka:65536",
        "http://kafka:9092",
        "a b",
        "::1",
    ],
)
def test_what_is_no_broker_is_refused(servers: str) -> None:
    assert refused_variable("WIREDESK_KAFKA_SERVERS", servers) == (
        f'WIREDESK_KAFKA_SERVERS: kafka.servers is "{servers}"; '
        "it must be host:port, or several with commas between"
    )


@pytest.mark.parametrize("port", ["", ":", ":0", ":65536", ":http"])
def test_an_address_of_the_index_without_a_port_is_refused(port: str) -> None:
    line = refused_variable("WIREDESK_ELASTICSEARCH_URL", f"http://index.example{port}")
    assert "it must be an address with scheme and port" in line


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9200",
        "https://index.example:9200/search",
        "http://[::1]:9200",
        "https://desk:s3cret@index.example:9243",
    ],
)
def test_an_address_of_the_index_has_scheme_and_port(url: str) -> None:
    assert load(environment={"WIREDESK_ELASTICSEARCH_URL": url}).elasticsearch.url == url


def test_a_variable_is_named_with_its_key(tmp_path: Path) -> None:
    line = refused_variable("WIREDESK_EMBEDDED_BATCH", "0")
    assert line == "WIREDESK_EMBEDDED_BATCH: embedded.batch is 0; it must be a whole number from 1 to 10,000"
    assert refused_variable("WIREDESK_DESK_PORT", "http").startswith(
        'WIREDESK_DESK_PORT: desk.port is "http"; it must be a whole number'
    )
    assert 'is "yes"; it must be true or false' in refused_variable("WIREDESK_POLL_ROBOTS", "yes")
    kept = tmp_path / "kept"
    kept.write_text("70000", "utf-8")
    assert refused_variable("WIREDESK_DESK_PORT_FILE", str(kept)).startswith(
        f"WIREDESK_DESK_PORT_FILE: {kept}: desk.port is 70_000"
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("WIREDESK_KAFKA_SERVER", "did you mean 'WIREDESK_KAFKA_SERVERS'?"),
        ("WIREDESK_POLL_MIN_INTERVAL", "did you mean 'WIREDESK_POLL_MIN_INTERVAL_S'?"),
        ("WIREDESK_KAFKA_PASWORD_FILE", "did you mean"),
        ("WIREDESK_DEDUPLICATE_SHARDS", "no setting has this variable"),
        ("WIREDESK_WEBHOOK_NEWSROOM_SECRTE", "no setting has this variable"),
        ("WIREDESK_", "docs/settings.md lists them"),
        ("WIREDESK_KAFKA", "no setting has this variable"),
    ],
)
def test_an_unknown_variable_is_refused_without_its_value(name: str, said: str) -> None:
    line = refused_variable(name, "s3cret")
    assert line.startswith(f"{name}: ")
    assert said in line
    assert "s3cret" not in line


def test_the_variable_of_a_process_that_starts_itself_again_is_no_setting() -> None:
    service = pytest.importorskip("streams.kafka.service")
    assert service.RESTARTS_VARIABLE in OTHER_VARIABLES


def test_variables_of_others_are_left_alone() -> None:
    others = {
        **dict.fromkeys(OTHER_VARIABLES, "x"),
        "WIREDESK_WEBHOOK_NEWS_ROOM_SECRET": "x",
        "WIREDESK_WEBHOOK_NEWS_ROOM_SECRET_FILE": "x",
        "WIREDESKTOP": "x",
        "PATH": "x",
    }
    assert load(environment=others) == Settings()


def test_the_command_line_beats_all_and_is_checked() -> None:
    settings = override_settings(
        Settings(), {"desk.port": 9000, "poll.feeds": None, "sinks.events.file": "e"}
    )
    assert (settings.desk.port, settings.poll.feeds, settings.sinks.events.file) == (9000, "feeds.toml", "e")
    with pytest.raises(Misconfigured, match=re.escape("command line: desk.port is 70_000; it must be")):
        override_settings(Settings(), {"desk.port": 70_000})


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


def test_a_secret_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"\xff\xfe\x00")
    assert refused_variable("WIREDESK_DESK_TOKEN_FILE", str(path)).endswith("not UTF-8 text")
