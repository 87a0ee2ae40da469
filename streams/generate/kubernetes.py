"""Writes ``config/kubernetes/topics/topics.yaml``: every topic as a KafkaTopic of Strimzi. ``make manifests``.

Strimzi's Topic Operator then makes them and keeps them so; `wiredesk topics check` says the same of them as of topics that
``wiredesk topics create`` made. Custom resource: https://strimzi.io/docs (KafkaTopic).
"""

from __future__ import annotations

from typing import Final

from config.files import CONFIG_FOLDER
from config.settings import Kafka, Settings
from streams.kafka.topics import wanted_topics

TOPICS_FILE: Final = CONFIG_FOLDER / "kubernetes" / "topics" / "topics.yaml"
REPLICA_COUNT: Final = 3  # of the overlay `production`; `small` has one
FILE_HEAD: Final = "# Every topic of the fleet, for Strimzi's Topic Operator. Written by: make manifests, from streams/topology.py\n"


def topics_manifest() -> str:
    """The file, as it must be."""
    settings = Settings(kafka=Kafka(replication=REPLICA_COUNT))
    return FILE_HEAD + "---\n".join(
        "apiVersion: kafka.strimzi.io/v1\n"
        "kind: KafkaTopic\n"
        "metadata:\n"
        f"  name: {spec.name}\n"
        "  labels: {strimzi.io/cluster: wiredesk}\n"
        "spec:\n"
        f"  partitions: {spec.partitions}\n"
        f"  replicas: {REPLICA_COUNT}\n"
        "  config:\n" + "".join(f'    {name}: "{value}"\n' for name, value in spec.config.items())
        for spec in wanted_topics(settings)
    )


def main() -> None:
    """Write the file over the old one."""
    TOPICS_FILE.write_text(topics_manifest(), "utf-8")


if __name__ == "__main__":
    main()
