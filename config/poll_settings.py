"""The settings of where stories come from: feeds that are polled, the drop folder, and what others push.

`config.settings` has the sections around them.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from config.schema import (
    ByteCount,
    Count,
    DelaySeconds,
    FeedHourBytes,
    HostName,
    LetterDayBytes,
    NetworkList,
    OwnFile,
    PortNumber,
    PositiveSeconds,
    ProxyList,
    Secret,
)
from config.store_settings import MEBIBYTE_BYTES

HOUR_S: Final = 3600.0
DAY_S: Final = 24 * HOUR_S


class Poll(Struct, frozen=True):
    """How feeds are fetched. Times in seconds, sizes in bytes after decoding."""

    feeds: Annotated[OwnFile, Meta(min_length=1, description="File of the feeds to poll, TOML or OPML.")] = (
        "feeds.toml"
    )
    sources: Annotated[
        OwnFile,
        Meta(
            description="File of the sources beside feeds: APIs, mailboxes, file servers, queues (TOML). Empty: none."
        ),
    ] = "sources.toml"
    user_agent: Annotated[
        str,
        Meta(
            pattern=r"^[!-~]([ -~]*[!-~])?$",
            description="Who we are, for the hosts that we ask.",
            extra={"allowed": "visible ASCII, not empty"},
        ),
    ] = "wiredesk/0.1 (+https://github.com/wiredesk/wiredesk)"
    # shorter: hosts answer 429; longer: news of a busy feed is late
    min_interval_s: Annotated[
        PositiveSeconds, Meta(description="Shortest time between two polls of a feed.")
    ] = 60.0
    # shorter: requests for nothing; longer: the first news after a silence is late
    max_interval_s: Annotated[
        PositiveSeconds, Meta(description="Longest time between two polls of a feed.")
    ] = 6 * HOUR_S
    first_interval_s: Annotated[
        PositiveSeconds, Meta(description="Time between two polls until a feed's own rhythm is known.")
    ] = 300.0
    # some servers answer 304 for ever: longer hides their news, shorter fetches bodies for nothing
    unconditional_s: Annotated[
        PositiveSeconds,
        Meta(description="After this time a feed is fetched whole, whatever its validators say."),
    ] = DAY_S
    connect_timeout_s: Annotated[PositiveSeconds, Meta(description="For the connection to a host.")] = 10.0
    read_timeout_s: Annotated[PositiveSeconds, Meta(description="Between two pieces of a body.")] = 30.0
    total_timeout_s: Annotated[
        PositiveSeconds, Meta(description="For a request, its redirects and its body.")
    ] = 60.0
    max_body_bytes: Annotated[ByteCount, Meta(description="A longer body is not read to its end.")] = (
        15 * MEBIBYTE_BYTES
    )
    max_entries: Annotated[Count, Meta(description="Entries that are read of one feed document.")] = 2000
    max_feed_bytes_per_hour: FeedHourBytes = 256 * MEBIBYTE_BYTES
    max_letter_bytes_per_day: LetterDayBytes = 8 * MEBIBYTE_BYTES
    max_redirects: Annotated[int, Meta(ge=0, le=100, description="Redirects that are followed.")] = 10
    # shorter: a passing fault of a server moves a feed; longer: each poll pays for the redirect
    move_after_s: Annotated[
        DelaySeconds, Meta(description="A permanent redirect that is seen for so long moves the feed.")
    ] = 7 * DAY_S
    # more connections, or a shorter delay, and hosts with many feeds refuse us; fewer, and their feeds wait for each other
    host_connections: Annotated[
        int, Meta(ge=1, le=1000, description="Connections to one host at the same time.")
    ] = 2
    host_delay_s: Annotated[
        DelaySeconds, Meta(description="Time between the starts of two requests to one host.")
    ] = 5.0
    max_backoff_s: Annotated[
        PositiveSeconds, Meta(description="Longest time between two polls of a failing feed.")
    ] = DAY_S
    concurrency: Annotated[
        int, Meta(ge=1, le=65_535, description="Requests at the same time, over all hosts.")
    ] = 64
    robots: Annotated[
        bool, Meta(description="Ask each host for robots.txt (RFC 9309) before its feeds, and obey it.")
    ] = False
    allowed_addresses: NetworkList = ()
    subscribed_interval_s: Annotated[
        PositiveSeconds, Meta(description="Time between two polls of a feed whose hub sends its news to us.")
    ] = HOUR_S
    drop_folder: Annotated[str, Meta(description="Folder that is watched for wire files. Empty: none.")] = ""
    drop_interval_s: Annotated[
        PositiveSeconds, Meta(description="Time between two looks at the drop folder.")
    ] = 1.0


class Push(Struct, frozen=True):
    """Where others send items: POST /push with the token, and deliveries of WebSub hubs. Pollers answer there."""

    host: Annotated[HostName, Meta(description="The address to answer on.")] = "127.0.0.1"
    port: Annotated[PortNumber, Meta(description="0: closed.")] = 0
    token: Annotated[
        Secret,
        Meta(
            description="Must be set where the port is open: WIREDESK_PUSH_TOKEN, or WIREDESK_PUSH_TOKEN_FILE."
        ),
    ] = ""
    public_url: Annotated[
        str,
        Meta(
            pattern=r"^$|^https?://[^\s/]\S*$",
            description="Where hubs reach us, such as https://wire.example.org. Empty: no WebSub.",
            extra={"url": True, "allowed": "an address that begins with http:// or https://, or empty"},
        ),
    ] = ""
    lease_s: Annotated[PositiveSeconds, Meta(description="The lease that we ask hubs for.")] = 10 * DAY_S
    allow_http: Annotated[
        bool,
        Meta(
            description="Also subscribe at hubs without TLS, on the way to which anybody may read the secret by which they sign."
        ),
    ] = False
    proxies: ProxyList = ()
