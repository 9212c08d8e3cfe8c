"""Real ffmpeg publishes to the server: what arrives is what was sent, and what is refused is read on its screen."""

from pathlib import Path

import pytest

from domain.refusals import Refusal, RefusalCode
from media.packet import Packet
from tests.ingest.rtmp.conftest import encoded
from tests.ingest.rtmp.recorder import Recorder, Take, demuxed, ffmpeg, publish, received, serving

pytestmark = pytest.mark.anyio


async def test_every_packet_and_time_equals_the_source(clip: Path) -> None:
    source = demuxed(clip)
    assert any(pts > dts for dts, pts, _, _ in source["video"])  # it has B-frames
    recorder = Recorder()
    async with (
        serving(recorder) as server,
        ffmpeg(*publish(clip, f"rtmp://127.0.0.1:{server.port}/live/KEY")) as encoder,
    ):
        assert await encoder.done() == (0, "")
        await recorder.until(lambda: recorder.takes[0].ends)
    (take,) = recorder.takes
    assert (take.request.app, take.request.key, take.request.address) == ("live", "KEY", "127.0.0.1")
    assert "Lavf" in take.request.encoder
    assert "KEY" not in repr(take.request)
    assert received(take, "video") == source["video"]
    assert received(take, "audio") == source["audio"]
    assert take.ends == ["unpublished"]
    assert [(track.codec, track.width, track.height) for track in take.tracks if track.kind == "video"] == [
        ("h264", 640, 360)
    ]
    assert [(track.codec, track.sample_rate, track.channels) for track in take.tracks if track.kind == "audio"] == [
        ("aac", 48_000, 2)
    ]
    (metadata,) = take.metadata_seen
    assert (metadata["width"], metadata["height"]) == (640.0, 360.0)


async def test_two_publishers_at_once_do_not_mix(clip: Path) -> None:
    source = demuxed(clip)
    recorder = Recorder()
    async with serving(recorder) as server:
        urls = [f"rtmp://127.0.0.1:{server.port}/live/{key}" for key in ("ONE", "TWO")]
        async with ffmpeg(*publish(clip, urls[0])) as one, ffmpeg(*publish(clip, urls[1])) as two:
            assert (await one.done(), await two.done()) == ((0, ""), (0, ""))
            await recorder.until(lambda: len([take for take in recorder.takes if take.ends]) == 2)
    assert {take.request.key for take in recorder.takes} == {"ONE", "TWO"}
    for take in recorder.takes:
        assert received(take, "video") == source["video"]
        assert received(take, "audio") == source["audio"]


async def test_a_refusal_is_read_on_its_screen(clip: Path) -> None:
    recorder = Recorder()
    recorder.refusal = Refusal(
        RefusalCode.outside_window, opens_at="2026-03-02T00:45:00Z", closes_at="2026-03-02T02:30:00Z"
    )
    async with (
        serving(recorder) as server,
        ffmpeg(*publish(clip, f"rtmp://127.0.0.1:{server.port}/live/KEY")) as encoder,
    ):
        code, said = await encoder.done()
    assert code != 0
    assert "It is not this session's time. Publish between 2026-03-02 08:45 and 2026-03-02 10:30 (UTC+8)." in said, said


async def test_a_kick_in_mid_stream_is_read_on_its_screen(clip: Path) -> None:
    recorder = Recorder()

    def kick(take: Take, packet: Packet) -> None:
        if len(take.packets) == 50:
            take.request.close("NetStream.Publish.Failed", "Ended by the teacher.")

    recorder.on_packet = kick
    async with (
        serving(recorder) as server,
        ffmpeg(*publish(clip, f"rtmp://127.0.0.1:{server.port}/live/KEY", "-re")) as encoder,
    ):
        code, said = await encoder.done()
    assert code != 0
    assert "Ended by the teacher." in said, said
    assert recorder.takes[0].ends == ["closed"]


async def test_an_unsupported_codec_is_read_on_its_screen(tmp_path: Path) -> None:
    spoken = encoded(tmp_path / "mp3.flv", "-c:v", "libx264", "-c:a", "libmp3lame", "-ar", "44100", seconds=2)
    recorder = Recorder()
    async with (
        serving(recorder) as server,
        ffmpeg(*publish(spoken, f"rtmp://127.0.0.1:{server.port}/live/KEY", "-re")) as encoder,
    ):
        code, said = await encoder.done()
    assert code != 0
    assert "Audio as MP3 is not supported. Send AAC (or Opus by Enhanced RTMP)." in said, said
    (take,) = recorder.takes
    assert [codec for codec, _ in take.unsupported_seen] == ["MP3"]
    assert take.ends == ["unsupported"]


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("h265", ("-c:v", "libx265", "-preset", "ultrafast", "-bf", "2", "-x265-params", "log-level=none:pools=1")),
        ("av1", ("-c:v", "libsvtav1", "-preset", "12", "-g", "30", "-svtav1-params", "lp=1")),
    ],
)
async def test_enhanced_rtmp_of_ffmpeg(codec: str, options: tuple[str, ...], tmp_path: Path) -> None:
    source_file = encoded(tmp_path / "source.flv", *options, "-c:a", "libopus", "-ac", "2", seconds=2)
    source = demuxed(source_file)
    recorder = Recorder()
    async with (
        serving(recorder) as server,
        ffmpeg(*publish(source_file, f"rtmp://127.0.0.1:{server.port}/live/KEY")) as encoder,
    ):
        assert await encoder.done() == (0, "")
        await recorder.until(lambda: recorder.takes[0].ends)
    (take,) = recorder.takes
    assert {track.codec for track in take.tracks} == {codec, "opus"}
    assert {(track.width, track.height) for track in take.tracks if track.kind == "video"} == {(640, 360)}
    delimiter = b"\x12\x00" if codec == "av1" else b""  # ffmpeg sends it, ISO-BMFF leaves it out
    assert received(take, "video") == [(*times, data.removeprefix(delimiter)) for *times, data in source["video"]]
    assert received(take, "audio") == source["audio"]


async def test_a_lost_encoder_is_noticed(clip: Path) -> None:
    recorder = Recorder()
    async with (
        serving(recorder) as server,
        ffmpeg(*publish(clip, f"rtmp://127.0.0.1:{server.port}/live/KEY", "-re")) as encoder,
    ):
        await recorder.until(lambda: recorder.takes and len(recorder.takes[0].packets) > 20)
        assert server.publishing == 1
        encoder.kill()
        await recorder.until(lambda: recorder.takes[0].ends)
        assert recorder.takes[0].ends == ["disconnected"]


async def test_stopping_tells_the_encoders(clip: Path) -> None:
    recorder = Recorder()
    async with (
        serving(recorder) as server,
        ffmpeg(*publish(clip, f"rtmp://127.0.0.1:{server.port}/live/KEY", "-re")) as encoder,
    ):
        await recorder.until(lambda: recorder.takes and len(recorder.takes[0].packets) > 20)
        await server.stop()
        assert (server.connections, recorder.takes[0].ends) == (0, ["closed"])
        code, said = await encoder.done()
    assert code != 0
    assert "The server is stopping" in said, said
