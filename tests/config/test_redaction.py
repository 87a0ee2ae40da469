"""No message shows a secret: whatever its name, and wherever it stands."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import time

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from config.redaction import HARMLESS_PARAMETERS, holds_secret, redact_secrets, redact_values
from config.settings import LogSettings
from streams.startup import LibraryFormatter, configure_logs, print_redacted

SECRET = "SEKRETx9"
NAMES = (
    *(
        "token",
        "api_key",
        "pw",
        "pass",
        "pwd",
        "code",
        "jwt",
        "credential",
        "hash",
        "k",
        "id",
        "q",
        "u",
        "sid",
        "sas",
    ),
    *("X-Amz-Signature", "access-token", "ключ", "a.b", "a[]", "", "%74oken"),
)
MESSAGES = (
    "ClientResponseError: 400, message='no', url='http://h.example/a?{name}={secret}'",
    "http://h.example/?page=2&{name}={secret}&x",
    "https://h.example/a;b?rss&amp;{name}={secret}#top",
    "GET /a?{name}={secret} HTTP/1.1",
    "http://h.example/a?x;{name}={secret}",
    "http://h.example/#{name}={secret}",
    "b'GET http://h.example/?{name}={secret}'",
    "(HTTP://H.EXAMPLE/?a=1&{name}={secret})",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("message", MESSAGES)
def test_no_value_of_a_query_is_shown(message: str, name: str) -> None:
    assert SECRET not in redact_secrets(message.format(name=name, secret=SECRET))


@pytest.mark.parametrize(
    "message",
    [
        "http://user:SEKRETx9@h.example/", "InvalidURL: http://pu:SEKRETx9@127.0.0.1:port", "http://pu:SEK/RETx9@h:80/",
        "http://SEKRETx9@h.example/", "http://u:p@SEKRETx9@h.example/", "socks5://u:SEKRETx9@[::1]:1080",
        "proxy pu:SEKRETx9@10.0.0.1:3128 refused", "http://h.example/?SEKRETx9", "http://h.example/?rss&SEKRETx9",
        "Authorization: Bearer SEKRETx9", "{'Authorization': 'Basic SEKRETx9'}", "bearer SEKRETx9", "Cookie: wiredesk=SEKRETx9; a=SEKRETx9",
        "Proxy-Authorization: Basic SEKRETx9", "X-Api-Key: SEKRETx9", "sasl_plain_password=SEKRETx9 refused", "whsec_SEKRETx9",
        "http://h/?format=rss;token=SEKRETx9", "http://h/?token=a'SEKRETx9", "postgres://u:SEKRETx9@db/x",
    ],
)  # fmt: skip
def test_no_credential_is_shown(message: str) -> None:
    shown = redact_secrets(message)
    assert "SEK" not in shown
    assert "RETx9" not in shown


@pytest.mark.parametrize(
    "message",
    [
        "", "a feed is gone", "partition=3 offset=17 topic=wire.items.raw.v1", "https://h.example/@desk/rss", "a + b = c & d",
        "http://127.0.0.1:8080/@desk?page=2&format=rss", "https://h.example/feed?lang=en-GB#top", "http://[::1]:8080/a",
        "desk@paper.example wrote at 12:30", "what? a=1", "12:30 a@b", "REDACTED",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(message: str) -> None:
    assert redact_secrets(message) == message


@given(st.text(max_size=200))
def test_any_text_can_be_redacted_and_nothing_changes_the_second_time(text: str) -> None:
    once = redact_secrets(text)
    assert redact_secrets(once) == once


@pytest.mark.parametrize(
    "pump",
    [
        "?",
        "&a",
        "a=",
        "http://",
        "a:",
        "@",
        "a:@",
        "Bearer ",
        "cookie:",
        "://a@",
        "#",
        "a-",
        "?a'",
        ";&amp;",
        "key",
    ],
)
def test_a_long_message_costs_what_its_length_is(pump: str) -> None:
    def seconds(count: int) -> float:
        text = "=" + pump * count
        began = time.process_time()
        redact_secrets(text)
        return time.process_time() - began

    assert min(seconds(16_000) for _ in range(2)) < 12 * max(0.002, min(seconds(4_000) for _ in range(2)))


def test_harmless_names_are_a_short_list() -> None:
    assert len(HARMLESS_PARAMETERS) < 30
    assert redact_secrets("http://h/?format=rss&page=2") == "http://h/?format=rss&page=2"
    assert "=REDACTED" in redact_secrets("http://h/?format=" + "a" * 33)


def test_values_of_every_kind_are_redacted() -> None:
    url = f"http://h.example/?k={SECRET}"
    line = {"a": [url, (url,)], url: {"b": url}, "c": ValueError(url), "n": 3, "t": True, "x": None}
    assert SECRET not in str(redact_values(line))
    assert redact_values({"n": 3, "t": True, "x": None}) == {"n": 3, "t": True, "x": None}


@pytest.mark.parametrize("style", ["text", "json"])
def test_no_log_line_shows_one_not_even_a_traceback(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        configure_logs(LogSettings(format=style))  # type: ignore[arg-type]
        log = structlog.get_logger("wiredesk.test")
        try:
            raise ValueError(f"http://u:{SECRET}@h.example/?k={SECRET}")  # noqa: TRY301 -- a traceback is wanted
        except ValueError as error:
            log.exception("it failed", url=f"http://h.example/?k={SECRET}", error=error, more=[error])
        written = capsys.readouterr().err
        assert "it failed" in written
        assert "Traceback" in written
        assert SECRET not in written
    finally:
        structlog.configure(**before)


def test_no_line_of_a_library_and_no_last_traceback_shows_one(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LibraryFormatter(structlog.processors.JSONRenderer()))
    error = ValueError(f"http://u:{SECRET}@h.example/")
    record = logging.LogRecord("asyncio", logging.ERROR, "", 0, "lost %s", (f"http://h/?k={SECRET}",), None)
    record.exc_info = (ValueError, error, None)
    handler.emit(record)
    monkeypatch.setattr(sys, "stderr", stream)
    print_redacted(ValueError, error, None)
    assert stream.getvalue().count("ValueError") == 2
    assert SECRET not in stream.getvalue()
    line = json.loads(stream.getvalue().splitlines()[0])
    assert (line["level"], line["logger"]) == ("error", "asyncio")
    assert line["event"].startswith("lost http://h/")
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("style", ["text", "json"])
def test_lines_of_libraries_have_the_form_of_our_own(style: str) -> None:
    code = f"""
import logging
import structlog
from config.settings import LogSettings
from streams.startup import configure_logs
configure_logs(LogSettings(format={style!r}))
structlog.get_logger("wiredesk").warning("ours", number=1)
logging.getLogger("aiokafka").warning("Unable connect to node %s", 7)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours, theirs = done.stderr.splitlines()
    if style == "json":
        assert json.loads(theirs)["event"] == "Unable connect to node 7"
        assert json.loads(ours).keys() - {"number"} == json.loads(theirs).keys() - {"logger"}
    else:
        assert "[warning  ] Unable connect to node 7" in theirs
        assert theirs[:4].isdigit(), "a time is first"
        assert ours[:10] == theirs[:10]


@pytest.mark.parametrize(
    ("url", "holds"),
    [
        ("https://wire.example/rss?channel_id=UC123", False),
        ("https://wire.example/@ada/rss?mail=a@b", False),
        ("https://wire.example/rss", False),
        ("", False),
        ("https://wire.example/rss?a=1&access_token=x", True),
        ("https://wire.example/rss#api_key=x", True),
        ("https://ada:x@wire.example/rss", True),
        ("https://ada@wire.example/rss", True),
        ("https://wire.example?pwd=x", True),
    ],
)
def test_an_address_with_a_secret_is_known(url: str, holds: bool) -> None:
    assert holds_secret(url) is holds
