"""Folders on SFTP servers, by asyncssh. A server is known by its key, which the operator names; the user's own files of ssh are not read."""

from __future__ import annotations

import stat
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import asyncssh
from msgspec import Meta

from config.redaction import redact_secrets
from streams.files import printable_path
from streams.sources.ports import SecretReader, SourceFault, SourceKind, SourceLimits
from streams.sources.remote_files import MAX_FILES, FileOptions, FolderSource, RemoteFile

T = TypeVar("T")


class SftpOptions(FileOptions, frozen=True, kw_only=True):
    """The keys of a folder on an SFTP server. Secrets: ``password``, or ``private_key`` and perhaps ``passphrase``."""

    port: Annotated[int, Meta(ge=1, le=65_535)] = 22
    host_key: str = ""  # as in a line of known_hosts without the host: "ssh-ed25519 AAAA…"
    known_hosts: str = ""  # or such a file


class SftpFolder:
    """One folder (`streams.sources.remote_files.FileServer`)."""

    has_folders = True

    def __init__(self, options: SftpOptions, secrets: SecretReader, limits: SourceLimits) -> None:
        """Nothing is connected yet."""
        self._options, self._secrets, self._limits = options, secrets, limits
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None
        self.max_parallel = options.connections

    async def open(self) -> None:
        """Connect, look at the server's key, and log in."""
        options, names = self._options, self._secrets.names()
        if options.host_key:
            known = f"{_known_name(options)} {options.host_key}\n".encode()
        else:
            known = await _read_file(options.known_hosts)
        password = self._secrets.read("password") if "password" in names else None
        keys = (self._private_key(),) if "private_key" in names else ()
        self._connection = await self._try(
            asyncssh.connect(
                options.host, options.port, username=options.user, password=password, client_keys=keys,
                known_hosts=known, config=None, agent_path=None, agent_forwarding=False,
                connect_timeout=self._limits.connect_timeout_s, login_timeout=self._limits.read_timeout_s,
                keepalive_interval=self._limits.read_timeout_s,
            )
        )  # fmt: skip
        self._client = await self._try(
            self._connection.start_sftp_client(path_encoding="utf-8", path_errors="surrogateescape")
        )

    def _private_key(self) -> asyncssh.SSHKey:
        passphrase = self._secrets.read("passphrase") if "passphrase" in self._secrets.names() else None
        try:
            return asyncssh.import_private_key(self._secrets.read("private_key"), passphrase)
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            raise SourceFault(
                "credentials", "the secret 'private_key' is no private key, or its passphrase is wrong"
            ) from error

    async def close(self) -> None:
        """Disconnect."""
        if self._client:
            self._client.exit()
        if self._connection:
            self._connection.close()
            await self._connection.wait_closed()

    async def list_files(self) -> Sequence[RemoteFile]:
        """The regular files of the folder."""
        return await self._try(self._scan())

    async def _scan(self) -> list[RemoteFile]:
        files = []
        async for entry in self._open_client().scandir(self._options.path):
            file = _as_file(str(entry.filename), entry.attrs)
            if file:
                files.append(file)
                if len(files) > MAX_FILES:
                    break
        return files

    async def read(self, name: str, limit: int) -> bytes | None:
        """The first bytes of a file. One that has become a link meanwhile is left alone."""
        if await self.find(name) is None:
            return None
        try:
            return await self._try(self._read_bytes(name, limit), name)
        except SourceFault as fault:
            if isinstance(fault.__cause__, asyncssh.SFTPNoSuchFile):
                return None
            raise

    async def _read_bytes(self, name: str, limit: int) -> bytes:
        async with self._open_client().open(self._path(name), "rb") as file:
            content: Any = await file.read(limit)
            return bytes(content)

    async def find(self, name: str) -> RemoteFile | None:
        """A regular file by its name."""
        try:
            attributes = await self._try(self._open_client().lstat(self._path(name)), name)
        except SourceFault as fault:
            if isinstance(fault.__cause__, asyncssh.SFTPNoSuchFile | asyncssh.SFTPNoSuchPath):
                return None
            raise
        return _as_file(name, attributes)

    async def delete(self, name: str) -> None:
        """Delete a file."""
        with suppress(_Missing):
            await self._change(self._open_client().remove(self._path(name)), name)

    async def move(self, name: str, target: str) -> None:
        """Rename a file into a folder, which is made where it is missing."""
        client = self._open_client()
        with suppress(SourceFault):  # it is there as a rule
            await self._try(client.mkdir(self._path(target.rpartition("/")[0])))
        with suppress(_Missing):
            await self._change(client.rename(self._path(name), self._path(target)), name)

    async def _change(self, call: Awaitable[T], name: str) -> T:
        try:
            return await self._try(call, name)
        except SourceFault as fault:
            if isinstance(fault.__cause__, asyncssh.SFTPNoSuchFile):
                raise _Missing from fault
            raise

    def _open_client(self) -> asyncssh.SFTPClient:
        assert self._client
        return self._client

    def _path(self, name: str) -> str:
        return f"{self._options.path}/{name}"

    async def _try(self, call: Awaitable[T], name: str = "") -> T:
        """What a call gives; its error as a fault, whose cause it is."""
        try:
            return await call
        except asyncssh.PermissionDenied as error:
            raise SourceFault(
                "credentials", f"the server refuses the login of {self._options.user!r}"
            ) from error
        except asyncssh.HostKeyNotVerifiable as error:
            reason = "the server's key is not the one in `host_key` or `known_hosts`"
            raise SourceFault("tls", reason) from error
        except asyncssh.SFTPError as error:
            where = printable_path(name) if name else self._options.path
            lost = isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection)
            raise SourceFault("reset" if lost else "http_4xx", f"{where}: {_reason(error)}") from error
        except TimeoutError as error:
            raise SourceFault("timeout", "the server does not answer") from error
        except asyncssh.Error as error:
            raise SourceFault("reset", _reason(error)) from error
        except OSError as error:
            raise SourceFault("connect", error.strerror or str(error)) from error


class _Missing(Exception):
    """A file that is gone."""


def _as_file(name: str, attributes: asyncssh.SFTPAttrs) -> RemoteFile | None:
    if attributes.permissions is None or not stat.S_ISREG(attributes.permissions):
        return None
    return RemoteFile(name, attributes.size or 0, int(attributes.mtime or 0))


def _known_name(options: SftpOptions) -> str:
    return (
        options.host if options.port == 22 else f"[{options.host}]:{options.port}"
    )  # as known_hosts writes it


async def _read_file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()  # noqa: ASYNC240 -- a small file of the operator
    except OSError as error:
        raise SourceFault("tls", f"known_hosts: {path}: {error.strerror}") from error


def _reason(error: Exception) -> str:
    return redact_secrets(f"{getattr(error, 'reason', '') or error}")[:200]


def _place_of(options: SftpOptions) -> str:
    if not options.host_key and not options.known_hosts:
        raise ValueError("name the server's key: `host_key` or `known_hosts` (ssh-keyscan shows it)")
    return f"sftp://{options.host}:{options.port}/{options.path.lstrip('/')}"


def _make(options: SftpOptions, secrets: SecretReader, limits: SourceLimits) -> FolderSource:
    return FolderSource(options, SftpFolder(options, secrets, limits), limits)


SOURCE: Final = SourceKind(SftpOptions, _make, _place_of)
