"""The settings of where stories go to be read: routes, webhooks, and the desk with its API.

`config.settings` has the sections around them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from config.poll_settings import HOUR_S
from config.schema import (
    ByteCount,
    Count,
    DelaySeconds,
    HostName,
    HourCount,
    NetworkList,
    OriginList,
    OwnFile,
    PortNumber,
    PositiveSeconds,
    ProxyList,
    Secret,
)
from config.store_settings import MEBIBYTE_BYTES


class Routes(Struct, frozen=True):
    """Which stories go to topics of their own."""

    file: Annotated[OwnFile, Meta(description="File of the rules. Empty: none.")] = "routes.toml"
    memory_hours: Annotated[
        HourCount,
        Meta(description="So long after a chain's last event kills and corrections still follow it."),
    ] = 30 * 24
    create_topics: Annotated[
        bool,
        Meta(
            description="On Kafka, make the topic of a rule that has none; else the rule is left out until it is there."
        ),
    ] = False


class Webhooks(Struct, frozen=True):
    """How routed stories are posted to whoever asked for them. Times in seconds, sizes in bytes."""

    file: Annotated[OwnFile, Meta(description="File of the targets, see docs/consuming.md. Empty: none.")] = (
        ""
    )
    allowed_addresses: NetworkList = ()
    allow_http: Annotated[
        bool, Meta(description="Also post to targets without TLS; those on this machine never need it.")
    ] = False
    connect_timeout_s: Annotated[PositiveSeconds, Meta(description="For the connection to a target.")] = 5.0
    timeout_s: Annotated[PositiveSeconds, Meta(description="Of one try, the answer included.")] = 15.0
    max_bytes: Annotated[ByteCount, Meta(description="Of a body; a larger story becomes a dead letter.")] = (
        MEBIBYTE_BYTES
    )
    max_redirects: Annotated[
        int, Meta(ge=0, le=100, description="307 and 308 only; each hop must be an allowed address.")
    ] = 0
    # 15 tries with doubled delays up to an hour span three hours at the most: fewer lose stories to a short outage, more
    # keep those of a dead target waiting
    attempts: Annotated[
        int, Meta(ge=1, le=1000, description="Tries before a story becomes a dead letter.")
    ] = 15
    first_delay_s: Annotated[
        DelaySeconds, Meta(description="Longest wait before the second try; doubled from try to try.")
    ] = 1.0
    max_delay_s: Annotated[DelaySeconds, Meta(description="Longest wait before a try.")] = HOUR_S
    circuit_failures: Annotated[
        int,
        Meta(ge=1, le=1000, description="Failures in a row after which only one story is tried at a time."),
    ] = 5
    circuit_s: Annotated[DelaySeconds, Meta(description="Time until that one try.")] = 60.0
    concurrency: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="Stories in flight to one target; those of one chain go one after the other.",
        ),
    ] = 8


class Alerts(Struct, frozen=True):
    """Whom saved searches alert, and how. Webhooks of alerts are posted as [webhooks] says: addresses, TLS, times."""

    # 10,000 cost an event 13 to 45 ms (docs/alerts.md); more, and a mistake of a program holds up every alert
    max_searches: Annotated[Count, Meta(description="Saved searches that there may be.")] = 10_000
    # fewer: a busy day's alerts come late; more: a search that finds everything rings all day
    max_per_hour: Annotated[
        Count, Meta(description="Alerts of one search by themselves; what is more comes as a digest.")
    ] = 60
    max_listed: Annotated[Count, Meta(description="Stories that a digest names; the others it counts.")] = 100
    memory_hours: Annotated[
        HourCount, Meta(description="So long kills and corrections follow an alert, and it can be looked up.")
    ] = 30 * 24
    give_up_hours: Annotated[
        HourCount, Meta(description="So long a message is tried again whose target does not take it.")
    ] = 24
    address: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^\s?#]*[^\s?#/])?$",
            description="The desk's address for links in messages. Empty: no links.",
            extra={"allowed": "an address such as https://desk.example, without a slash at its end"},
        ),
    ] = ""
    smtp_host: Annotated[str, Meta(description="The server that takes our mail. Empty: no mail.")] = ""
    smtp_port: Annotated[PortNumber, Meta(description="Its port: 587, 465 for tls, 25 for none.")] = 587
    smtp_security: Annotated[
        Literal["starttls", "tls", "none"],
        Meta(description="none: as plain text, for a server on this machine."),
    ] = "starttls"
    smtp_username: Annotated[str, Meta(description="Who logs in. Empty: nobody.")] = ""
    smtp_password: Annotated[
        Secret, Meta(description="WIREDESK_ALERTS_SMTP_PASSWORD_FILE names a file that holds it.")
    ] = ""
    smtp_ca_file: Annotated[OwnFile, Meta(description="Certificates of authorities to trust (PEM).")] = ""
    mail_from: Annotated[str, Meta(description="The address that mail comes from.")] = ""
    mail_domains: Annotated[tuple[str, ...], Meta(description="Domains that mail goes to. Empty: any.")] = ()
    services: Annotated[
        OwnFile, Meta(description="File of the services of `apprise`, see docs/alerts.md. Empty: none.")
    ] = ""


class Desk(Struct, frozen=True):
    """The web page and its API. Any host but loopback demands a token."""

    host: Annotated[HostName, Meta(description="The address to answer on.")] = "127.0.0.1"
    port: Annotated[PortNumber, Meta(description="0: any free port, named in the log.")] = 8080
    token: Annotated[
        Secret, Meta(description="What readers show. WIREDESK_DESK_TOKEN_FILE names a file with it.")
    ] = ""
    tokens: Annotated[
        OwnFile,
        Meta(
            description="File of the tokens of `wiredesk token`. Empty: tokens.json in the data folder of `wiredesk run`."
        ),
    ] = ""
    changes: Annotated[
        str,
        Meta(
            description="File of the changes that operators make. Empty: changes.jsonl in the data folder of `wiredesk run`; a"
            " fleet's desk then remembers the last 200."
        ),
    ] = ""
    user_header: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9-]*$",
            max_length=100,
            description="Header in which a reverse proxy of desk.proxies says who signed in there. Empty: none.",
            extra={"allowed": "the name of a header, such as X-Forwarded-User"},
        ),
    ] = ""
    operators: Annotated[
        tuple[str, ...], Meta(description="Who of those that a proxy signed in may make changes.")
    ] = ()
    # fewer: a page that an editor keeps open with its streams and searches is refused; more: one script takes the desk
    requests_per_minute: Annotated[
        Count, Meta(description="Of one token, login or address, in bursts of ten seconds' worth.")
    ] = 3000
    # fewer: a list of dead letters can't be worked off by hand; more: a script that runs wild changes all feeds at once
    changes_per_minute: Annotated[Count, Meta(description="The same for changes.")] = 120
    search: Annotated[
        Literal["embedded", "elasticsearch"], Meta(description="The index that `wiredesk export` reads.")
    ] = "embedded"
    page_size: Annotated[int, Meta(ge=1, le=1000, description="Stories of one page.")] = 50
    # shorter: searches of a large index fail while the disk is busy; longer: one reader holds up the others
    search_timeout_s: Annotated[
        PositiveSeconds, Meta(description="A search that takes longer is given up.")
    ] = 2.0
    proxies: ProxyList = ()
    allowed_origins: OriginList = ()
    # on: publishers of pictures see this machine, and when a story is first read
    pictures: Annotated[
        bool, Meta(description="Fetch the pictures of stories for their pages, with the limits of polls.")
    ] = False
    # smaller: large photographs are missing; larger: a hostile publisher fills the memory and the line
    picture_max_bytes: Annotated[ByteCount, Meta(description="A larger picture is not fetched.")] = (
        8 * MEBIBYTE_BYTES
    )
