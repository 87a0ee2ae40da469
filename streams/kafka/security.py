"""TLS and SASL of the settings as arguments of the clients, and the reason why a broker refuses us.

aiokafka logs why a broker refuses a connection and raises only that there is none; `refusal_of` connects once more to
learn the reason, because a wrong password is nothing to wait for.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

import structlog
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.helpers import create_ssl_context

from config import Misconfigured
from config.files import find_file
from config.reader import read_secret_file
from config.schema import SaslMechanism
from config.settings import Kafka
from sinks.metrics import RETRIES
from streams.reload import ReloadPart

SASL_MECHANISMS: Final = tuple(filter(None, get_args(SaslMechanism)))
# For the one connection that asks why we are refused. Shorter, and a slow broker's reason is missed, so that a wrong
# password is waited for; longer delays the next try.
PROBE_TIMEOUT_MS: Final = 5000


# Between two looks whether we are still let in: a connection each. Shorter burdens the broker with logins; longer is how
# late a refusal is told.
PROBE_INTERVAL_S: Final = 10.0
REFUSED_INTERVAL_S: Final = 2.0  # the same once we are refused; longer is how late a new password is taken
# For the new password to come into its file, where the broker's was changed first. Shorter ends processes in the middle
# of an operator's change; longer delays the status that tells a supervisor to stop.
FILE_PATIENCE_S: Final = 60.0
log = structlog.get_logger("wiredesk.kafka")


def check_security(settings: Kafka) -> None:
    """Refuse settings that do not go together.

    Raises:
        Misconfigured: which settings, and what they need.
    """
    protocol, mechanism = settings.security_protocol, settings.sasl_mechanism
    if not protocol.startswith("SASL"):
        if mechanism or settings.username:
            raise Misconfigured(
                f"kafka.sasl_mechanism and kafka.username need kafka.security_protocol SASL_SSL, not {protocol}"
            )
    elif not mechanism:
        raise Misconfigured(f"kafka.sasl_mechanism is one of {', '.join(SASL_MECHANISMS)}, and must be named")
    elif not (settings.username and settings.password):
        raise Misconfigured(
            "kafka.username and kafka.password are needed; the password comes in by WIREDESK_KAFKA_PASSWORD, or a "
            "file that WIREDESK_KAFKA_PASSWORD_FILE names"
        )
    if (settings.ca_file or settings.cert_file) and protocol not in {"SSL", "SASL_SSL"}:
        raise Misconfigured(f"kafka.ca_file and kafka.cert_file need TLS: SASL_SSL or SSL, not {protocol}")
    if bool(settings.cert_file) != bool(settings.key_file):
        raise Misconfigured("kafka.cert_file and kafka.key_file go together: our certificate and its key")


def security_arguments(settings: Kafka) -> dict[str, Any]:
    """The arguments of every aiokafka client that are about security.

    Raises:
        Misconfigured: a certificate can't be read.
    """
    arguments: dict[str, Any] = {"security_protocol": settings.security_protocol}
    if settings.security_protocol.startswith("SASL"):
        arguments |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.username,
            "sasl_plain_password": settings.password,
        }
    if settings.security_protocol.endswith("SSL"):
        arguments["ssl_context"] = _ssl_context(settings)
    return arguments


async def refusal_of(settings: Kafka) -> str | None:
    """Why the broker refuses us, and what to do; None where it does not answer, or lets us in."""
    for host, port, _ in collect_hosts(settings.servers):
        try:
            connection = await create_conn(
                host, port, request_timeout_ms=PROBE_TIMEOUT_MS, **security_arguments(settings)
            )
        except (SaslAuthenticationFailed, IllegalSaslStateError):
            return f"{host}:{port} refuses user {settings.username!r}: see kafka.username, kafka.password, kafka.sasl_mechanism"
        except UnsupportedSaslMechanismError:
            return f"{host}:{port} does not take {settings.sasl_mechanism}: set kafka.sasl_mechanism to what its listener has"
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


def describe_denial(username: str, operation: str, what: str) -> str:
    """That a user may not do an operation on something, and how the right is given."""
    user = repr(username) if username else "without a name"
    return f"user {user} may not {operation} {what} (denied by the broker): wiredesk topics grants"


def denied_names(error: BaseException) -> list[str]:
    """What the broker's answer is about, where the client says it."""
    names: list[Any] = []
    for argument in error.args:
        names += sorted(argument) if isinstance(argument, set | frozenset | list | tuple) else [argument]
    return [str(name) for name in names]


class SecretChanged(Exception):
    """The file of the password says something new, after the broker has refused what we have: start again with it."""


async def watch_credentials(settings: Kafka) -> None:
    """Look now and then whether the broker still lets us in, until cancelled. Nothing is asked where there is no login.

    Raises:
        SecretChanged: it does not, and the password's file has changed.
        Misconfigured: it does not, and the file (where there is one) has said nothing new for a while.
    """
    first_s = 0.0
    while settings.security_protocol != "PLAINTEXT":
        await asyncio.sleep(REFUSED_INTERVAL_S if first_s else PROBE_INTERVAL_S)
        refusal = await refusal_of(settings)
        if refusal is None:
            if first_s:
                log.info("Kafka lets us in again", servers=settings.servers)
            first_s = 0.0
            continue
        secret = read_secret_file("kafka.password", os.environ)
        if secret is not None and secret != settings.password:
            raise SecretChanged
        if not first_s:
            first_s = time.monotonic()
            has_file = "its file is read again for a while" if secret is not None else "it came in by no file"
            log.error("Kafka refuses us while we run", reason=refusal, password=has_file)
        elif secret is None or time.monotonic() - first_s > FILE_PATIENCE_S:
            raise Misconfigured(refusal)
        RETRIES.labels("kafka").inc()
    await asyncio.Event().wait()


def certificates_part(settings: Kafka) -> ReloadPart:
    """Our certificates and those of authorities, which running clients use for connections from then on.

    An authority that has left its file is trusted until the process ends.
    """

    def paths() -> list[Path]:
        return [find_file(path) for _, path in _certificate_files(settings)]

    def load() -> dict[str, str]:
        if paths():
            _make_context(settings)  # refuses what can't be used
        return {
            name: hashlib.sha256(find_file(path).read_bytes()).hexdigest()
            for name, path in _certificate_files(settings)
        }

    async def put_in_force(_digests: dict[str, str]) -> None:
        files = dict(_certificate_files(settings))
        context = _CONTEXTS.get(_context_key(settings))
        if context is None:
            return
        if "ca_file" in files:
            context.load_verify_locations(cafile=find_file(files["ca_file"]))
        if "cert_file" in files:
            context.load_cert_chain(find_file(files["cert_file"]), find_file(files["key_file"]))

    return ReloadPart(
        "certificates",
        paths,
        load,
        lambda digests: {f"kafka.{name}": digest for name, digest in digests.items()},
        put_in_force,
    )


# One for all clients of a process, so that a certificate that is renewed is theirs as well.
_CONTEXTS: Final[dict[tuple[tuple[str, str], ...], ssl.SSLContext]] = {}


def _context_key(settings: Kafka) -> tuple[tuple[str, str], ...]:
    return tuple(_certificate_files(settings))


def _certificate_files(settings: Kafka) -> Iterator[tuple[str, str]]:
    """The files that the settings name, by the settings' names."""
    if settings.security_protocol.endswith("SSL"):
        for name in ("ca_file", "cert_file", "key_file"):
            if path := getattr(settings, name):
                yield name, path


def _ssl_context(settings: Kafka) -> ssl.SSLContext:
    key = _context_key(settings)
    if key not in _CONTEXTS:
        _CONTEXTS[key] = _make_context(settings)
    return _CONTEXTS[key]


def _make_context(settings: Kafka) -> ssl.SSLContext:
    paths: dict[str, str | None] = {}
    for name in ("ca_file", "cert_file", "key_file"):
        path = getattr(settings, name) and str(find_file(getattr(settings, name)))
        paths[name] = path or None
        try:
            if path:
                open(path, "rb").close()  # noqa: PTH123 -- whether it can be read
        except OSError as error:
            raise Misconfigured(f"kafka.{name}: {path}: {error.strerror}") from error
    try:
        context: ssl.SSLContext = create_ssl_context(
            cafile=paths["ca_file"], certfile=paths["cert_file"], keyfile=paths["key_file"]
        )
    except (ssl.SSLError, OSError) as error:
        files = ", ".join(filter(None, paths.values()))
        raise Misconfigured(
            f"kafka.ca_file, kafka.cert_file: {files}: not PEM, or not a pair: {error}"
        ) from error
    return context
