"""The certificate and key that rtmps is served with, read from two files and read again when they change.

Rule: what is served is always a pair that fits. A new pair that does not load is logged, and the old one stays; it is
looked at again when the files change again. Connections that stand keep what they began with.
"""

import ssl
from datetime import datetime
from pathlib import Path

import structlog
from cryptography import x509

log = structlog.get_logger()

Stamp = tuple[tuple[int, ...], ...]


class CertificateFault(Exception):  # noqa: N818 - whose fault it is: the files
    """The pair cannot be served; the text is one line that names the file."""


class Certificate:
    """`context` is for listeners; what it serves is the newest good pair."""

    def __init__(self, certificate_file: Path, key_file: Path) -> None:
        """Raises CertificateFault."""
        self._files = certificate_file, key_file
        self._seen = self._stamp()
        self._current = self._load()
        self.context = self._current
        # Each handshake is moved to the newest pair, with or without a server name in it. (Loading into the context
        # itself would leave a new certificate with the old key, where the new key does not fit.)
        self.context.sni_callback = self._serve_newest

    def refresh(self) -> bool:
        """Looks at the files; whether a new pair is served from now on."""
        seen = self._stamp()
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            self._current = self._load()
        except CertificateFault as fault:
            log.error("rtmps_certificate_unusable", error=str(fault), now="the one before is served on")
            return False
        log.info("rtmps_certificate_loaded", file=str(self._files[0]), not_after=str(not_after(self._files[0])))
        return True

    def _serve_newest(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        del name, context
        connection.context = self._current

    def _load(self) -> ssl.SSLContext:
        certificate, key = self._files
        for file in self._files:
            try:
                file.read_bytes()
            except OSError as error:
                raise CertificateFault(f"{file}: {error.strerror}") from error
        not_after(certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.num_tickets = 0  # librtmp over GnuTLS takes a ticket of TLS 1.3 for an error; encoders resume nothing
        try:
            context.load_cert_chain(certificate, key, password="")  # never ask at the terminal
        except ssl.SSLError as error:
            said = "does not fit the certificate" if error.reason == "KEY_VALUES_MISMATCH" else _unreadable(error)
            raise CertificateFault(f"{key}: the key {said} ({certificate})") from error
        return context

    def _stamp(self) -> Stamp:
        return tuple(_file_stamp(file) for file in self._files)


def not_after(certificate_file: Path) -> datetime:
    """When the certificate (the first of a chain) ends, in UTC. Raises CertificateFault."""
    return leaf(certificate_file).not_valid_after_utc


def leaf(certificate_file: Path) -> x509.Certificate:
    """The server's own certificate, the first in the file. Raises CertificateFault."""
    try:
        return x509.load_pem_x509_certificate(certificate_file.read_bytes())
    except OSError as error:
        raise CertificateFault(f"{certificate_file}: {error.strerror}") from error
    except ValueError as error:
        raise CertificateFault(f"{certificate_file}: no certificate in PEM") from error


def _file_stamp(file: Path) -> tuple[int, ...]:
    """Changes with the contents, also when another file is moved over it or a link is turned."""
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _unreadable(error: ssl.SSLError) -> str:
    return f"cannot be read, or has a pass phrase: {error.reason or 'no PEM'}"
