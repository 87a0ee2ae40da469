"""What a WebSub subscriber asks, believes and does next, as the recommendation's sections say."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.pollers import websub
from streams.pollers.websub import Subscription
from streams.retry import HUB

TOKEN = "an invented token"
WANTED = Subscription("harbour", "https://hub.example/", "https://news.example/feed.xml")
ASKED = replace(WANTED, status="asked", due=120.0)


def test_a_request_names_topic_callback_secret_and_lease() -> None:
    form = websub.request_form(WANTED, "https://wire.example/websub/harbour/1", TOKEN, 864_000.0)
    assert form["hub.mode"] == "subscribe"
    assert (form["hub.topic"], form["hub.lease_seconds"]) == (WANTED.topic, "864000")
    assert form["hub.secret"] == websub.signing_secret(TOKEN, WANTED)
    assert len(form["hub.secret"].encode()) < 200


def test_keys_and_secrets_are_the_same_after_a_restart_and_differ_between_feeds_and_tokens() -> None:
    other = replace(WANTED, feed="airport")
    made = {
        websub.callback_key(TOKEN, WANTED),
        websub.callback_key(TOKEN, other),
        websub.callback_key("another", WANTED),
    }
    assert len(made) == 3
    assert websub.callback_key(TOKEN, replace(ASKED, failures=3)) == websub.callback_key(TOKEN, WANTED)
    assert websub.signing_secret(TOKEN, WANTED) != websub.callback_key(TOKEN, WANTED)


@pytest.mark.parametrize(
    ("status", "after", "due"),
    [(202, "asked", 220.0), (204, "asked", 220.0), (503, "wanted", 190.0), (0, "wanted", 190.0)],
)
def test_a_hub_that_takes_the_request_is_waited_for_another_is_asked_again(
    status: int, after: str, due: float
) -> None:
    told = websub.after_request(WANTED, status, now=100.0, random=0.5)
    assert (told.status, told.due) == (after, due)


def test_a_hub_that_goes_on_failing_is_asked_less_and_less_but_once_a_day() -> None:
    each, waits = WANTED, []
    for _ in range(20):
        each = websub.after_request(each, 500, now=0.0, random=1.0)
        waits.append(each.due)
    assert waits[:3] == [120.0, 240.0, 480.0]
    assert waits[-1] == HUB.cap_s


def test_a_lease_is_renewed_before_it_ends() -> None:
    active = websub.after_verification(ASKED, 1000.0, now=50.0)
    assert (active.until, active.due, active.failures) == (1050.0, 850.0, 0)
    assert active.is_active(1049.0)
    assert not active.is_active(1050.0)
    renewing = websub.after_request(active, 202, now=850.0, random=0.5)
    assert renewing.is_active(900.0)  # the old lease runs on


QUERY = {"hub.mode": "subscribe", "hub.topic": WANTED.topic, "hub.challenge": "xyzzy"}


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({}, "xyzzy"),
        ({"hub.topic": "https://news.example/other.xml"}, None),
        ({"hub.mode": "unsubscribe"}, None),
        ({"hub.mode": "publish"}, None),
        ({"hub.challenge": ""}, None),
    ],
)
def test_only_what_we_asked_for_is_confirmed(changed: dict[str, str], answer: str | None) -> None:
    assert websub.answer_challenge(ASKED, QUERY | changed) == answer


def test_a_denied_subscription_rests_for_a_day_and_confirms_nothing() -> None:
    told = websub.after_denial(ASKED, now=10.0)
    assert (told.due, told.is_active(11.0)) == (10.0 + websub.DENIED_PAUSE_S, False)
    assert websub.answer_challenge(told, QUERY) is None


@pytest.mark.parametrize(("told", "lease"), [("3600", 3600.0), ("", 9.0), ("soon", 9.0), ("9" * 40, 9.0)])
def test_the_lease_is_the_hubs_to_grant(told: str, lease: float) -> None:
    assert websub.lease_of({"hub.lease_seconds": told}, 9.0) == lease


@given(st.binary(), st.sampled_from(websub.SIGNATURE_METHODS), st.integers(0))
def test_a_delivery_is_believed_only_with_the_right_signature(body: bytes, method: str, at: int) -> None:
    secret = websub.signing_secret(TOKEN, WANTED)
    made = hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()
    assert websub.is_signed(f"{method}={made}", body, secret)
    assert websub.is_signed(f"{method.upper()}={made.upper()}", body, secret)
    assert not websub.is_signed(f"{method}={made}", body + b"!", secret)
    wrong = (
        made[: at % len(made)] + ("0" if made[at % len(made)] != "0" else "1") + made[at % len(made) + 1 :]
    )
    assert not websub.is_signed(f"{method}={wrong}", body, secret)


@given(st.text())
def test_any_other_header_is_no_signature(header: str) -> None:
    assert not websub.is_signed(header, b"body", websub.signing_secret(TOKEN, WANTED))
