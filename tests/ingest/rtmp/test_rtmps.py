"""rtmps: what is served, what is served after the files changed, and who waits in a handshake."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ingest.rtmp.certificate import Certificate, CertificateFault
from ingest.rtmp.limits import Timeouts
from ingest.rtmp.server import RtmpServer
from ingest.rtmp.settings import RtmpSettings
from tests.ingest.rtmp.recorder import PATIENCE_SECONDS, Recorder, ffmpeg, publish, received
from tests.kit import rtmp_bytes as wire
from tests.kit.certificates import Pair, serial, write_pair

pytestmark = pytest.mark.anyio


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return write_pair(tmp_path)


@asynccontextmanager
async def secure(recorder: Recorder, pair: Pair, **settings: object) -> AsyncIterator[tuple[RtmpServer, int]]:
    """A server of both kinds, and its port for rtmps."""
    defaults: dict[str, object] = {"hosts": ("127.0.0.1",), "port": 0, "tls_port": 0, "linger_seconds": 1.0}
    server = RtmpServer(RtmpSettings(**(defaults | settings)), recorder, Certificate(*pair))  # type: ignore[arg-type]
    await server.start()
    try:
        assert server.tls_port
        yield server, server.tls_port
    finally:
        await server.stop()


def trusting(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """A client that speaks one version and asks for no proof."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    return context


async def served(port: int, name: str | None = "localhost", version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> int:
    """The serial number of the certificate that a client is shown."""

    def ask() -> int:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as plain,
            trusting(version).wrap_socket(plain, server_hostname=name) as line,
        ):
            shown = line.getpeercert(binary_form=True)
            assert shown
            return serial(shown)

    return await asyncio.to_thread(ask)


async def test_ffmpeg_publishes(clip: Path, pair: Pair) -> None:
    recorder = Recorder()
    async with (
        secure(recorder, pair) as (server, port),
        ffmpeg(*publish(clip, f"rtmps://127.0.0.1:{port}/live/KEY")) as encoder,
    ):
        assert port != server.port
        assert await encoder.done() == (0, "")
        await recorder.until(lambda: recorder.takes[0].ends)
    (take,) = recorder.takes
    assert (take.request.secure, take.request.address) == (True, "127.0.0.1")
    assert len(received(take, "video")) == 120


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_nothing_below_tls_1_2(pair: Pair) -> None:
    async with secure(Recorder(), pair) as (_, port):
        await served(port, version=ssl.TLSVersion.TLSv1_2)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await served(port, version=ssl.TLSVersion.TLSv1_1)


@pytest.mark.parametrize("name", ["localhost", None])
async def test_a_new_pair_is_served_without_a_restart(pair: Pair, name: str | None) -> None:
    async with secure(Recorder(), pair, certificate_look_seconds=0.01) as (_, port):
        first = await served(port, name)
        write_pair(pair.key.parent)
        for _ in range(500):
            second = await served(port, name)
            if second != first:
                break
            await asyncio.sleep(0.01)
        assert second != first


def test_a_broken_new_pair_leaves_the_old_one(pair: Pair) -> None:
    certificate = Certificate(*pair)
    assert not certificate.refresh(), "nothing has changed"
    before, key = certificate._current, pair.key.read_bytes()
    pair.certificate.write_text("-----BEGIN CERTIFICATE-----\nhalf")
    assert not certificate.refresh()
    pair.certificate.unlink()
    assert not certificate.refresh()
    write_pair(pair.key.parent)
    fresh = pair.key.read_bytes()
    pair.key.write_bytes(key)  # the old key beside the new certificate
    assert not certificate.refresh()
    assert certificate._current is before
    os.replace(_beside(pair.key, fresh), pair.key)
    assert certificate.refresh()
    assert certificate._current is not before


def _beside(file: Path, data: bytes) -> Path:
    other = file.with_suffix(".new")
    other.write_bytes(data)
    return other


def test_what_cannot_be_served_is_said_in_one_line(tmp_path: Path, pair: Pair) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "locked").mkdir()
    other, locked = write_pair(tmp_path / "other"), write_pair(tmp_path / "locked", pass_phrase=b"secret")
    for certificate, key, said in (
        (tmp_path / "none.pem", pair.key, "none.pem: No such file"),
        (pair.certificate, tmp_path / "none.pem", "none.pem: No such file"),
        (tmp_path, pair.key, "Is a directory"),
        (pair.certificate, other.key, "does not fit the certificate"),
        (locked.certificate, locked.key, "pass phrase"),
        (pair.key, pair.key, "no certificate in PEM"),
        (pair.certificate, pair.certificate, "cannot be read"),
    ):
        with pytest.raises(CertificateFault) as caught:
            Certificate(certificate, key)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


async def test_handshakes_count_and_do_not_last(pair: Pair) -> None:
    """Three sockets that say nothing: the limit counts them while TLS waits, and each is hung up in its time."""
    times = Timeouts(handshake_seconds=0.5)
    async with secure(Recorder(), pair, connections_per_address=3, timeouts=times) as (server, port):
        lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(_rest(reader), 0.4) == b"", "one too many is hung up at once"
        assert server.connections == 3
        for waiting, _ in lines:
            assert await asyncio.wait_for(_rest(waiting), PATIENCE_SECONDS) == b""
        assert server.connections == 0
        await served(port)
        for one in (writer, *(line[1] for line in lines)):
            one.close()


async def test_plain_rtmp_on_its_port_and_stopping_within_a_handshake(pair: Pair) -> None:
    async with secure(Recorder(), pair) as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(wire.handshake())
        await asyncio.wait_for(_rest(reader), PATIENCE_SECONDS)
        hanging, other = await asyncio.open_connection("127.0.0.1", port)
        await until_counted(server)
        await asyncio.wait_for(server.stop(), PATIENCE_SECONDS)
        assert await asyncio.wait_for(_rest(hanging), PATIENCE_SECONDS) == b""
        assert server.connections == 0
        writer.close()
        other.close()


async def until_counted(server: RtmpServer) -> None:
    for _ in range(1000):
        if server.connections:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody came")


async def test_ipv6_too(pair: Pair) -> None:
    recorder = Recorder()
    async with secure(recorder, pair, hosts=("127.0.0.1", "::1")) as (_, port):
        for host in ("127.0.0.1", "::1"):
            reader, writer = await asyncio.open_connection(host, port, ssl=trusting())
            writer.write(wire.opening())
            await asyncio.wait_for(reader.readuntil(b"NetStream.Publish.Start"), PATIENCE_SECONDS)
            assert recorder.takes[-1].request.address == host
            writer.close()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""
