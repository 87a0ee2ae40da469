"""Folders on FTP servers, in clear or by TLS (RFC 4217), by the standard library's client on a thread.

Data connections go to the server itself, whatever address it names. Servers without MLSD (RFC 3659) are asked for names,
then for the size and time of each.
"""

from __future__ import annotations

import calendar
import ftplib
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Annotated, Final, Literal, TypeVar

from msgspec import Meta

from sinks.callers import is_loopback
from streams.files import printable_path
from streams.sources.blocking import ClientThread
from streams.sources.ports import SecretReader, SourceFault, SourceKind, SourceLimits, tls_fault
from streams.sources.remote_files import MAX_FILES, FileOptions, FolderSource, RemoteFile

T = TypeVar("T")
CHUNK_BYTES: Final = 65_536
NOT_THERE: Final = "550"  # RFC 959, 4.2: no such file, or no access
LOGIN_REFUSED: Final = ("530", "430", "532", "331")


class FtpOptions(FileOptions, frozen=True, kw_only=True):
    """The keys of a folder on an FTP server. The secret ``password``; without a user the login is anonymous."""

    port: Annotated[int, Meta(ge=1, le=65_535)] = 21
    tls: Literal["explicit", "off"] = "explicit"
    ca_file: str = ""  # certificates that are believed in place of the system's


class FtpFolder:
    """One folder (`streams.sources.remote_files.FileServer`)."""

    has_folders = True
    max_parallel = 1  # the control connection does one thing at a time

    def __init__(self, options: FtpOptions, secrets: SecretReader, limits: SourceLimits) -> None:
        """Nothing is connected yet."""
        self._options, self._secrets, self._limits = options, secrets, limits
        self._thread = ClientThread("ftp")
        self._client: ftplib.FTP | None = None
        self._has_mlsd = True

    async def open(self) -> None:
        """Connect, log in, and go to the folder."""
        password = self._secrets.read("password") if "password" in self._secrets.names() else ""
        await self._try(lambda: self._connect(password))

    def _connect(self, password: str) -> None:
        options, timeout_s = self._options, self._limits.read_timeout_s
        client: ftplib.FTP
        if options.tls == "off":
            client = ftplib.FTP(timeout=timeout_s, encoding="utf-8")  # noqa: S321 -- the operator says so
        else:
            context = ssl.create_default_context(cafile=options.ca_file or None)
            client = ftplib.FTP_TLS(context=context, timeout=timeout_s, encoding="utf-8")  # noqa: S321 -- with TLS
        self._client = client
        client.connect(options.host, options.port, timeout=self._limits.connect_timeout_s)
        if client.sock is not None:
            client.sock.settimeout(timeout_s)
        client.login(options.user, password)
        if isinstance(client, ftplib.FTP_TLS):
            client.prot_p()
        client.cwd(options.path)
        client.voidcmd("TYPE I")

    async def close(self) -> None:
        """Drop the connection; a call that hangs ends with it."""
        client, self._client = self._client, None
        if client is not None and client.sock is not None:
            with suppress(OSError):
                client.sock.close()

    async def list_files(self) -> Sequence[RemoteFile]:
        """The regular files of the folder."""
        return await self._try(self._list)

    def _list(self) -> Sequence[RemoteFile]:
        client = self._open_client()
        if self._has_mlsd:
            try:
                listed = list(islice(client.mlsd(facts=["type", "size", "modify"]), MAX_FILES + 1))
            except ftplib.error_perm as error:
                if not str(error).startswith("5"):
                    raise
                self._has_mlsd = False
            else:
                client.voidcmd("TYPE I")  # a listing goes in the other, in which files have no size
                return [file for name, facts in listed if (file := _as_file(name, facts))]
        files = []
        names = client.nlst()[: MAX_FILES + 1]
        client.voidcmd("TYPE I")
        for name in names:
            base = name.rpartition("/")[2]
            if (file := self._find(base)) is not None:
                files.append(file)
        return files

    async def read(self, name: str, limit: int) -> bytes | None:
        """The first bytes of a file."""
        return await self._try(lambda: self._read_bytes(name, limit), name)

    def _read_bytes(self, name: str, limit: int) -> bytes | None:
        client = self._open_client()
        parts: list[bytes] = []
        size = 0
        try:
            with client.transfercmd(f"RETR {name}") as connection:
                while chunk := connection.recv(CHUNK_BYTES):
                    parts.append(chunk)
                    size += len(chunk)
                    if size > limit:
                        raise SourceFault("too_large", f"{printable_path(name)} grew over its size")
                if isinstance(connection, ssl.SSLSocket):
                    with suppress(OSError):
                        connection.unwrap()
            client.voidresp()
        except ftplib.error_perm as error:
            if str(error).startswith(NOT_THERE) and self._find(name) is None:
                return None
            raise
        return b"".join(parts)

    async def find(self, name: str) -> RemoteFile | None:
        """A file by its name."""
        return await self._try(lambda: self._find(name), name)

    def _find(self, name: str) -> RemoteFile | None:
        client = self._open_client()
        try:
            size = client.size(name)
            modified = client.voidcmd(f"MDTM {name}")[4:].strip()
        except ftplib.error_perm as error:
            if str(error).startswith(NOT_THERE):
                return None
            raise
        return RemoteFile(name, size or 0, _seconds(modified))

    async def delete(self, name: str) -> None:
        """Delete a file."""
        await self._try(lambda: self._unless_gone(name, lambda client: client.delete(name)), name)

    async def move(self, name: str, target: str) -> None:
        """Rename a file into a folder, which is made where it is missing."""

        def rename(client: ftplib.FTP) -> str:
            with suppress(ftplib.error_perm):  # it is there as a rule
                client.mkd(target.rpartition("/")[0])
            return client.rename(name, target)

        await self._try(lambda: self._unless_gone(name, rename), name)

    def _unless_gone(self, name: str, change: Callable[[ftplib.FTP], str]) -> None:
        try:
            change(self._open_client())
        except ftplib.error_perm:
            if self._find(name) is not None:
                raise

    def _open_client(self) -> ftplib.FTP:
        if self._client is None:
            raise SourceFault("reset", "the connection was closed")
        return self._client

    async def _try(self, call: Callable[[], T], name: str = "") -> T:
        """What a call gives; its error as a fault."""
        where = f"{printable_path(name)}: " if name else ""
        try:
            return await self._thread.run(call)
        except ssl.SSLError as error:
            raise tls_fault(error) from error
        except ftplib.error_perm as error:
            if str(error).startswith(LOGIN_REFUSED):
                raise SourceFault(
                    "credentials", f"the server refuses the login of {self._options.user!r}"
                ) from error
            raise SourceFault("http_4xx", f"{where}the server said {str(error)[:100]}") from error
        except ftplib.Error as error:
            raise SourceFault("http_5xx", f"{where}the server said {str(error)[:100]}") from error
        except TimeoutError as error:
            raise SourceFault("timeout", f"{where}the server does not answer") from error
        except EOFError as error:
            raise SourceFault("reset", f"{where}the server closed the connection") from error
        except ValueError as error:  # a name with a line's end, which no command of FTP can hold
            raise SourceFault("bad_response", f"{where}{error}") from error
        except OSError as error:
            raise SourceFault("connect", f"{where}{error.strerror or error}") from error


def _as_file(name: str, facts: dict[str, str]) -> RemoteFile | None:
    if facts.get("type", "").lower() != "file" or not facts.get("size", "").isdigit():
        return None
    return RemoteFile(name.rpartition("/")[2], int(facts["size"]), _seconds(facts.get("modify", "")))


def _seconds(moment: str) -> int:
    try:
        return calendar.timegm(time.strptime(moment[:14], "%Y%m%d%H%M%S"))
    except ValueError:
        return 0


def _place_of(options: FtpOptions) -> str:
    if options.tls == "off" and options.user and not is_loopback(options.host):
        raise ValueError('tls = "off" would send the password in clear; leave out the user, or use TLS')
    return f"ftp://{options.host}:{options.port}/{options.path.lstrip('/')}"


def _make(options: FtpOptions, secrets: SecretReader, limits: SourceLimits) -> FolderSource:
    return FolderSource(options, FtpFolder(options, secrets, limits), limits)


SOURCE: Final = SourceKind(FtpOptions, _make, _place_of)
