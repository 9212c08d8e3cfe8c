"""HE-AAC of a real encoder, by RTMP: whatever its configuration says of it, it lasts as long as it is heard, whole.

`he_aac/` holds 1.5 s of sound (440 Hz left, 660 Hz right, noise above 10 kHz on both) in ADTS, 48 kHz stereo, by
Fraunhofer's FDK AAC encoder: version 1 (SBR, 32 kbit/s), and 2 (SBR and parametric stereo, 24 kbit/s, whose core is one
channel). The core is of 24 kHz: without the high band nothing above 12 kHz is heard.
"""

from array import array
from cmath import exp
from collections.abc import Iterator, Sequence
from math import hypot, pi
from pathlib import Path

import av
import pytest

from ingest.rtmp.events import MediaReceived, TrackConfigured
from ingest.rtmp.flv import MediaReader
from media.fragments import packets as read_packets
from media.packet import Packet, Track
from tests.ingest.real_media import Stretch, package, sounds

FOLDER = Path(__file__).parent / "he_aac"
RATE, FRAME = 48_000, 2048

SIGNALLED = [
    (1, "2b118800", "mp4a.40.5", RATE),  # the extension first, then the core
    (1, "131056e598", "mp4a.40.5", RATE),  # behind the core's, as older decoders bear it
    (1, "1310", "mp4a.40.2", RATE // 2),  # not at all: as ADTS says it, and encoders that copy from there
    (2, "eb098800", "mp4a.40.29", RATE),
    (2, "130856e59d4880", "mp4a.40.29", RATE),
    (2, "1308", "mp4a.40.2", RATE // 2),
]


def frames(version: int) -> Iterator[bytes]:
    """The raw frames of an ADTS file (ISO/IEC 14496-3 §1.A.2)."""
    data = (FOLDER / f"version_{version}.adts").read_bytes()
    place = 0
    while place < len(data):
        size = (data[place + 3] & 3) << 11 | data[place + 4] << 3 | data[place + 5] >> 5
        yield data[place + 7 : place + size]
        place += size


def published(version: int, config: str) -> tuple[Track, list[Packet]]:
    """As RTMP brings it: times in whole milliseconds."""
    reader, sent = MediaReader(), []
    told = reader.audio(memoryview(b"\xaf\x00" + bytes.fromhex(config)), 0)
    assert isinstance(told, TrackConfigured)
    for number, frame in enumerate(frames(version)):
        event = reader.audio(memoryview(b"\xaf\x01" + frame), round(number * FRAME * 1000 / RATE))
        assert isinstance(event, MediaReceived)
        sent.append(event.packet)
    return told.track, sent


def loudness(path: Path, *tones: int) -> list[float]:
    """Of these tones together (Hz), in the middle of the sound, by channel."""
    with av.open(str(path)) as container:
        decoded = [frame for frame in container.decode(audio=0) if isinstance(frame, av.AudioFrame)]
    frame = decoded[len(decoded) // 2]
    assert (frame.sample_rate, frame.format.name, len(frame.planes)) == (RATE, "fltp", 2)
    channels = [array("f", bytes(plane))[:FRAME] for plane in frame.planes]
    return [hypot(*(_tone(channel, hertz) for hertz in tones)) for channel in channels]


def _tone(samples: Sequence[float], hertz: int) -> float:
    turn = -2j * pi * hertz / RATE
    return abs(sum(value * exp(turn * n) for n, value in enumerate(samples))) * 2 / len(samples)


@pytest.mark.parametrize(("version", "config", "name", "timescale"), SIGNALLED)
def test_it_is_heard_whole(version: int, config: str, name: str, timescale: int, tmp_path: Path) -> None:
    track, sent = published(version, config)
    assert (track.codec_string, track.timescale) == (name, timescale)
    packaged = package(sent)
    (stretch,) = packaged.stretches
    made = stretch.write(tmp_path / "made.mp4")
    placed = read_packets(stretch.init.muxed, made.read_bytes()[len(stretch.init.muxed) :])
    assert [bytes(one.data) for one in placed] == list(frames(version))
    first = placed[0].dts
    assert [one.dts - first for one in placed] == [n * FRAME * timescale // RATE for n in range(len(sent))]
    assert packaged.line.repairs.total == 0
    heard = sounds(made)
    assert {samples for _, samples, _ in heard[1:]} == {FRAME}
    assert len(heard) == len(sent)
    assert sum(samples for _, samples, _ in heard) / RATE == pytest.approx(1.49, abs=0.05)
    left, right = loudness(made, 440)
    assert left > 0.2 > 0.1 > right, "two channels, whatever the core has"
    assert min(loudness(made, *range(14_000, 14_240, 24))) > 10 * max(loudness(made, *range(18_000, 18_240, 24))), (
        "and the high band"
    )
    assert _seconds(stretch) == pytest.approx(len(sent) * FRAME / RATE, abs=0.001)


def _seconds(stretch: Stretch) -> float:
    return sum(part.duration for part in stretch.parts) / 90_000
