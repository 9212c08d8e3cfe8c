"""A client of the store that is closed while threads wait for an answer: none of them goes on waiting."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from storage.objects.faults import ObjectStoreUnavailable
from storage.objects.store import ObjectStore
from storage.settings import StorageSettings
from tests.storage.objects.tls import server_context, tls_front

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n%s\r\n01234"
ANSWERS = {"nothing": b"", "half": HALF % b"", "half, and would hang up": HALF % b"Connection: close\r\n"}
MORE_THAN_BUFFERS = 32 << 20


@contextmanager
def silent(answer: bytes = b"") -> Iterator[int]:
    """A port where each request's beginning is answered so, and nothing else happens."""
    taken = list[socket.socket]()

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            taken.append(connection)
            connection.recv(1024)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        for one in taken:
            one.close()
        thread.join()


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("answer", ANSWERS)
def test_who_waits_for_the_store_stops_waiting(
    answer: str, secure: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = server_context(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    with (
        silent(ANSWERS[answer]) as port,
        tls_front(port, context) if secure else nullcontext(f"127.0.0.1:{port}") as at,
    ):
        store = ObjectStore(StorageSettings(s3_endpoint=at, s3_access_key="a", s3_secret_key="b" * 8, s3_secure=secure))
        with ThreadPoolExecutor() as threads:
            calls: list[Future[object]] = [threads.submit(store.read, "a/b/c")]
            if not ANSWERS[answer]:
                calls += [threads.submit(store.put_bytes, "a/b/c", bytes(size)) for size in (1, MORE_THAN_BUFFERS)]
            assert not wait(calls, 0.3).done
            store.close()
            closed_at = time.monotonic()
            for call in calls:
                with pytest.raises(ObjectStoreUnavailable):
                    call.result(5)
            with pytest.raises(ObjectStoreUnavailable):
                store.read("a/b/c")
            assert time.monotonic() - closed_at < 1
