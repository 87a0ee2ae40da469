"""Messages of alerts on their way: to a real SMTP server and a real web server, in order, once, and over failures."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64decode, b64encode
from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from config import Misconfigured
from config.settings import Alerts, Settings, Webhooks
from processors.times import to_milliseconds
from sinks.alerts.messages import plan_messages
from sinks.alerts.saved import AlertRule, AlertTarget, SavedSearch
from streams.alerts.senders import has_mail, load_services, target_limits
from tests.sinks.alerts.test_decisions import CORRECTION, FERRY, KILL
from tests.sinks.events import at, event
from tests.streams.alerts.conftest import (
    QUICK,
    Desk,
    HookServer,
    PostOffice,
    hook_search,
    hook_settings,
    mail_settings,
)


async def test_a_webhook_gets_a_signed_message_that_says_why(hooks: tuple[HookServer, int]) -> None:
    server, port = hooks
    desk = Desk(hook_settings(port), search := hook_search(port))
    desk.get(FERRY)
    async with desk.sending():
        await desk.until(lambda: desk.all("sent"))
    [(headers, body)] = server.posted
    assert body["search"] == {"id": "s", "name": "Ferries", "query": "ferry"}
    [story] = body["stories"]
    assert (story["uri"], story["headline"], story["withdrawn"]) == (
        "urn:ferry",
        "Ferry to Veldhaven stops",
        None,
    )
    assert story["why"] == [
        {
            "part": "ferry",
            "start": 0,
            "length": 5,
            "inside": "headline",
            "excerpt": "Ferry to Veldhaven stops",
        }
    ]
    assert story["link"] == "https://desk.example/stories/urn%3Aferry"
    key = b64decode(search.signing_key.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + server.bodies[0]
    expected = b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


async def test_a_target_that_fails_is_tried_again_with_the_same_id_and_in_order(
    hooks: tuple[HookServer, int],
) -> None:
    server, port = hooks
    server.answers = [500, 503, 429]
    desk = Desk(hook_settings(port), hook_search(port))
    desk.get(FERRY, event("urn:two", headline="Ferry two"))
    async with desk.sending():
        await desk.until(lambda: desk.all("sent"))
    uris = [body["stories"][0]["uri"] for _, body in server.posted]
    assert uris == ["urn:ferry"] * 4 + ["urn:two"]
    assert len({headers["webhook-id"] for headers, _ in server.posted}) == 2
    assert [message.attempts for message in desk.messages()] == [4, 1]


async def test_a_target_that_is_gone_and_one_that_fails_for_too_long_are_given_up(
    hooks: tuple[HookServer, int],
) -> None:
    server, port = hooks
    server.answers = [410] + [500] * 1000
    desk = Desk(hook_settings(port, give_up_hours=1), hook_search(port))
    desk.get(FERRY)
    async with desk.sending():
        await desk.until(lambda: desk.all("failed"))
        assert "410" in desk.messages()[0].error
        desk.get(event("urn:two", headline="Ferry two"))
        await desk.until(lambda: len(server.posted) > 2)
        desk.now += 3_600_001
        await desk.until(lambda: desk.all("failed"))
    assert "500: not now" in desk.messages()[1].error


async def test_an_address_that_is_not_allowed_gets_nothing(hooks: tuple[HookServer, int]) -> None:
    server, port = hooks
    settings = Settings(webhooks=Webhooks(**QUICK))  # type: ignore[arg-type]
    desk = Desk(settings, hook_search(port))
    desk.get(FERRY)
    async with desk.sending():
        await desk.until(lambda: bool(desk.messages()) and desk.messages()[0].attempts > 1)
    assert "address is not allowed" in desk.messages()[0].error
    assert server.posted == []


async def test_a_kill_comes_behind_its_story_and_is_marked(hooks: tuple[HookServer, int]) -> None:
    server, port = hooks
    desk = Desk(hook_settings(port), hook_search(port))
    desk.get(FERRY)
    async with desk.sending():
        await desk.until(lambda: desk.all("sent"))
        desk.get(CORRECTION)
        await desk.until(lambda: len(server.posted) == 2 and desk.all("sent"))
        desk.get(replace(KILL, lineage=replace(KILL.lineage, sequence=3)))  # type: ignore[type-var]
        await desk.until(lambda: len(server.posted) == 3 and desk.all("sent"))
    assert server.kinds == ["story", "correction", "kill"]
    assert [body["title"] for _, body in server.posted] == [
        "Ferry to Veldhaven stops [Ferries]", "CORRECTION: Boat stops [Ferries]", "KILL: KILL [Ferries]",
    ]  # fmt: skip
    assert server.posted[2][1]["stories"][0]["follows"]


async def test_a_story_that_was_killed_while_it_waited_is_not_sent(hooks: tuple[HookServer, int]) -> None:
    server, port = hooks
    desk = Desk(hook_settings(port), hook_search(port))
    desk.get(FERRY)
    [due] = await desk.store.due_alerts(desk.now)
    await desk.store.write_messages(due, plan_messages(due.alerts, 0, desk.now))
    desk.get(KILL)
    async with desk.sending():
        await desk.until(lambda: {m.state for m in desk.messages()} == {"dropped", "sent"})
    assert server.kinds == ["kill"]
    assert "Veldhaven" not in server.bodies[0].decode()


async def test_a_message_whose_search_is_deleted_is_dropped(hooks: tuple[HookServer, int]) -> None:
    server, port = hooks
    server.answers = [500] * 1000
    desk = Desk(hook_settings(port), hook_search(port))
    desk.get(FERRY)
    async with desk.sending():
        await desk.until(lambda: bool(server.posted))
        assert await desk.store.delete_search("s")
        await desk.until(lambda: desk.all("dropped"))
        count = len(server.posted)
        desk.get(event("urn:two", headline="Ferry two"))
    assert len(server.posted) - count <= 1, "the one that was on its way"
    assert not await desk.store.delete_search("s")


async def test_what_was_being_sent_at_a_kill_is_sent_again_and_what_was_sent_is_not(
    hooks: tuple[HookServer, int],
) -> None:
    server, port = hooks
    desk = Desk(hook_settings(port), hook_search(port))
    desk.get(FERRY, event("urn:two", headline="Ferry two"))
    async with desk.sending():
        await desk.until(lambda: desk.all("sent"))
    first = desk.messages()[0]
    desk.connection.execute("UPDATE alert_messages SET state = 'waiting' WHERE number = 1")
    desk.courier = desk.new_courier()
    desk.get(FERRY)
    async with desk.sending():
        await desk.until(lambda: len(server.posted) == 3)
    ids = [headers["webhook-id"] for headers, _ in server.posted]
    assert ids.count(first.id) == 2
    assert len(set(ids)) == 2


async def test_a_digest_names_some_and_counts_the_rest(hooks: tuple[HookServer, int]) -> None:
    server, port = hooks
    desk = Desk(hook_settings(port, max_listed=3), hook_search(port, "", rhythm="hour"))
    desk.get(*(event(f"urn:{n}", headline=f"Story {n}") for n in range(10)))
    async with desk.sending():
        await asyncio.sleep(0)
        assert desk.messages() == []
        desk.now += 3_600_000
        await desk.until(lambda: desk.all("sent"))
        [(_, body)] = server.posted
        assert (body["kind"], len(body["stories"]), body["more"]) == ("digest", 3, 7)
        assert body["title"] == "10 stories [Ferries]"
        desk.get(event("urn:next", headline="Next"))
        desk.now += 3_600_000
        await desk.until(lambda: len(server.posted) == 2)
    assert (len(server.posted[1][1]["stories"]), server.posted[1][1]["more"]) == (1, 0)


async def test_a_search_that_finds_everything_sends_so_many_and_one_summary(
    hooks: tuple[HookServer, int],
) -> None:
    server, port = hooks
    desk = Desk(hook_settings(port, max_per_hour=2, max_listed=3), hook_search(port, ""))
    desk.get(*(event(f"urn:{n}", headline=f"Story {n}") for n in range(217)))
    async with desk.sending():
        await desk.until(lambda: desk.all("sent"))
        desk.now += 3_600_000
        await desk.until(lambda: len(server.posted) == 3)
    assert server.kinds == ["story", "story", "digest"]
    assert (len(server.posted[2][1]["stories"]), server.posted[2][1]["more"]) == (3, 212)


async def test_an_embargoed_story_is_sent_at_its_time(hooks: tuple[HookServer, int]) -> None:
    server, port = hooks
    desk = Desk(hook_settings(port), hook_search(port))
    desk.get(event("urn:ferry", headline="Ferry", embargo=at(60)))
    assert await desk.store.due_alerts(desk.now) == []
    desk.now = to_milliseconds(at(60))
    async with desk.sending():
        await desk.until(lambda: desk.all("sent"))
    assert server.kinds == ["story"]


async def test_a_clock_that_was_set_back_holds_nothing_up(hooks: tuple[HookServer, int]) -> None:
    server, port = hooks
    server.answers = [500]
    desk = Desk(hook_settings(port), hook_search(port, rhythm="day"))
    year = 365 * 24 * 3_600_000
    desk.now += year
    desk.get(FERRY)
    desk.now -= year
    async with desk.sending():
        await desk.until(lambda: desk.all("sent"))
    assert server.kinds == ["digest"] * 2


async def test_mail_says_what_and_why_and_a_kill_answers_it(office: tuple[PostOffice, int]) -> None:
    handler, port = office
    search = SavedSearch(
        "s", "Fähren <b>", "ferry", alert=AlertRule((AlertTarget("mail", "ines@desk.example"),))
    )
    desk = Desk(
        mail_settings(port, smtp_username="wire", smtp_password="letter box", address="https://d.example"),
        search,
    )
    desk.get(FERRY)
    async with desk.sending():
        await desk.until(lambda: desk.all("sent"))
        desk.get(KILL)
        await desk.until(lambda: len(handler.mails) == 2 and desk.all("sent"))
    (recipients, mail), (_, kill) = handler.mails
    assert recipients == ["ines@desk.example"]
    text = mail.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "Why: ferry in the headline" in text
    assert "https://d.example/stories/urn%3Aferry" in text
    assert "Found by your search “Fähren <b>”" in text
    assert mail["Auto-Submitted"] == "auto-generated"
    assert kill["In-Reply-To"] == mail["Message-ID"]
    assert "KILL" in str(kill["Subject"])
    assert "take it down" in kill.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert set(handler.logins) == {b"letter box"}


async def test_headers_of_mail_hold_what_a_headline_says_and_no_more(office: tuple[PostOffice, int]) -> None:
    handler, port = office
    search = SavedSearch(
        "s", "Ferries", "ferry", alert=AlertRule((AlertTarget("mail", "ines@desk.example"),))
    )
    desk = Desk(mail_settings(port), search)
    desk.get(event("urn:a", headline="Ferry\r\nBcc: everybody@example.org\r\n\r\nstops"))
    async with desk.sending():
        await desk.until(lambda: desk.all("sent"))
    [(recipients, mail)] = handler.mails
    assert recipients == ["ines@desk.example"]
    assert mail["Bcc"] is None


async def test_mail_that_waits_is_tried_again_and_a_refused_address_is_not(
    office: tuple[PostOffice, int],
) -> None:
    handler, port = office
    handler.answers = ["451 later", "550 nobody here"]
    search = SavedSearch(
        "s", "Ferries", "ferry", alert=AlertRule((AlertTarget("mail", "ines@desk.example"),))
    )
    desk = Desk(mail_settings(port), search)
    desk.get(FERRY)
    async with desk.sending():
        await desk.until(lambda: desk.all("failed"))
    [message] = desk.messages()
    assert (message.attempts, handler.mails) == (2, [])
    assert "550 nobody here" in message.error


async def test_a_wrong_password_is_told_without_it(office: tuple[PostOffice, int]) -> None:
    _, port = office
    search = SavedSearch(
        "s", "Ferries", "ferry", alert=AlertRule((AlertTarget("mail", "ines@desk.example"),))
    )
    desk = Desk(mail_settings(port, smtp_username="wire", smtp_password="geheim"), search)
    desk.get(FERRY)
    async with desk.sending():
        await desk.until(lambda: bool(desk.messages()) and bool(desk.messages()[0].error))
    assert "alerts.smtp_username" in desk.messages()[0].error
    assert "geheim" not in str(desk.messages())


async def test_a_server_without_tls_gets_no_mail_unless_the_operator_says_so(
    office: tuple[PostOffice, int],
) -> None:
    handler, port = office
    search = SavedSearch(
        "s", "Ferries", "ferry", alert=AlertRule((AlertTarget("mail", "ines@desk.example"),))
    )
    desk = Desk(mail_settings(port, smtp_security="starttls"), search)
    desk.get(FERRY)
    async with desk.sending():
        await desk.until(lambda: bool(desk.messages()) and bool(desk.messages()[0].error))
    assert handler.mails == []


async def test_pages_read_what_is_for_them_from_the_store() -> None:
    search = SavedSearch("s", "Ferries", "ferry", alert=AlertRule((AlertTarget("page"),)))
    desk = Desk(Settings(), search)
    _, begin = await desk.store.page_messages(None, 10)
    desk.get(FERRY)
    async with desk.sending():
        await desk.until(lambda: desk.all("sent"))
    [message], following = await desk.store.page_messages(begin, 10)
    assert message.search_name == "Ferries"
    assert await desk.store.page_messages(following, 10) == ([], following)


def test_mail_needs_a_server_and_a_sender() -> None:
    assert not has_mail(Alerts())
    for wrong in (Alerts(smtp_host="mail.example"), Alerts(mail_from="a@b.example")):
        with pytest.raises(Misconfigured, match="needs both"):
            has_mail(wrong)
    with pytest.raises(Misconfigured, match="no mail address"):
        has_mail(Alerts(smtp_host="mail.example", mail_from="wire"))


def test_services_have_their_addresses_in_the_environment(tmp_path: Any) -> None:
    path = tmp_path / "services.toml"
    path.write_text('[services.newsroom]\ntitle = "The newsroom"\n')
    settings = Alerts(services=str(path))
    with pytest.raises(Misconfigured, match="WIREDESK_SERVICE_NEWSROOM_URL"):
        load_services(settings, {})
    with pytest.raises(Misconfigured, match="no address of a service") as raised:
        load_services(settings, {"WIREDESK_SERVICE_NEWSROOM_URL": "nonsense://geheim"})
    assert "geheim" not in str(raised.value)
    assert list(load_services(settings, {"WIREDESK_SERVICE_NEWSROOM_URL": "json://127.0.0.1:9/x"})) == [
        "newsroom"
    ]


async def test_a_service_gets_the_message_by_apprise(
    hooks: tuple[HookServer, int], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, port = hooks
    path = tmp_path / "services.toml"
    path.write_text("[services.newsroom]\n")
    monkeypatch.setenv("WIREDESK_SERVICE_NEWSROOM_URL", f"json://127.0.0.1:{port}/hook")
    settings = Settings(alerts=Alerts(services=str(path)))
    assert target_limits(settings).services == {"newsroom"}
    target = AlertTarget("service", "newsroom")
    desk = Desk(settings, SavedSearch("s", "Ferries", "ferry", alert=AlertRule((target,))))
    server.posted.clear()
    desk.get(FERRY)

    async with desk.sending():
        await desk.until(lambda: bool(server.bodies))
    told = orjson.loads(server.bodies[0])
    assert told["title"] == "Ferry to Veldhaven stops [Ferries]"
    assert "Why: ferry" in told["message"]
