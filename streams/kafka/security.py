"""How the broker is trusted and convinced: TLS and SASL of the settings, and what a refusal says.

aiokafka logs why a broker refuses a connection and raises only that there is none; `refusal` connects once more to
learn the reason, because a wrong password is nothing to wait for.
"""

from __future__ import annotations

import ssl
from typing import Any, Final

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.helpers import create_ssl_context

from config.errors import Misconfigured
from config.files import find_file
from config.settings import Kafka

PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
PROBE_MS: Final = 5000


def check(told: Kafka) -> None:
    """Refuse what can't work.

    Raises:
        Misconfigured: an unknown protocol or mechanism, or settings that do not go together.
    """
    protocol, mechanism = told.security_protocol, told.sasl_mechanism
    if protocol not in PROTOCOLS:
        raise Misconfigured(f"kafka.security_protocol is one of {', '.join(PROTOCOLS)}, not {protocol!r}")
    if not protocol.startswith("SASL"):
        if mechanism or told.username:
            raise Misconfigured(
                f"kafka.sasl_mechanism and kafka.username need kafka.security_protocol SASL_SSL, not {protocol}"
            )
    elif mechanism not in MECHANISMS:
        raise Misconfigured(f"kafka.sasl_mechanism is one of {', '.join(MECHANISMS)}, not {mechanism!r}")
    elif not (told.username and told.password):
        raise Misconfigured(
            "kafka.username and kafka.password are needed; the password comes in by WIREDESK_KAFKA_PASSWORD, or a "
            "file that WIREDESK_KAFKA_PASSWORD_FILE names"
        )
    if (told.ca_file or told.cert_file) and protocol not in {"SSL", "SASL_SSL"}:
        raise Misconfigured(f"kafka.ca_file and kafka.cert_file need TLS: SASL_SSL or SSL, not {protocol}")
    if bool(told.cert_file) != bool(told.key_file):
        raise Misconfigured("kafka.cert_file and kafka.key_file go together: our certificate and its key")


def arguments(told: Kafka) -> dict[str, Any]:
    """What every aiokafka client is told of security.

    Raises:
        Misconfigured: a certificate can't be read.
    """
    made: dict[str, Any] = {"security_protocol": told.security_protocol}
    if told.security_protocol.startswith("SASL"):
        made |= {
            "sasl_mechanism": told.sasl_mechanism,
            "sasl_plain_username": told.username,
            "sasl_plain_password": told.password,
        }
    if told.security_protocol.endswith("SSL"):
        made["ssl_context"] = _trust(told)
    return made


async def refusal(told: Kafka) -> str | None:
    """Why the broker refuses us, and what to do; None where it does not answer, or lets us in."""
    for host, port, _ in collect_hosts(told.servers):
        try:
            connection = await create_conn(host, port, request_timeout_ms=PROBE_MS, **arguments(told))
        except (SaslAuthenticationFailed, IllegalSaslStateError):
            return f"{host}:{port} refuses user {told.username!r}: see kafka.username, kafka.password, kafka.sasl_mechanism"
        except UnsupportedSaslMechanismError:
            return f"{host}:{port} does not take {told.sasl_mechanism}: set kafka.sasl_mechanism to what its listener has"
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message
            return f"the certificate of {host}:{port} is not trusted ({why}): see kafka.ca_file, and the name in kafka.servers"
        except ssl.SSLError as error:
            why = error.reason or str(error)
            return f"{host}:{port} refuses TLS ({why}): see kafka.security_protocol, kafka.cert_file"
        except (KafkaError, OSError, TimeoutError):
            continue
        connection.close()
        return None
    return None


def _trust(told: Kafka) -> ssl.SSLContext:
    paths: dict[str, str | None] = {}
    for name in ("ca_file", "cert_file", "key_file"):
        path = getattr(told, name) and str(find_file(getattr(told, name)))
        paths[name] = path or None
        try:
            if path:
                open(path, "rb").close()  # noqa: PTH123 -- whether it can be read
        except OSError as error:
            raise Misconfigured(f"kafka.{name}: {path}: {error.strerror}") from error
    try:
        made: ssl.SSLContext = create_ssl_context(
            cafile=paths["ca_file"], certfile=paths["cert_file"], keyfile=paths["key_file"]
        )
    except (ssl.SSLError, OSError) as error:
        files = ", ".join(filter(None, paths.values()))
        raise Misconfigured(
            f"kafka.ca_file, kafka.cert_file: {files}: not PEM, or not a pair: {error}"
        ) from error
    return made
