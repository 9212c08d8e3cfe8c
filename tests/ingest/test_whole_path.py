"""The whole way of a lecture: ffmpeg over RTMP, LL-HLS read by a player, reels in the store, the recording complete.

Everything is real: PostgreSQL, Valkey, S3, the sockets and the encoder. Waits are on what happens, with a limit.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import httpx
import pytest

from domain.states import RecordingState, SessionState, TakeState
from ingest.hls.sources import StoredSource
from ingest.settings import IngestSettings
from media.fragments import packets
from storage import live_state
from storage.catalogue import recordings, reels, sessions, takes
from storage.catalogue.transaction import Catalogue
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.ingest.classroom import encoder, ingest, lesson, order

pytestmark = pytest.mark.anyio


async def until(ready: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await ready():  # noqa: ASYNC110 - what is waited for is in rows and other processes
            await asyncio.sleep(0.05)


@pytest.fixture
def quick(settings: IngestSettings) -> IngestSettings:
    """Reels of four seconds, and nothing kept in the spool once it is stored."""
    return replace(settings, reel_seconds=4.0, verified_keep_bytes=0, retry_first_seconds=0.1)


async def test_from_the_encoder_to_the_player_and_the_store(
    quick: IngestSettings,
    catalogue: Catalogue,
    store: ObjectStore,
    valkey: embedded_valkey.Running,
    tmp_path: Path,
) -> None:
    told = await lesson(catalogue)
    async with ingest(quick, catalogue, store, valkey.url) as service, httpx.AsyncClient() as client:
        assert service.http is not None
        base = f"http://127.0.0.1:{service.http.port}/live/{told.session_id}/{told.token()}"
        async with encoder(service, told.key):
            await until(lambda: has_segments(service, told.session_id, 1))
            index = await client.get(f"{base}/index.m3u8")
            assert index.status_code == 200
            assert index.headers["access-control-allow-origin"] == "*"
            assert "main.m3u8" in index.text
            await until(lambda: has_segments(service, told.session_id, 6), 30)
            async with catalogue.transaction() as tx:
                row = await sessions.get(tx, told.session_id)
                assert row.state == SessionState.live
            state = await live_state.read(live_state.connect_live(valkey.url), told.session_id)
            assert state is not None
            assert (state.state, state.width, state.video_codec, state.audio_codec) == ("live", 320, "h264", "aac")
            answered = await client.post(f"http://127.0.0.1:{service.http.port}/whip/{told.session_id}")
            assert answered.status_code in (400, 401, 415), "browsers are received at the same door"
            await order(catalogue, told.session_id, "end", "done")
            session = service.lives.sessions[told.session_id]
            await until(lambda: answer(session.ended), 5)
        playlist = (await client.get(f"{base}/main.m3u8")).text
        assert playlist.endswith("#EXT-X-ENDLIST\n")

        async def stored() -> bool:
            async with catalogue.transaction() as tx:
                recording = await recordings.of_session(tx, told.session_id)
                return recording is not None and recording.state == RecordingState.stored

        await until(stored)
        for name, least in (("main", 25 * 10), ("audio", 40 * 10)):
            assert await asyncio.to_thread(played, f"{base}/{name}.m3u8") >= least
        whole = await download(client, base, playlist)
        seen = tmp_path / "seen.mp4"
        seen.write_bytes(whole)
        with av.open(str(seen)) as container:
            frames = sum(1 for _ in container.decode(video=0))
        assert frames >= 25 * 10
        async with catalogue.transaction() as tx:
            recording = await recordings.of_session(tx, told.session_id)
            assert recording is not None
            placed = await reels.of_recording(tx, recording.id)
            (take,) = await takes.of_session(tx, told.session_id)
        assert take.state == TakeState.ended
        assert (take.video_codec, take.audio_codec, take.width, take.frame_rate) == ("h264", "aac", 320, 25.0)
        assert recording.expires_at is not None
        assert [one.reel.number for one in placed] == list(range(1, len(placed) + 1))
        init = store.read(placed[0].init.object_key)
        media = b"".join(store.read(one.reel.object_key) for one in placed)
        assert init + media == whole, "the store has the very bytes that were live"
        for one in placed:
            assert hashlib.sha256(store.read(one.reel.object_key)).digest() == one.reel.sha256
        assert recording.bytes == sum(one.reel.bytes for one in placed)
        found = packets(init, media)
        sound = [p.dts for p in found if p.track.kind == "audio"]
        assert {b - a for a, b in pairwise(sound)} == {1024}, "not one gap in the sound"
        assert all(isinstance(one.source, StoredSource) for one in session.window.segments)
        await until(lambda: answer(not list(quick.spool_folder.iterdir())))


def played(address: str) -> int:
    """How many frames a player that reads HLS by itself decodes, of pictures or, without any, of sound."""
    with av.open(address, timeout=20) as container:
        stream = (container.streams.video or container.streams.audio)[0]
        return sum(1 for _ in container.decode(stream))


async def answer(value: bool) -> bool:
    return value


async def has_segments(service: object, session_id: object, count: int) -> bool:
    session = service.lives.sessions.get(session_id)  # type: ignore[attr-defined]
    return session is not None and session.window.closed_count >= count


async def download(client: httpx.AsyncClient, base: str, playlist: str) -> bytes:
    """Init and every segment of a playlist, as a player fetches them."""
    pieces = []
    for line in playlist.splitlines():
        if line.startswith("#EXT-X-MAP:"):
            pieces.append((await client.get(f"{base}/{line.split(chr(34))[1]}")).content)
        elif not line.startswith("#"):
            found = await client.get(f"{base}/{line}")
            assert found.status_code == 200
            pieces.append(found.content)
    return b"".join(pieces)
