"""A real Kafka that demands SASL/SCRAM over TLS, with certificates of a CA that lives as long as the test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.servers.kafka import KafkaServer
from tests.servers.maven import Missing

USER: Final = "desk"
PASSWORD: Final = "correct horse"
BROKER: Final = ("broker", "battery staple")
MECHANISM: Final = "SCRAM-SHA-512"
MODULE: Final = "org.apache.kafka.common.security.scram.ScramLoginModule"


class SecureKafka:
    """A broker of 127.0.0.1 whose only listener for clients is SASL_SSL; `ca` is the file that trusts it."""

    def __init__(self, folder: Path) -> None:
        self.ca = folder / "ca.pem"
        self.stranger = folder / "stranger.pem"  # a CA that has signed nothing here
        _authority(self.ca, "wiredesk tests")
        _authority(self.stranger, "somebody else")
        keys = _certified(folder / "broker.pem", self.ca)
        self.server = KafkaServer(folder, _properties(keys, self.ca))
        users = [
            ("--add-scram", f"{MECHANISM}=[name={name},password={word}]")
            for name, word in ((USER, PASSWORD), BROKER)
        ]
        self.server.format(*(each for user in users for each in user))

    @property
    def servers(self) -> str:
        return self.server.servers


def _properties(keys: Path, ca: Path) -> dict[str, str]:
    name, word = BROKER
    return {
        "listener.security.protocol.map": "CLIENT:SASL_SSL,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        f"listener.name.client.{MECHANISM.lower()}.sasl.jaas.config": (
            f'{MODULE} required username="{name}" password="{word}";'
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(keys),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(ca),
    }


def _authority(ca: Path, name: str) -> None:
    _openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign", "-keyout", f"{ca}.key", "-out", str(ca),
    )  # fmt: skip


def _certified(made: Path, ca: Path) -> Path:
    """A file with a private key and its certificate for 127.0.0.1, as Kafka's PEM store wants it."""
    key, request, certificate = (made.with_suffix(end) for end in (".key", ".csr", ".crt"))
    _openssl(
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=127.0.0.1",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(request),
    )  # fmt: skip
    _openssl(
        "x509", "-req", "-in", str(request), "-CA", str(ca), "-CAkey", f"{ca}.key", "-days", "2",
        "-copy_extensions", "copyall", "-out", str(certificate),
    )  # fmt: skip
    made.write_text(key.read_text() + certificate.read_text() + ca.read_text())
    return made


def _openssl(*arguments: str) -> None:
    if not shutil.which("openssl"):
        raise Missing("no openssl: install it (Debian: openssl); it makes the certificates")
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
