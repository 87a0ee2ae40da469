"""Targets are read strictly, secrets come from the environment, signatures are those of Standard Webhooks."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from config import Misconfigured
from streams.webhooks.targets import Target, parse_secret, read_targets, signature

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
GIVEN = {"WIREDESK_WEBHOOK_NEWS_ROOM_SECRET": SECRET}


def written(folder: Path, text: str) -> Path:
    path = folder / "webhooks.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_target_has_its_secret_from_the_environment(tmp_path: Path) -> None:
    path = written(tmp_path, '[webhooks.news-room]\nurl="https://desk.example/in?key=k1"\nroute="urgent"\n')
    (target,) = read_targets(path, {"urgent"}, GIVEN)
    assert (target.name, target.route, target.secrets) == ("news-room", "urgent", (bytes(range(32)),))
    assert "k1" not in repr(target)
    assert "\\x" not in repr(target)


def test_a_secret_may_come_from_a_file_and_two_sign_during_a_change(tmp_path: Path) -> None:
    path = written(tmp_path, '[webhooks.news-room]\nurl="https://desk.example/in"\nroute="urgent"\n')
    kept = tmp_path / "secret"
    kept.write_text(f"{SECRET} {base64.b64encode(b'o' * 24).decode()}\n", "utf-8")
    (target,) = read_targets(path, {"urgent"}, {"WIREDESK_WEBHOOK_NEWS_ROOM_SECRET_FILE": str(kept)})
    assert target.secrets == (bytes(range(32)), b"o" * 24)
    assert signature(target.secrets, "id", 1, b"{}").count("v1,") == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[webhooks.A]\nurl="https://a.example"\nroute="urgent"', "small letters"),
        ('[webhooks.news-room]\nurl="https://a.example"', "url and route"),
        ('[webhooks.news-room]\nurl="https://a.example"\nroute="urgent"\nsecret="x"', "nothing else"),
        (
            '[webhooks.news-room]\nurl="https://a.example"\nroute="urgent"\nformat="ninjs-4"',
            "use one of event, ninjs-3.1",
        ),
        ('[webhooks.news-room]\nurl="ftp://a.example"\nroute="urgent"', "https://"),
        ('[webhooks.news-room]\nurl="https://u:p@a.example"\nroute="urgent"', "without user"),
        ('[webhooks.news-room]\nurl="https://a.example:99999"\nroute="urgent"', "https://"),
        ('[webhooks.news-room]\nurl="https://a.example"\nroute="urgnt"', "no rule is called 'urgnt'"),
        ('[webhooks.other]\nurl="https://a.example"\nroute="urgent"', "WIREDESK_WEBHOOK_OTHER_SECRET"),
        ("[hooks.a]", "hooks"),
        ("webhooks = 5", "webhooks"),
        ("[webhooks", "not TOML"),
    ],
)
def test_a_wrong_target_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        read_targets(written(tmp_path, text), {"urgent"}, GIVEN)
    assert told in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("told", "reason"), [("whsec_ü", "base64"), ("whsec_YWJj", "3 bytes")])
def test_a_weak_or_broken_secret_is_refused(told: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_secret(told)


@pytest.mark.parametrize(("length", "is_accepted"), [(23, False), (24, True)])
def test_a_secret_has_24_bytes_at_least(length: int, is_accepted: bool) -> None:
    text = base64.b64encode(bytes(length)).decode()
    if is_accepted:
        assert parse_secret(text) == bytes(length)
    else:
        with pytest.raises(ValueError, match="it has 23 bytes, and 24 are the least"):
            parse_secret(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"nothing\.toml"):
        read_targets(tmp_path / "nothing.toml", set(), {})


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """What `standardwebhooks` 1.1.0, the reference library, makes of the example of its own tests."""
    key = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signature((key,), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_target_can_be_a_key() -> None:
    assert len({Target("a", "u", "r", ()), Target("a", "u", "r", ())}) == 1


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [("http://desk.example/in", False), ("http://10.0.0.7/in", False), ("http://127.0.0.1:9/in", True), ("https://desk.example/in", True)],
)  # fmt: skip
def test_nothing_is_posted_in_clear_beyond_this_machine_unless_that_is_said(
    tmp_path: Path, url: str, is_taken: bool
) -> None:
    path = written(tmp_path, f'[webhooks.news-room]\nurl="{url}"\nroute="urgent"\n')
    assert len(read_targets(path, {"urgent"}, GIVEN, allow_http=True)) == 1
    if is_taken:
        assert len(read_targets(path, {"urgent"}, GIVEN)) == 1
    else:
        with pytest.raises(Misconfigured, match=r"webhooks\.allow_http"):
            read_targets(path, {"urgent"}, GIVEN)
