"""Whatever times and track changes an encoder comes with, time line and packager make of them media that can be played.

Nothing raises, nothing that was placed is lost without being counted, and segments keep to the target duration.
"""

from dataclasses import dataclass

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ingest.cuts import cut_rule
from ingest.events import CLOCK, Event, Init, Part, SegmentClosed, SegmentOpened
from ingest.packager import Packager
from ingest.timeline import LEAD, Timeline
from media.codecs import opus
from media.fragments import packets as read_packets
from media.packet import Packet, audio_track, video_track
from tests.ingest.builders import AUDIO, AUDIO_44, AVC_CONFIG, VIDEO

OPUS = audio_track("opus", opus.build_config(opus.OpusConfig(2, 312, 48_000)))
SMALL_VIDEO = video_track("h264", AVC_CONFIG + b"\x00")
TRACKS = {"v": VIDEO, "w": SMALL_VIDEO, "a": AUDIO, "b": AUDIO_44, "o": OPUS}
OPUS_20_MS = b"\xfc\xff\xfe"

STEP = st.one_of(
    st.integers(0, 6000),
    st.integers(-CLOCK, CLOCK),
    st.integers(-(2**33), 2**33),
)


@dataclass(frozen=True)
class Sent:
    """A packet of a track by its letter, its clock moved by `step` since that track's last."""

    track: str
    step: int
    offset: int
    keyframe: bool


SENT = st.lists(
    st.builds(
        Sent,
        st.sampled_from("vvvvvvvwaaaaaaabo"),
        STEP,
        st.one_of(st.just(0), st.integers(0, 9000), st.integers(-(2**33), 2**33)),
        st.booleans(),
    ),
    max_size=150,
)


def package(sent: list[Sent], base: int) -> tuple[Timeline, Packager, list[Event]]:
    line, packager = Timeline(base), Packager(cut_rule(0.5, 2.0, 6))
    clocks = dict.fromkeys(TRACKS, 0)
    events: list[Event] = []
    for number, one in enumerate(sent):
        track = TRACKS[one.track]
        clocks[one.track] += one.step * track.timescale // CLOCK
        dts = clocks[one.track]
        data = OPUS_20_MS if one.track == "o" else number.to_bytes(4, "big")
        key = one.keyframe or track.kind == "audio"
        events += packager.packet(line.place(Packet(track, dts, dts + one.offset, key, data)))
    return line, packager, events + packager.flush()


@settings(max_examples=100, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(SENT, st.sampled_from([LEAD, 10 * CLOCK, 2**40]))
def test_any_packets_become_media_that_can_be_played(sent: list[Sent], base: int) -> None:
    line, packager, events = package(sent, base)
    found = {"video": 0, "audio": 0}
    last: dict[str, int] = {}
    init = b""
    opened: SegmentOpened | None = None
    clock = None
    for event in events:
        if isinstance(event, Init):
            init, last = event.muxed, {}
        elif isinstance(event, SegmentOpened):
            assert clock is None or event.start == clock or event.discontinuity
            opened, clock = event, event.start
        elif isinstance(event, Part):
            assert opened is not None
            assert event.start == clock
            clock = event.start + event.duration
            for one in read_packets(init, event.muxed):
                assert one.dts > last.get(one.track.kind, -1), "decode times rise, within parts and over them"
                last[one.track.kind] = one.dts
                found[one.track.kind] += 1
        elif isinstance(event, SegmentClosed):
            assert round(event.duration / CLOCK) <= 6
    assert found["video"] + packager.dropped["video"] == line.frames["video"]
    assert found["audio"] + packager.dropped["audio"] == line.frames["audio"]
