"""Saved searches as they are sent: what is wrong is told with its place, and secrets are shown once."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
import pytest

from sinks.alerts.saved import (
    MAX_NAME_CHARS,
    BadSearch,
    SavedSearch,
    SearchRequest,
    TargetLimits,
    describe_search,
    read_search,
    with_feed_key,
    with_signing_key,
)

LIMITS = TargetLimits(frozenset({"newsroom"}), frozenset({"desk.example"}), has_mail=True)


def read(before: SavedSearch | None = None, **members: object) -> SavedSearch:
    sent = members if before else {"name": "Ferries", "query": "ferry", **members}
    request = msgspec.json.decode(orjson.dumps(sent), type=SearchRequest)
    return read_search(request, LIMITS, 1000, before=before, owner="ines")


def alert(*targets: tuple[str, str], **more: object) -> dict[str, object]:
    return {"targets": [{"kind": kind, "address": address} for kind, address in targets], **more}


def test_a_search_is_read_with_its_alert() -> None:
    found = read(
        folder="Sea",
        alert=alert(("mail", "ines@desk.example"), ("page", ""), rhythm="day", zone="Asia/Tokyo"),
    )
    assert (found.name, found.query, found.owner, found.folder, found.created) == (
        "Ferries",
        "ferry",
        "ines",
        "Sea",
        1000,
    )
    assert found.alert
    assert [target.key for target in found.alert.targets] == ["mail ines@desk.example", "page "]


def test_what_is_left_out_of_a_change_stays() -> None:
    before = read(folder="Sea", alert=alert(("page", "")))
    after = read(before, name="Boats")
    assert (after.id, after.name, after.query, after.folder, after.alert) == (
        before.id, "Boats", "ferry", "Sea", before.alert,
    )  # fmt: skip
    assert after.changed > before.changed
    assert read(after, alert=None).alert is None


@pytest.mark.parametrize(
    ("members", "where", "message"),
    [
        ({"name": ""}, "name", "it is empty"),
        ({"name": " \n "}, "name", "it is empty"),
        ({"name": "a\x00b"}, "name", "can't be shown"),
        ({"name": "a\u202eb"}, "name", "direction"),
        ({"name": "x" * (MAX_NAME_CHARS + 1)}, "name", f"{MAX_NAME_CHARS} are the most"),
        ({"folder": "x" * (MAX_NAME_CHARS + 1)}, "folder", "are the most"),
        ({"alert": alert()}, "alert.targets", "name whom to alert"),
        ({"alert": alert(("page", "x"))}, "alert.targets[0].address", "no address"),
        ({"alert": alert(("page", ""), ("webhook", "ftp://x"))}, "alert.targets[1].address", "https://"),
        ({"alert": alert(("webhook", "https://u:p@x.example"))}, "alert.targets[0].address", "without user"),
        ({"alert": alert(("webhook", "http://x.example/"))}, "alert.targets[0].address", "no TLS"),
        ({"alert": alert(("webhook", "https://[x/"))}, "alert.targets[0].address", "no URL"),
        ({"alert": alert(("mail", "ines"))}, "alert.targets[0].address", "no mail address"),
        (
            {"alert": alert(("mail", "a@desk.example\r\nBcc: b@x"))},
            "alert.targets[0].address",
            "no mail address",
        ),
        (
            {"alert": alert(("mail", "a@desk.example, b@desk.example"))},
            "alert.targets[0].address",
            "no mail address",
        ),
        ({"alert": alert(("mail", "a@elsewhere.example"))}, "alert.targets[0].address", "desk.example only"),
        ({"alert": alert(("service", "other"))}, "alert.targets[0].address", "there are newsroom"),
        ({"alert": alert(("page", ""), at="8")}, "alert.at", "08:00"),
        ({"alert": alert(("page", ""), zone="Mars/Base")}, "alert.zone", "no time zone"),
        ({"alert": alert(("page", ""), zone="../etc/passwd")}, "alert.zone", "no time zone"),
        ({"alert": alert(("page", ""), quietFrom="22:00")}, "alert.quietFrom", "both"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(members: dict[str, Any], where: str, message: str) -> None:
    with pytest.raises(BadSearch) as raised:
        read(**members)
    assert raised.value.where == where
    assert message in raised.value.message


def test_a_broken_query_is_told_with_its_place_in_the_text() -> None:
    with pytest.raises(BadSearch) as raised:
        read(query="ferry ( copper")
    assert raised.value.where == "query"
    assert raised.value.start == 6


def test_names_may_hold_markup_and_every_script() -> None:
    assert read(name="<script>alert(1)</script>").name == "<script>alert(1)</script>"
    assert read(name="عبّارات\tالميناء").name == "عبّارات الميناء"


def test_secrets_are_no_part_of_what_is_shown() -> None:
    found = read(alert=alert(("webhook", "https://hooks.example/x?token=geheim")))
    found, key = with_feed_key(found)
    found, signing = with_signing_key(found)
    text = msgspec.json.encode(describe_search(found)).decode()
    assert not any(secret in text for secret in (key, found.feed_key, signing, found.signing_key, "geheim"))
    assert found.has_key(key)
    assert not any(map(found.has_key, ("", key + "x", found.feed_key, "\udc80")))
    again, other = with_feed_key(found)
    assert again.has_key(other)
    assert not again.has_key(key), "the old one opens nothing any more"
