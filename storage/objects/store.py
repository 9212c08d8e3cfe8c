"""The object store: put, read back, verify, list, delete a prefix. Synchronous and thread-safe; event loops call it
from a worker thread.

What deletes local data takes proof: a `VerifiedCopy`, which only this class makes, after reading every byte back:
`verify` against a hash, `put_pieces` against the files themselves. `as_recorded` alone makes one again that a row has
kept. Faults are those of `faults.py`, never the client's own.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import InitVar, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from minio.error import S3Error
from urllib3.response import BaseHTTPResponse

from storage.objects import purge
from storage.objects.body import BytesBody, FileBody, Piece
from storage.objects.checksums import checksum
from storage.objects.client import make_client, make_pool
from storage.objects.faults import ObjectCorrupt, ObjectStoreUnavailable, translated
from storage.objects.lines import Lines
from storage.objects.put import Putter
from storage.settings import StorageSettings

CHUNK_BYTES = 256 * 1024
_ONLY_THE_STORE_HAS_THIS = object()


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store acknowledged; not yet proof that it can be read."""

    key: str
    size: int
    sha256: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class VerifiedCopy:
    """Proof that the store gave back `size` bytes with this SHA-256 under `key`."""

    key: str
    size: int
    sha256: bytes
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _ONLY_THE_STORE_HAS_THIS:
            raise TypeError("only ObjectStore makes a VerifiedCopy")


@dataclass(frozen=True, slots=True)
class Listed:
    """One object of a listing."""

    key: str
    size: int
    modified_at: datetime


class ObjectStream:
    """An object's bytes on their way; iterate once."""

    def __init__(self, key: str, response: BaseHTTPResponse) -> None:
        self.size = int(response.headers.get("Content-Length", 0))
        """How many bytes will come."""
        self._key = key
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        """Chunks of at most 256 KiB. Raises ObjectStoreUnavailable when the store breaks off."""
        with translated(self._key):
            yield from self._response.stream(CHUNK_BYTES, decode_content=False)

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end. Raises ObjectStoreUnavailable when the store breaks off."""
        with translated(self._key):
            data = self._response.read(size, decode_content=False)
            # Where the store broke off, what came before is given out first; only the next read says so.
            while len(data) < size and (more := self._response.read(size - len(data), decode_content=False)):
                data += more
            return data


def as_recorded(key: str, size: int, sha256: bytes) -> VerifiedCopy:
    """The proof that a reel's row is: one is written for a VerifiedCopy alone, and a crash may have come before its
    spool files were let go of.
    """
    return VerifiedCopy(key, size, sha256, _ONLY_THE_STORE_HAS_THIS)


class ObjectStore:
    """One bucket; every method may be called from any thread."""

    def __init__(self, settings: StorageSettings) -> None:
        self._lines = Lines()
        pool = make_pool(settings, self._lines)
        self._client = make_client(settings, pool)
        self._putter = Putter(settings, self._client, pool)
        self._bucket = settings.s3_bucket

    def close(self) -> None:
        """Ends what is under way, and refuses what comes after: ObjectStoreUnavailable, in whichever thread. For a
        process that stops: of what was not finished nothing is known, and all of it can be done again.
        """
        self._lines.close()

    def ensure_bucket(self) -> None:
        """Make the bucket when it is not there yet."""
        with translated(self._bucket):
            if self._client.bucket_exists(self._bucket):
                return
            try:
                self._client.make_bucket(self._bucket)
            except S3Error as fault:
                if fault.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:  # somebody was quicker
                    raise

    def put_pieces(self, key: str, pieces: Sequence[Piece]) -> VerifiedCopy:
        """Store pieces of files as one object, and read it back beside them: each byte is compared with its file's, and
        each piece's checksum with what it was made of; the hash is of what came back, so that it is the hash of all
        and made once.

        Raises ObjectCorrupt, ObjectMissing, ObjectStoreUnavailable, and OSError of the files: also where one no longer
        has what its checksum says.
        """
        body = FileBody(pieces)
        try:
            with translated(key):
                self._putter.put(key, body, None, _content_type(key))
        except ObjectStoreUnavailable:
            if body.fault is not None:
                raise body.fault from None
            raise
        found = hashlib.sha256()
        with self.open_stream(key) as stream:
            _require_size(stream, key, body.size)
            for piece in pieces:
                check = 0
                for chunk in body.chunks(piece):
                    came = stream.read(len(chunk))
                    if came != bytes(chunk):
                        raise ObjectCorrupt(key, "other bytes came back than were stored")
                    found.update(came)
                    check = checksum(came, check)
                if piece.checksum not in (None, check):
                    raise OSError(f"{piece.path} has not what was captured from {piece.offset} on")
        return VerifiedCopy(key, body.size, found.digest(), _ONLY_THE_STORE_HAS_THIS)

    def put_bytes(self, key: str, content: bytes) -> Stored:
        """Store what is in memory."""
        body, sha256 = BytesBody(content), hashlib.sha256(content).digest()
        with translated(key):
            etag = self._putter.put(key, body, sha256, _content_type(key))
        return Stored(key, body.size, sha256, etag)

    def verify(self, key: str, sha256: bytes, size: int) -> VerifiedCopy:
        """Read the object back, all of it. Raises ObjectCorrupt, ObjectMissing, ObjectStoreUnavailable."""
        found = hashlib.sha256()
        with self.open_stream(key) as stream:
            _require_size(stream, key, size)
            for chunk in stream:
                found.update(chunk)
        if found.digest() != sha256:
            raise ObjectCorrupt(key, f"SHA-256 {found.hexdigest()} stored, {sha256.hex()} expected")
        return VerifiedCopy(key, size, sha256, _ONLY_THE_STORE_HAS_THIS)

    def read(self, key: str, first: int = 0, last: int | None = None) -> bytes:
        """The bytes from `first` to `last`, both included as in HTTP; to the end without `last`."""
        with self.open_stream(key, first, last) as stream:
            return b"".join(stream)

    @contextmanager
    def open_stream(self, key: str, first: int = 0, last: int | None = None) -> Iterator[ObjectStream]:
        """The same bytes as they come, for what is too large to hold. Raises ObjectCorrupt when there are fewer."""
        wanted = None if last is None else last - first + 1
        if first < 0 or (wanted is not None and wanted < 1):
            message = f"not a range: {first}-{last}"
            raise ValueError(message)
        with translated(key):
            response = self._client.get_object(self._bucket, key, offset=first, length=wanted or 0)
        stream = ObjectStream(key, response)
        try:
            if wanted is not None and stream.size != wanted:
                raise ObjectCorrupt(key, f"{stream.size} bytes from {first}, {wanted} expected")
            yield stream
        finally:
            # A connection with bytes still on it is closed, one read to its end goes back to the pool.
            if response.tell() < stream.size:
                response.close()
            response.release_conn()

    def stat(self, key: str) -> Listed:
        """Size and time of one object. Raises ObjectMissing."""
        with translated(key):
            found = self._client.stat_object(self._bucket, key)
        return Listed(key, found.size or 0, found.last_modified or datetime.fromtimestamp(0, UTC))

    def presigned_query(self, key: str, seconds: int) -> str:
        """The query that lets whoever stands in front of us read this object for so long; never shown to a viewer."""
        with translated(key):
            url = self._client.presigned_get_object(self._bucket, key, expires=timedelta(seconds=seconds))
        return urlsplit(url).query

    def list_prefix(self, prefix: str) -> Iterator[Listed]:
        """Every current object under `prefix`, in the order of their keys, page by page."""
        with translated(prefix):
            for found in self._client.list_objects(self._bucket, prefix, recursive=True):
                modified_at = found.last_modified or datetime.fromtimestamp(0, UTC)
                yield Listed(found.object_name or "", found.size or 0, modified_at)

    def delete_prefix(self, prefix: str) -> purge.Deleted:
        """Delete everything under `prefix` and see that it is gone; see purge.py."""
        return purge.delete_prefix(self._client, self._bucket, prefix)

    def prefix_is_empty(self, prefix: str) -> bool:
        """Whether nothing is left under `prefix`: no object, version, delete marker or unfinished upload."""
        return purge.is_empty(self._client, self._bucket, prefix)


def _require_size(stream: ObjectStream, key: str, size: int) -> None:
    if stream.size != size:
        raise ObjectCorrupt(key, f"{stream.size} bytes stored, {size} expected")


_CONTENT_TYPES = {
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt",
    ".json": "application/json",
}


def _content_type(key: str) -> str:
    return _CONTENT_TYPES.get(Path(key).suffix, "application/octet-stream")
