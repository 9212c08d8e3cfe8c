"""What real pictures are said to look like at a low bit rate: slides are left in peace, a coarse picture is not."""

import itertools
from pathlib import Path

import pytest

from domain.encoder_health import EncoderFacts, HealthCode, encoder_health
from ingest.take_statistics import TakeStatistics
from lectern.demo_lecture import MEDIA
from tests.media import clips

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]

SECONDS = 8
SLIDE = ("-loop", "1", "-framerate", "25", "-i", MEDIA / "slide-2.webp")
PICTURES: dict[str, tuple[str | Path, ...]] = {
    "a slide with a bar that grows": (
        *SLIDE, "-f", "lavfi", "-i", "color=c=0xd98b3a:size=1280x8:rate=25",
        "-filter_complex", "[0][1]overlay=x='-1280+1280*t/60':y=712",
    ),
    "much that moves": ("-f", "lavfi", "-i", "mandelbrot=size=1280x720:rate=25"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("picture", "kbps", "is_low"),
    [
        ("a slide with a bar that grows", 150, False),
        ("a slide with a bar that grows", 300, False),
        ("much that moves", 150, True),
        ("much that moves", 1500, False),
    ],
)
def test_only_a_coarse_picture_has_too_low_a_bit_rate(
    tmp_path: Path, picture: str, kbps: int, is_low: bool
) -> None:  # fmt: skip
    rate = ("-b:v", f"{kbps}k", "-maxrate", f"{kbps}k", "-bufsize", f"{kbps}k", "-g", "50", "-sc_threshold", "0")
    live = ("-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p")
    clips.ffmpeg(*PICTURES[picture], "-t", str(SECONDS), *live, *rate, *clips.PLAIN, tmp_path / "a.mp4")
    packets = clips.demux(tmp_path / "a.mp4").packets
    statistics = TakeStatistics()
    statistics.read(0.0)
    for second, of_second in itertools.groupby(packets, lambda one: one.dts // 90_000):
        for packet in of_second:
            statistics.packet(packet, packet.dts / 90_000)
        reading = statistics.read(second + 1.0)
    facts = EncoderFacts(
        age_seconds=SECONDS, video_codec="h264", width=1280, height=720, usual_frame_rate=25.0,
        video_kbps=reading.video_kbps, key_quantiser=reading.key_quantiser, video_silent_seconds=0.0,
    )  # fmt: skip
    assert reading.key_quantiser is not None
    assert (HealthCode.bit_rate_low in {one.code for one in encoder_health(facts)}) == is_low
