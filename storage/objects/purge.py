"""Delete everything under a prefix and prove it: every object, version, delete marker and unfinished upload.

List, delete in batches, list again; only an empty second listing counts. Listing first and deleting then keeps the
continuation markers of the listing true on every store.
"""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from minio import Minio
from minio.deleteobjects import DeleteObject
from minio.error import S3Error

from storage.objects.faults import PrefixNotEmpty, translated

BATCH = 1000  # S3 DeleteObjects takes no more
ROUNDS = 3  # a write that was on its way when the purge began lands within these


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a prefix held before it was emptied, for the certificate."""

    objects: int
    """Versions of objects, without delete markers."""
    size: int
    """Bytes of all of them."""
    uploads: int
    """Unfinished multipart uploads."""
    listing_sha256: bytes
    """Over one line `key TAB version TAB size TAB etag LF` for each object, in the order they were listed."""


@dataclass(frozen=True, slots=True)
class _Version:
    key: str
    version_id: str | None
    size: int
    etag: str
    marker: bool


def delete_prefix(client: Minio, bucket: str, prefix: str) -> Deleted:
    """Empty `prefix`. Raises PrefixNotEmpty, ObjectStoreUnavailable; then some of it may be gone already."""
    check_prefix(prefix)
    objects = size = uploads = 0
    listing = hashlib.sha256()
    refused: list[str] = []
    with translated(prefix):
        for _ in range(ROUNDS):
            versions = list(_versions(client, bucket, prefix))
            unfinished = list(_uploads(client, bucket, prefix))
            if not versions and not unfinished:
                return Deleted(objects, size, uploads, listing.digest())
            refused = _delete(client, bucket, versions) + _abort(client, bucket, unfinished)
            if refused:
                break
            uploads += len(unfinished)
            for version in versions:
                objects += not version.marker
                size += version.size
                line = f"{version.key}\t{version.version_id or ''}\t{version.size}\t{version.etag}\n"
                listing.update(line.encode())
    why = f"the store refused: {'; '.join(refused[:3])}" if refused else f"still being written to after {ROUNDS} rounds"
    raise PrefixNotEmpty(prefix, why)


def is_empty(client: Minio, bucket: str, prefix: str) -> bool:
    """Whether nothing is left under `prefix`, in any version, finished or not."""
    check_prefix(prefix)
    with translated(prefix):
        anything = itertools.chain(_versions(client, bucket, prefix), _uploads(client, bucket, prefix))
        return next(anything, None) is None


def check_prefix(prefix: str) -> None:
    """Refuse a prefix that would take more than one thing's objects: `recordings/` or half an identifier."""
    if not prefix.endswith("/") or prefix.count("/") < 2 or prefix.startswith("/") or "//" in prefix:
        message = f"too wide or not a folder: {prefix!r}"
        raise ValueError(message)


def _versions(client: Minio, bucket: str, prefix: str) -> Iterator[_Version]:
    for found in client.list_objects(bucket, prefix, recursive=True, include_version=True):
        yield _Version(
            found.object_name or "", found.version_id, found.size or 0, found.etag or "", bool(found.is_delete_marker)
        )


def _uploads(client: Minio, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
    """Key and id of every unfinished upload. The client's only way to them is private."""
    key_marker = upload_id_marker = None
    while True:
        page = client._list_multipart_uploads(
            bucket, prefix=prefix, key_marker=key_marker, upload_id_marker=upload_id_marker
        )
        for upload in page.uploads:
            if upload.upload_id is not None:
                yield upload.object_name, upload.upload_id
        if not page.is_truncated:
            return
        key_marker, upload_id_marker = page.next_key_marker, page.next_upload_id_marker


def _delete(client: Minio, bucket: str, versions: list[_Version]) -> list[str]:
    """Delete in batches; what the store refused, in words."""
    refused: list[str] = []
    for first in range(0, len(versions), BATCH):
        batch = [DeleteObject(version.key, version.version_id) for version in versions[first : first + BATCH]]
        refused += [f"{error.name}: {error.code}" for error in client.remove_objects(bucket, batch)]
    return refused


def _abort(client: Minio, bucket: str, uploads: list[tuple[str, str]]) -> list[str]:
    refused: list[str] = []
    for key, upload_id in uploads:
        try:
            client._abort_multipart_upload(bucket, key, upload_id)
        except S3Error as fault:
            if fault.code != "NoSuchUpload":  # finished or aborted since it was listed: the next round tells
                refused.append(f"{key}: {fault.code}")
    return refused
