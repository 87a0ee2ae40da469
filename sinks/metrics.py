"""The figures that every process shows under ``/metrics``: one place for their names, units and labels.

Pollers, both runtimes and the sinks count here, so that one dashboard and one set of alerts fit all of them
(`config/grafana`, `config/prometheus`). Names are ``wire_<what>_<unit>``.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

RECORDS: Final = Counter(
    "wire_records",
    "Records that a step has finished, by what became of them: made, rejected or bug.",
    ("step", "outcome"),
)
STEP_SECONDS: Final = Histogram(
    "wire_step_seconds",
    "Time that a step took for one batch of records, in seconds.",
    ("step",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
DEADLINES: Final = Counter(
    "wire_deadlines",
    "Times that a process was killed because a record took longer than steps.deadline_s, by step.",
    ("step",),
)
LOST_CHILDREN: Final = Counter(
    "wire_lost_children",
    "Processes of the pool that ended by themselves or were killed by others, by the step that they ran, or idle.",
    ("step",),
)
BUILD_INFO: Final = Gauge(
    "wire_build_info",
    "1, with the version of wiredesk and of Python that run.",
    ("version", "python"),
    multiprocess_mode="livemostrecent",
)
READY_CHECKS: Final = Gauge(
    "wire_ready",
    "1 where a check of /readyz passes, 0 where it fails, by check; looked at when the figures are asked for.",
    ("check",),
    multiprocess_mode="livemostrecent",
)
LAG_RECORDS: Final = Gauge(
    "wire_lag_records",
    "Records that wait before a step, a sink or a webhook; absent while nobody knows, as where the broker is away.",
    ("step",),
    multiprocess_mode="livemostrecent",
)
OLDEST_SECONDS: Final = Gauge(
    "wire_oldest_unprocessed_age_seconds",
    "Age of the oldest record that waits before a step, a sink or a webhook, in seconds; 0 where none waits, absent while nobody knows.",
    ("step",),
    multiprocess_mode="livemostrecent",
)
WINDOW_STORIES: Final = Gauge(
    "wire_window_stories",
    "Stories that a step remembers, by step.",
    ("step",),
    multiprocess_mode="livemostrecent",
)
CLUSTERS: Final = Gauge(
    "wire_clusters",
    "Clusters that the window of the cluster step holds.",
    multiprocess_mode="livemostrecent",
)
CLUSTERED_STORIES: Final = Counter(
    "wire_clustered_stories",
    "Stories that the cluster step placed, by outcome: first of a cluster, or joined one.",
    ("outcome",),
)
POOL_CHILDREN: Final = Gauge(
    "wire_pool_children",
    "Processes of the pool, by state: busy or idle.",
    ("state",),
    multiprocess_mode="livemostrecent",
)
POOL_WAITING: Final = Gauge(
    "wire_pool_waiting",
    "Pieces of work that wait for a process of the pool to be free.",
    multiprocess_mode="livemostrecent",
)
OPEN_CIRCUITS: Final = Gauge(
    "wire_circuit_open",
    "1 while a target that fails again and again is left alone but for single tries, else 0: a webhook, or network.",
    ("target",),
    multiprocess_mode="livemostrecent",
)
DISK_FREE_BYTES: Final = Gauge(
    "wire_disk_free_bytes",
    "Bytes that are free on the disk of the data folder.",
    multiprocess_mode="livemostrecent",
)
DISK_SIZE_BYTES: Final = Gauge(
    "wire_disk_size_bytes",
    "Bytes that the disk of the data folder holds.",
    multiprocess_mode="livemostrecent",
)
DATA_FILE_BYTES: Final = Gauge(
    "wire_data_file_bytes",
    "Bytes of the data file that hold something.",
    multiprocess_mode="livemostrecent",
)
STALLED_SECONDS: Final = Gauge(
    "wire_stalled_seconds",
    "For how long a reader has passed none of the records that wait, by its cause: takeover, transaction, metadata, leader, work, waits, broker or unknown. 0 while it moves.",
    ("step", "cause"),
    multiprocess_mode="livemostrecent",
)
TOPIC_DIFFERENCES: Final = Gauge(
    "wire_topic_differences",
    "In how many ways the topics on the broker are not as the settings want them: see wiredesk topics check.",
    multiprocess_mode="livemostrecent",
)
SKIPPED_ROUTES: Final = Gauge(
    "wire_skipped_routes",
    "Rules of routes that take no stories, because their topics are missing.",
    multiprocess_mode="livemostrecent",
)
FILE_RELOADS: Final = Counter(
    "wire_reloads",
    "Times that files of the operator (feeds, routes, watch lists, webhooks, certificates) were read again, by outcome: done or refused.",
    ("outcome",),
)
RELOAD_REFUSED: Final = Gauge(
    "wire_reload_refused",
    "1 while the operator's files have a fault, and those of before stay in force.",
    multiprocess_mode="livemostrecent",
)
LOST_RECORDS: Final = Counter(
    "wire_lost_records",
    "Records that were gone from a topic before a consumer had read them, as far as their number is known.",
    ("topic", "consumer"),
)
LOG_GAPS: Final = Counter(
    "wire_log_gaps",
    "Times that a consumer could not go on where it stood: records were deleted, or the log was rewound.",
    ("topic", "consumer", "kind"),
)
DEAD_LETTERS: Final = Counter(
    "wire_dead_letters",
    "Items set aside, by the step that rejected them and the error's type.",
    ("step", "type"),
)
KILLS: Final = Counter(
    "wire_kills",
    "Kills that were decided, by outcome: reached a story, or unreached, so that what they withdraw may still be shown.",
    ("outcome",),
)
for _outcome in ("reached", "unreached"):
    KILLS.labels(_outcome)  # from 0, so that the first one is an increase
FAILED_RULES: Final = Counter(
    "wire_failed_rules",
    "Rules that failed on a story, which went on without what they make (a fault of ours), by step and rule.",
    ("step", "rule"),
)
FOREIGN_CLAIMS: Final = Counter(
    "wire_foreign_claims",
    "Stories that claim to be, kill or correct another source's, by their relation; copies are left out.",
    ("relation",),
)
for _relation in ("kill", "correction", "update", "new"):
    FOREIGN_CLAIMS.labels(_relation)
INDEXED_STORIES: Final = Counter(
    "wire_indexed_stories",
    "Stories handed to an index, by outcome: written, stale or refused.",
    ("sink", "outcome"),
)
HELD_STORIES: Final = Gauge(
    "wire_held_stories",
    "Stories that wait for a part of a sink, such as a month of the index, while all others go on.",
    ("sink",),
    multiprocess_mode="livemostrecent",
)
AWAY_PARTS: Final = Gauge(
    "wire_away_parts",
    "1 for a part of a sink, such as a month of the index, that takes no stories or does not show them; else absent.",
    ("sink", "part"),
    multiprocess_mode="livemostrecent",
)
END_TO_END_SECONDS: Final = Histogram(
    "wire_end_to_end_seconds",
    "Time from a story's reception to its place in the index, in seconds.",
    ("sink",),
    buckets=(0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0),
)
FEEDS: Final = Gauge(
    "wire_feeds",
    "Feeds, by state (see the desk's feed page).",
    ("state",),
    multiprocess_mode="livemostrecent",
)
SILENT_FEEDS: Final = Gauge(
    "wire_feed_last_item_timestamp_seconds",
    "When a feed that is silent for longer than its own rhythm explains last brought something; no other feed is here.",
    ("feed",),
    multiprocess_mode="livemostrecent",
)
RETRIES: Final = Counter(
    "wire_retries",
    "Times that a process backed off because the outside was down, by what was down: kafka, disk, a sink, a webhook.",
    ("target",),
)
BLOCKED_PARTITIONS: Final = Gauge(
    "wire_blocked_partitions",
    "Partitions that this process can't read on: a batch is damaged on the broker's disk, or the right is denied.",
    ("topic", "kind"),
    multiprocess_mode="livemostrecent",
)
DAMAGED_RECORDS: Final = Counter(
    "wire_damaged_records",
    "Records left out of a state, or of what a command reads, as they are damaged on the broker's disk.",
    ("topic",),
)
UNREAD_STATE: Final = Counter(
    "wire_unread_state_records",
    "Records of a state that were skipped, because they are damaged or another version wrote them, by the state's topic.",
    ("topic",),
)
DELIVERIES: Final = Counter(
    "wire_webhook_deliveries",
    "Stories posted to webhooks, by target and outcome: delivered, or refused to the last try.",
    ("target", "outcome"),
)
ALERTS: Final = Counter(
    "wire_alert_messages",
    "Messages of alerts, by kind of target and outcome: sent, retried, failed for good, or dropped before they were sent.",
    ("target", "outcome"),
)
WAITING_ALERTS: Final = Gauge(
    "wire_waiting_alert_messages",
    "Messages of alerts that wait for their targets.",
    multiprocess_mode="livemostrecent",
)
WAITING_DELIVERIES: Final = Gauge(
    "wire_webhook_waiting",
    "Stories that were fetched for a webhook and are neither delivered nor set aside, by target.",
    ("target",),
    multiprocess_mode="livemostrecent",
)
POLLS: Final = Counter("wire_polls", "Polls by outcome", ["outcome"])
POLLED_ITEMS: Final = Counter("wire_poll_items", "New and revised items that polls brought")
POLLED_BYTES: Final = Counter("wire_poll_bytes", "Decoded bytes of feed documents")
POLL_GAPS: Final = Counter("wire_poll_gaps", "Polls before which entries may have been missed")
SOURCE_RECEIPTS: Final = Counter(
    "wire_source_receipts", "Receipts that sources beside feeds took: what they deleted, moved or marked"
)
WITHHELD_PARTS: Final = Counter(
    "wire_poll_withheld",
    "Polls that cut or left out what would cost too much: head, nesting, entries, hour, letter_bytes or letter.",
    ("what",),
)
POLL_SECONDS: Final = Histogram(
    "wire_poll_duration_seconds",
    "From the start of a fetch to the state being safe",
    buckets=(0.05, 0.2, 1, 5, 30, 120),
)
