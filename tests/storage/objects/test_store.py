"""The object store against a real S3 server; faults by a proxy that cuts, or an address where nobody listens.

How to test here: take `object_store` and a prefix of your own (`prefix`); never mock the client.
"""

import copy
import dataclasses
import hashlib
import io
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from minio import Minio
from minio.commonconfig import ENABLED
from minio.versioningconfig import SUSPENDED, VersioningConfig

from storage.embedded import s3 as embedded_s3
from storage.embedded.ports import free_ports
from storage.objects import keys
from storage.objects.body import CHUNK_BYTES, Piece
from storage.objects.faults import ObjectCorrupt, ObjectMissing, ObjectStoreUnavailable
from storage.objects.store import ObjectStore, VerifiedCopy
from tests.kit.fixtures import object_store_settings
from tests.storage.objects.cutting_proxy import CuttingProxy
from tests.storage.objects.tls import server_context, tls_front

CONTENT = b"0123456789"
DIGEST = hashlib.sha256(CONTENT).digest()


@pytest.fixture
def prefix() -> str:
    return keys.recording_prefix(uuid4())


@pytest.fixture
def client(s3: embedded_s3.Running) -> Minio:
    """The bare client, to do behind the store's back what the store would not."""
    return Minio(s3.endpoint, s3.access_key, s3.secret_key, secure=False, region=s3.region)


@pytest.fixture
def pieces(tmp_path: Path) -> tuple[list[Piece], bytes]:
    """Pieces of two files, longer than what is read at once, and what they make."""
    first, second = os.urandom(2 * CHUNK_BYTES + 7), os.urandom(CHUNK_BYTES + 3)
    (tmp_path / "1").write_bytes(b"before" + first + b"after")
    (tmp_path / "2").write_bytes(second)
    found = [Piece(tmp_path / "1", 6, len(first)), Piece(tmp_path / "2", 0, 3), Piece(tmp_path / "2", 3, CHUNK_BYTES)]
    return found, first + second


def test_pieces_of_files_go_up_as_one_and_are_proven(
    object_store: ObjectStore, prefix: str, pieces: tuple[list[Piece], bytes]
) -> None:
    found, content = pieces
    digest = hashlib.sha256(content).digest()
    copy_ = object_store.put_pieces(prefix + "a.m4s", found)
    assert (copy_.key, copy_.sha256, copy_.size) == (prefix + "a.m4s", digest, len(content))
    assert object_store.verify(prefix + "a.m4s", digest, len(content)) == copy_
    assert object_store.read(prefix + "a.m4s") == content


def test_what_is_said_of_an_object_is_kept_beside_it(
    object_store: ObjectStore, prefix: str, client: Minio, s3: embedded_s3.Running
) -> None:
    object_store.put_bytes(prefix + "课 1+2.mp4", CONTENT)
    found = client.stat_object(s3.bucket, prefix + "课 1+2.mp4")
    assert (found.content_type, found.metadata and found.metadata["x-amz-meta-sha256"]) == ("video/mp4", DIGEST.hex())


def test_only_verify_makes_the_proof(object_store: ObjectStore, prefix: str) -> None:
    with pytest.raises(TypeError, match="only ObjectStore makes"):
        VerifiedCopy("key", 1, DIGEST, object())
    object_store.put_bytes(prefix + "a", CONTENT)
    proof = object_store.verify(prefix + "a", DIGEST, len(CONTENT))
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(proof, key="other")  # type: ignore[call-arg]
    with pytest.raises(dataclasses.FrozenInstanceError):
        proof.key = "other"  # type: ignore[misc]
    assert copy.copy(proof) == proof


def test_other_bytes_than_stored_are_corrupt(object_store: ObjectStore, prefix: str) -> None:
    object_store.put_bytes(prefix + "a", b"9876543210")
    with pytest.raises(ObjectCorrupt, match="SHA-256"):
        object_store.verify(prefix + "a", DIGEST, len(CONTENT))
    with pytest.raises(ObjectCorrupt, match="10 bytes stored, 11 expected"):
        object_store.verify(prefix + "a", DIGEST, 11)


def test_what_is_not_there_is_missing(object_store: ObjectStore, prefix: str) -> None:
    with pytest.raises(ObjectMissing):
        object_store.read(prefix + "none")
    with pytest.raises(ObjectMissing):
        object_store.verify(prefix + "none", DIGEST, 10)
    with pytest.raises(ObjectMissing):
        object_store.stat(prefix + "none")


def test_ranges_are_inclusive_and_whole(object_store: ObjectStore, prefix: str) -> None:
    key = prefix + "a"
    object_store.put_bytes(key, CONTENT)
    assert object_store.read(key) == CONTENT
    assert object_store.read(key, 2, 4) == b"234"
    assert object_store.read(key, 0, 0) == b"0"
    assert object_store.read(key, 7) == b"789"
    with pytest.raises(ObjectCorrupt, match="2 bytes from 8, 5 expected"):
        object_store.read(key, 8, 12)
    with pytest.raises(ObjectCorrupt):
        object_store.read(key, 100, 101)
    with pytest.raises(ValueError, match="not a range"):
        object_store.read(key, 4, 3)


def test_an_empty_object(object_store: ObjectStore, prefix: str) -> None:
    object_store.put_bytes(prefix + "a", b"")
    assert object_store.read(prefix + "a") == b""
    assert object_store.verify(prefix + "a", hashlib.sha256(b"").digest(), 0).size == 0


def test_a_stream_left_early_leaves_the_next_call_clean(object_store: ObjectStore, prefix: str) -> None:
    key = prefix + "a"
    object_store.put_bytes(key, CONTENT * 200_000)
    for _ in range(3):
        with object_store.open_stream(key) as stream:
            assert next(iter(stream)).startswith(CONTENT)
        assert object_store.read(key, 10, 19) == CONTENT


def test_listing_goes_over_pages_in_order(object_store: ObjectStore, prefix: str) -> None:
    names = [f"{prefix}source/{number:05}.m4s" for number in range(1_003)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: object_store.put_bytes(name, b"x"), names))
    listed = list(object_store.list_prefix(prefix))
    assert [item.key for item in listed] == names
    assert {item.size for item in listed} == {1}
    deleted = object_store.delete_prefix(prefix)
    assert (deleted.objects, deleted.size) == (1_003, 1_003)
    assert object_store.prefix_is_empty(prefix)


def test_a_purge_takes_its_prefix_and_no_more(object_store: ObjectStore, prefix: str) -> None:
    neighbour = prefix[:-1] + "0/a"
    object_store.put_bytes(prefix + "source/a", CONTENT)
    object_store.put_bytes(prefix + "report.json", b"{}")
    object_store.put_bytes(neighbour, CONTENT)
    deleted = object_store.delete_prefix(prefix)
    assert (deleted.objects, deleted.size, deleted.uploads) == (2, 12, 0)
    assert object_store.read(neighbour) == CONTENT
    again = object_store.delete_prefix(prefix)
    assert (again.objects, again.listing_sha256) == (0, hashlib.sha256().digest())


def test_a_purge_takes_versions_and_delete_markers(
    object_store: ObjectStore, prefix: str, client: Minio, s3: embedded_s3.Running
) -> None:
    object_store.put_bytes(prefix + "before", CONTENT)
    client.set_bucket_versioning(s3.bucket, VersioningConfig(ENABLED))
    try:
        object_store.put_bytes(prefix + "a", CONTENT)
        object_store.put_bytes(prefix + "a", CONTENT + CONTENT)
        client.remove_object(s3.bucket, prefix + "a")
        client.remove_object(s3.bucket, prefix + "before")
        assert list(object_store.list_prefix(prefix)) == []
        assert not object_store.prefix_is_empty(prefix)
        deleted = object_store.delete_prefix(prefix)
        assert (deleted.objects, deleted.size) == (3, 40)
        assert object_store.prefix_is_empty(prefix)
        assert list(client.list_objects(s3.bucket, prefix, recursive=True, include_version=True)) == []
    finally:
        client.set_bucket_versioning(s3.bucket, VersioningConfig(SUSPENDED))


def test_a_purge_takes_unfinished_uploads(
    object_store: ObjectStore, prefix: str, client: Minio, s3: embedded_s3.Running
) -> None:
    upload_id = client._create_multipart_upload(s3.bucket, prefix + "source/a.m4s", {})
    client._upload_part(s3.bucket, prefix + "source/a.m4s", b"x" * 5_242_880, None, upload_id, 1)
    assert list(object_store.list_prefix(prefix)) == []
    assert not object_store.prefix_is_empty(prefix)
    deleted = object_store.delete_prefix(prefix)
    assert (deleted.objects, deleted.uploads) == (0, 1)
    assert object_store.prefix_is_empty(prefix)


@pytest.mark.parametrize("prefix", ["", "/", "recordings/", "recordings", "recordings/abc", "recordings//", "/a/b/"])
def test_a_prefix_that_holds_more_than_one_thing_is_refused(object_store: ObjectStore, prefix: str) -> None:
    with pytest.raises(ValueError, match="too wide"):
        object_store.delete_prefix(prefix)
    with pytest.raises(ValueError, match="too wide"):
        object_store.prefix_is_empty(prefix)


def test_a_local_file_that_is_missing_or_too_short_is_a_local_fault(
    object_store: ObjectStore, prefix: str, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        object_store.put_pieces(prefix + "a", [Piece(tmp_path / "none", 0, 1)])
    (tmp_path / "short").write_bytes(CONTENT)
    with pytest.raises(OSError, match="short ends before 12"):
        object_store.put_pieces(prefix + "a", [Piece(tmp_path / "short", 2, 10)])
    assert object_store.prefix_is_empty(prefix)


def test_the_store_away_is_said_soon(s3: embedded_s3.Running, prefix: str) -> None:
    settings = dataclasses.replace(object_store_settings(s3), s3_endpoint=f"127.0.0.1:{free_ports(1)[0]}")
    away = ObjectStore(settings)
    started = time.monotonic()
    with pytest.raises(ObjectStoreUnavailable):
        away.put_bytes(prefix + "a", CONTENT)
    with pytest.raises(ObjectStoreUnavailable):
        away.read(prefix + "a")
    with pytest.raises(ObjectStoreUnavailable):
        away.delete_prefix(prefix)
    assert time.monotonic() - started < 10.0


def test_a_wrong_secret_or_bucket_is_not_a_missing_object(s3: embedded_s3.Running, prefix: str) -> None:
    right = object_store_settings(s3)
    for wrong in (dataclasses.replace(right, s3_secret_key="wrong"), dataclasses.replace(right, s3_bucket="another")):
        store = ObjectStore(wrong)
        with pytest.raises(ObjectStoreUnavailable):
            store.read(prefix + "a")
        with pytest.raises(ObjectStoreUnavailable):
            store.put_bytes(prefix + "a", CONTENT)


def test_a_put_is_repeated_when_its_answer_is_lost(s3: embedded_s3.Running, prefix: str) -> None:
    with CuttingProxy(s3.port) as proxy:
        store = _behind(proxy, s3)
        proxy.cuts = 2
        store.put_bytes(prefix + "a", CONTENT)
        assert proxy.cuts == 0
        assert proxy.connections == 3
        assert store.read(prefix + "a") == CONTENT


def test_a_repeated_put_begins_anew(s3: embedded_s3.Running, prefix: str, pieces: tuple[list[Piece], bytes]) -> None:
    found, content = pieces
    with CuttingProxy(s3.port) as proxy:
        store = _behind(proxy, s3)
        proxy.cuts = 2
        copy_ = store.put_pieces(prefix + "a", found)
        assert copy_.sha256 == hashlib.sha256(content).digest()
        assert proxy.cuts == 0
        assert proxy.connections == 3, "what is read back comes over the one that was not cut"


def test_bytes_spoilt_on_their_way_are_never_proven(
    s3: embedded_s3.Running, prefix: str, pieces: tuple[list[Piece], bytes]
) -> None:
    found, _ = pieces
    with CuttingProxy(s3.port) as proxy:
        proxy.spoil_sent = 1
        with pytest.raises(ObjectCorrupt, match="other bytes"):
            _behind(proxy, s3).put_pieces(prefix + "a", found)
        assert proxy.spoil_sent == 0
    with CuttingProxy(s3.port) as proxy:  # one of its own: the answer before may still be on its way
        proxy.spoil_answer = 1
        with pytest.raises(ObjectCorrupt, match="other bytes"):
            _behind(proxy, s3).put_pieces(prefix + "a", found)
        assert proxy.spoil_answer == 0


def test_a_stored_object_is_not_proven_by_a_spoilt_answer(
    s3: embedded_s3.Running, prefix: str, pieces: tuple[list[Piece], bytes]
) -> None:
    found, content = pieces
    digest = hashlib.sha256(content).digest()
    with CuttingProxy(s3.port) as proxy:
        store = _behind(proxy, s3)
        store.put_pieces(prefix + "a", found)
        proxy.spoil_answer = 1
        with pytest.raises(ObjectCorrupt, match="SHA-256"):
            store.verify(prefix + "a", digest, len(content))
        assert store.verify(prefix + "a", digest, len(content)).size == len(content)


def _behind(proxy: CuttingProxy, s3: embedded_s3.Running) -> ObjectStore:
    return ObjectStore(dataclasses.replace(object_store_settings(s3), s3_endpoint=proxy.endpoint))


def test_over_tls_too(
    s3: embedded_s3.Running,
    prefix: str,
    pieces: tuple[list[Piece], bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, content = pieces
    with tls_front(s3.port, server_context(tmp_path)) as endpoint:
        settings = dataclasses.replace(object_store_settings(s3), s3_endpoint=endpoint, s3_secure=True)
        with pytest.raises(ObjectStoreUnavailable, match="certificate"):
            ObjectStore(settings).put_bytes(prefix + "a", CONTENT)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        store = ObjectStore(settings)
        assert store.put_pieces(prefix + "a", found).size == len(content)
        assert store.read(prefix + "a", 0, 99) == content[:100]


def test_an_answer_cut_in_the_middle_is_no_shorter_object(
    s3: embedded_s3.Running, prefix: str, pieces: tuple[list[Piece], bytes]
) -> None:
    with CuttingProxy(s3.port) as proxy:
        store = _behind(proxy, s3)
        content = CONTENT * 200_000
        digest = hashlib.sha256(content).digest()
        store.put_bytes(prefix + "a", content)
        proxy.cuts, proxy.after_bytes = 1, 1_000_000
        with pytest.raises(ObjectStoreUnavailable):
            store.verify(prefix + "a", digest, len(content))
        assert store.verify(prefix + "a", digest, len(content)).size == len(content)
    with CuttingProxy(s3.port) as proxy:
        store = _behind(proxy, s3)
        proxy.cuts, proxy.after_bytes = 1, 1_000_000
        with pytest.raises(ObjectStoreUnavailable):
            store.put_pieces(prefix + "a", pieces[0])
        assert store.put_pieces(prefix + "a", pieces[0]).size == len(pieces[1])


def test_threads_share_one_store(object_store: ObjectStore, prefix: str) -> None:
    def round_trip(number: int) -> bool:
        content = str(number).encode() * 1_000
        object_store.put_bytes(f"{prefix}{number}", content)
        return object_store.read(f"{prefix}{number}") == content

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(round_trip, range(64)))
    assert object_store.delete_prefix(prefix).objects == 64


def test_the_bucket_is_made_once(s3: embedded_s3.Running, client: Minio) -> None:
    settings = dataclasses.replace(object_store_settings(s3), s3_bucket="another-bucket")
    store = ObjectStore(settings)
    store.ensure_bucket()
    store.ensure_bucket()
    store.put_bytes("a/b/c", CONTENT)
    assert client.get_object("another-bucket", "a/b/c").read() == CONTENT
    store.delete_prefix("a/b/")
    client.remove_bucket("another-bucket")


def test_what_the_store_will_not_delete_is_not_called_purged(
    s3: embedded_s3.Running, prefix: str, client: Minio
) -> None:
    bucket = "locked-bucket"
    client.make_bucket(bucket, object_lock=True)
    client.put_object(bucket, prefix + "a", io.BytesIO(CONTENT), len(CONTENT), legal_hold=True)
    locked = ObjectStore(dataclasses.replace(object_store_settings(s3), s3_bucket=bucket))
    with pytest.raises(ObjectStoreUnavailable, match="refused"):
        locked.delete_prefix(prefix)
    assert not locked.prefix_is_empty(prefix)
