"""One story and one target: signed, tried again, set aside after the last try; no way into private networks."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from dataclasses import replace
from urllib.parse import unquote

import pytest
from msgspec import structs
from prometheus_client import REGISTRY

from config import Misconfigured
from config.settings import Webhooks
from processors.errors import Rejected, TooLarge, Undeliverable
from processors.model.codec import encode
from streams.messages import Record
from streams.webhooks.delivery import TargetClient
from streams.webhooks.targets import Target
from tests.sinks.events import event
from tests.streams.conftest import SECRET, Answers, record

OPEN = Webhooks(allowed_addresses=("127.0.0.1",), attempts=3, circuit_failures=99, timeout_s=5.0)


class Waits:
    """A sleep that takes no time, and a clock that it moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def clock(self) -> float:
        return self.seconds


async def delivered(
    endpoint: Answers, told: Webhooks, each: Record | None = None, waits: Waits | None = None
) -> Rejected | None:
    waits = waits or Waits()
    async with TargetClient(
        endpoint.target(), told, clock=waits.clock, now=lambda: 1700000000.5, sleep=waits
    ) as client:
        return await client.deliver(each or record(1))


async def test_a_delivery_is_signed_and_carries_the_attributes_of_its_event(endpoint: Answers) -> None:
    assert await delivered(endpoint, OPEN) is None
    ((headers, body),) = endpoint.got
    identity = record(1).header("ce_id") or b""
    content = identity + b".1700000000." + body
    expected = b64encode(hmac.new(SECRET, content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-id"].encode() == identity == headers["ce-id"].encode()
    assert headers["webhook-timestamp"] == "1700000000"
    assert headers["ce-type"] == "org.wiredesk.out.ships.v1"
    assert headers["Content-Type"] == "application/json"
    assert body == b'{"number": 1}'


@pytest.mark.parametrize(
    ("form", "media_type", "word"),
    [
        ("ninjs-1.6", "application/json", b'"body_html":"<p>Ships came'),
        ("ninjs-2.2", "application/json", b'"bodies":[{"value":"Ships came'),
        ("newsml-g2", "application/vnd.iptc.g2.newsmessage+xml", b'guid="urn:a"'),
        ("rss", "application/rss+xml", b">urn:a</guid>"),
    ],
)
async def test_a_target_gets_the_form_that_it_asks_for_and_a_signature_of_that(
    endpoint: Answers, form: str, media_type: str, word: bytes
) -> None:
    sent = record(1, value=encode(event("urn:a")))
    async with TargetClient(replace(endpoint.target(), format=form), OPEN, now=lambda: 1700000000) as client:
        assert await client.deliver(sent) is None
        assert "not JSON" in str(await client.deliver(record(2, value=b"no event")))
    ((headers, body),) = endpoint.got
    content = (sent.header("ce_id") or b"") + b".1700000000." + body
    assert (
        headers["webhook-signature"]
        == f"v1,{b64encode(hmac.new(SECRET, content, hashlib.sha256).digest()).decode()}"
    )
    assert headers["Content-Type"] == media_type
    assert word in body


async def test_a_target_that_fails_is_tried_again_with_growing_delays(endpoint: Answers) -> None:
    endpoint.script.extend([500, 503, 200])
    waits = Waits()
    assert await delivered(endpoint, structs.replace(OPEN, first_delay_s=4.0), waits=waits) is None
    assert len({headers["webhook-id"] for headers, _ in endpoint.got}) == 1, "a target can drop repeats"
    assert len(endpoint.got) == 3
    assert 0 <= waits.slept[0] <= 4
    assert 0 <= waits.slept[1] <= 8


async def test_after_the_last_try_a_story_is_set_aside_with_what_the_target_said(endpoint: Answers) -> None:
    endpoint.always = 500
    refused = await delivered(endpoint, OPEN)
    assert isinstance(refused, Undeliverable)
    assert str(refused) == "webhook newsroom: 3 tries; the last: HTTP 500: as told"
    assert len(endpoint.got) == 3


async def test_a_target_that_is_gone_is_not_asked_again(endpoint: Answers) -> None:
    endpoint.always = 410
    assert isinstance(await delivered(endpoint, OPEN), Undeliverable)
    assert len(endpoint.got) == 1


async def test_a_target_that_hangs_costs_no_more_than_its_time(endpoint: Answers) -> None:
    endpoint.script.append("hang")
    assert await delivered(endpoint, structs.replace(OPEN, timeout_s=0.2)) is None
    assert len(endpoint.got) == 2


async def test_a_target_may_say_how_long_to_wait(endpoint: Answers) -> None:
    waits = Waits()
    endpoint.script.append(429)
    assert await delivered(endpoint, structs.replace(OPEN, max_delay_s=0.0), waits=waits) is None
    assert waits.slept == [0.0]


@pytest.mark.parametrize("redirects", [0, 3])
async def test_a_redirect_into_a_private_network_is_refused(endpoint: Answers, redirects: int) -> None:
    endpoint.always = "http://10.1.2.3:9/in"
    refused = await delivered(endpoint, structs.replace(OPEN, max_redirects=redirects))
    assert isinstance(refused, Undeliverable)
    told = str(refused)
    assert ("which is not followed" if redirects == 0 else "webhooks.allowed_addresses") in told
    assert len(endpoint.got) == 3


async def test_a_redirect_is_followed_only_where_the_settings_say_so(endpoint: Answers) -> None:
    endpoint.script.append("/moved")
    assert await delivered(endpoint, structs.replace(OPEN, max_redirects=1)) is None
    assert endpoint.bodies == [b'{"number": 1}'] * 2


async def test_redirects_in_a_circle_end(endpoint: Answers) -> None:
    endpoint.always = "/in"
    refused = await delivered(endpoint, structs.replace(OPEN, max_redirects=2, attempts=1))
    assert isinstance(refused, Undeliverable)
    assert len(endpoint.got) == 3


async def test_a_private_address_is_closed_unless_the_settings_open_it(endpoint: Answers) -> None:
    refused = await delivered(endpoint, structs.replace(OPEN, allowed_addresses=()))
    assert "webhooks.allowed_addresses" in str(refused)
    assert endpoint.got == []
    with pytest.raises(Misconfigured, match=r"webhooks\.allowed_addresses"):
        TargetClient(endpoint.target(), structs.replace(OPEN, allowed_addresses=("here",)))


async def test_nobody_listens(endpoint: Answers) -> None:
    closed = replace(endpoint.target(), url="http://127.0.0.1:9/in")
    async with TargetClient(closed, OPEN, sleep=Waits()) as client:
        assert "Cannot connect" in str(await client.deliver(record(1)))


async def test_a_story_over_the_size_cap_is_set_aside_untried(endpoint: Answers) -> None:
    refused = await delivered(endpoint, structs.replace(OPEN, max_bytes=5))
    assert isinstance(refused, TooLarge)
    assert endpoint.got == []


async def test_a_forged_header_does_not_stop_a_delivery(endpoint: Answers) -> None:
    made = record(1)
    forged = replace(made, headers=(*made.headers, ("ce_subject", b"a\r\nx-evil: 1"), ("ce_note", b"\xff")))
    assert await delivered(endpoint, OPEN, forged) is None
    assert "x-evil" not in endpoint.got[0][0]


async def test_attributes_of_any_letters_arrive_as_cloudevents_writes_them_in_http(endpoint: Answers) -> None:
    made = record(1)
    uri = 'https://nda.example/été "1" 100%/😀'
    told = replace(made, headers=(*made.headers, ("ce_subject", uri.encode()), ("ce_relation", b"update")))
    assert await delivered(endpoint, OPEN, told) is None
    headers = endpoint.got[0][0]
    assert headers["ce-subject"] == "https://nda.example/%C3%A9t%C3%A9%20%221%22%20100%25/%F0%9F%98%80"
    assert unquote(headers["ce-subject"]) == uri
    assert headers["ce-relation"] == "update"


async def test_a_circuit_leaves_a_failing_target_alone(endpoint: Answers) -> None:
    endpoint.always = 500
    waits = Waits()
    told = structs.replace(OPEN, attempts=4, circuit_failures=2, circuit_s=100.0, max_delay_s=0.0)
    assert isinstance(await delivered(endpoint, told, waits=waits), Undeliverable)
    assert len(endpoint.got) == 4
    assert waits.seconds == pytest.approx(200), "two tries at once, then one each 100 s"
    assert REGISTRY.get_sample_value("wire_circuit_open", {"target": "webhook newsroom"}) == 1
    endpoint.always = 200
    assert await delivered(endpoint, told, waits=waits) is None
    assert REGISTRY.get_sample_value("wire_circuit_open", {"target": "webhook newsroom"}) == 0


async def test_a_redirect_from_tls_leads_to_nowhere_in_clear() -> None:
    target = Target("newsroom", "https://desk.example/in", "urgent", (SECRET,))
    client = TargetClient(target, structs.replace(OPEN, max_redirects=3))
    assert not client._may_follow(target.url, "http://desk.example/in")
    assert client._may_follow(target.url, "https://other.example/in")
    assert not client._may_follow(target.url, "ftp://desk.example/in")
    assert not client._may_follow(target.url, "http://[::1")


async def test_what_a_target_says_is_told_without_secrets(endpoint: Answers) -> None:
    endpoint.always = "/moved?token=SEKRETx9"
    assert "SEKRETx9" not in str(await delivered(endpoint, OPEN))
