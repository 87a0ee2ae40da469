"""The settings of what keeps stories and records: the data file of one machine, Kafka, Elasticsearch.

`config.settings` has the sections around them.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from config.schema import (
    BrokerList,
    ByteCount,
    Count,
    DelaySeconds,
    HourCount,
    IndexAddress,
    KafkaName,
    OwnFile,
    PositiveSeconds,
    RecordTime,
    SaslMechanism,
    Secret,
    SecurityProtocol,
    VersionDays,
    Workers,
)

MEBIBYTE_BYTES: Final = 1024 * 1024


class EmbeddedSettings(Struct, frozen=True):
    """The runtime on one machine."""

    data: Annotated[
        str, Meta(min_length=1, description="Folder of the log and the index, from the working folder.")
    ] = "data"
    workers: Workers = 0
    # smaller: a commit to the disk for few records; larger: a story waits longer, and kill -9 repeats more work
    batch: Annotated[int, Meta(ge=1, le=10_000, description="Records of one transaction.")] = 64
    retention_hours: Annotated[
        int,
        Meta(ge=0, le=87_600, description="Records that everybody has read stay so long; the index apart."),
    ] = 7 * 24
    # shorter: `wiredesk tap` and `trace` show less of what has passed; longer: each hour takes 8 kB a story
    passed_hours: Annotated[
        int,
        Meta(
            ge=0,
            le=87_600,
            description="What can be made again of raw items stays so long, once everybody has read it.",
        ),
    ] = 1
    # smaller: a webhook that is away for long loses stories; larger than the disk: the disk is full first
    max_unread_mib: Annotated[
        int,
        Meta(ge=16, le=1 << 30, description="In a larger file unread records go too, after their retention."),
    ] = 20_480
    index_retention_days: Annotated[
        int, Meta(ge=0, le=36_500, description="How long stories stay in the index. 0: for ever.")
    ] = 0
    version_retention_days: VersionDays = 0


class Kafka(Struct, frozen=True):
    """The distributed runtime's broker."""

    servers: Annotated[BrokerList, Meta(description="Brokers, with commas between.")] = "127.0.0.1:9092"
    prefix: Annotated[
        KafkaName,
        Meta(
            description="Of every topic, group and transactional id: installations that share a broker differ here."
        ),
    ] = ""
    application: Annotated[
        KafkaName, Meta(min_length=1, description="Prefix of consumer groups and transactional ids.")
    ] = "wiredesk"
    worker: Annotated[
        KafkaName, Meta(description="Stable and unique name of this worker slot. Empty: host and process.")
    ] = ""
    partitions: Annotated[int, Meta(ge=1, le=10_000, description="Of each topic that is created.")] = 8
    replication: Annotated[int, Meta(ge=1, le=32_767, description="Of each topic that is created.")] = 1
    retention_hours: Annotated[HourCount, Meta(description="Of topics; state topics are compacted.")] = 7 * 24
    # smaller: a transaction for few records; larger: a story waits longer, and a batch may outlast the session
    batch: Annotated[int, Meta(ge=1, le=100_000, description="Records of one transaction.")] = 300
    # shorter: a busy worker is taken for dead; longer: a dead one is noticed late
    session_timeout_s: Annotated[
        float, Meta(gt=0, le=1800, description="A worker that is silent for so long has lost its partitions.")
    ] = 6.0
    # shorter: a record that takes its time counts as a stop; longer: a stop is told late
    stalled_after_s: Annotated[float, Meta(ge=5, le=3600, description="A longer stop is not ready.")] = 20.0
    max_message_bytes: Annotated[ByteCount, Meta(description="Of one message.")] = 24 * MEBIBYTE_BYTES
    record_time: Annotated[
        RecordTime,
        Meta(
            description="The timestamp of records that others read: when the broker wrote them, when their story was "
            "received, or when its publisher made this version."
        ),
    ] = "written"
    security_protocol: Annotated[SecurityProtocol, Meta(description="How clients connect.")] = "PLAINTEXT"
    sasl_mechanism: Annotated[SaslMechanism, Meta(description="How clients log in.")] = ""
    username: Annotated[str, Meta(description="Who logs in.")] = ""
    password: Annotated[
        Secret, Meta(description="WIREDESK_KAFKA_PASSWORD_FILE names a file that holds it.")
    ] = ""
    ca_file: Annotated[OwnFile, Meta(description="Certificates of authorities to trust (PEM).")] = ""
    cert_file: Annotated[
        OwnFile, Meta(description="Our certificate (PEM), where the broker asks clients for one.")
    ] = ""
    key_file: Annotated[OwnFile, Meta(description="The key of our certificate (PEM).")] = ""
    workers: Workers = 0
    standby: Annotated[
        bool,
        Meta(
            description="Keep other workers' deduplication memory too: takeover in seconds, memory for all of it."
        ),
    ] = True
    options: Annotated[
        dict[str, str],
        Meta(description="Goes to every aiokafka client as it is.", extra={"secret": True}),
    ] = msgspec.field(default_factory=dict)


class Elasticsearch(Struct, frozen=True):
    """The search index of the distributed runtime."""

    url: Annotated[IndexAddress, Meta(description="The server, with its port.")] = "http://127.0.0.1:9200"
    index: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9][a-z0-9._-]*$",
            max_length=200,
            description="Alias; the indices are <index>-YYYY.MM-NNNNNN.",
            extra={"allowed": "at most 200 small letters, digits, dots, hyphens and underscores"},
        ),
    ] = "wire-stories"
    api_key: Annotated[Secret, Meta(description="Instead of user name and password.")] = ""
    username: Annotated[str, Meta(description="Who logs in.")] = ""
    password: Annotated[
        Secret, Meta(description="WIREDESK_ELASTICSEARCH_PASSWORD_FILE names a file that holds it.")
    ] = ""
    ca_file: Annotated[OwnFile, Meta(description="Certificates of authorities to trust (PEM).")] = ""
    batch: Annotated[int, Meta(ge=1, le=100_000, description="Events of one bulk request.")] = 500
    batch_bytes: Annotated[ByteCount, Meta(description="Of one bulk request.")] = 5 * MEBIBYTE_BYTES
    # fewer: a month that is closed for long holds up the others; more: they stand on the broker's disk once more
    max_held: Annotated[Count, Meta(description="Stories that may wait on a topic for their month.")] = (
        100_000
    )
    # shorter: many small bulk requests; longer: stories reach the desk late
    flush_s: Annotated[DelaySeconds, Meta(description="Longest wait for a bulk request to fill.")] = 0.5
    timeout_s: Annotated[PositiveSeconds, Meta(description="For an answer.")] = 30.0
    version_retention_days: VersionDays = 0
