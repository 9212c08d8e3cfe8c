"""The packager: what goes in comes out, cut where the rules say. Media is read back by `media.fragments`, never by
hand.
"""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.cuts import cut_rule
from ingest.events import CLOCK, Event, Init, Part, SegmentClosed, SegmentOpened
from ingest.packager import Packager
from media.fragments import packets as read_packets
from media.packet import Packet
from tests.ingest.builders import AUDIO, AUDIO_44, VIDEO, audio, interleaved, video

RULE = cut_rule(0.5, 2.0, 6)


def package(packets: list[Packet], packager: Packager | None = None) -> list[Event]:
    packager = packager or Packager(RULE)
    events = [event for packet in packets for event in packager.packet(packet)]
    return events + packager.flush()


def parts(events: list[Event]) -> list[Part]:
    return [event for event in events if isinstance(event, Part)]


def media(events: list[Event]) -> list[Packet]:
    """All packets of the muxed rendition, read back part by part under the init they follow."""
    found: list[Packet] = []
    init = b""
    for event in events:
        if isinstance(event, Init):
            init = event.muxed
        if isinstance(event, Part):
            found += read_packets(init, event.muxed)
    return found


def told(packets: list[Packet], kind: str) -> list[tuple[int, int, bool, bytes]]:
    return [(p.dts, p.pts, p.keyframe, bytes(p.data)) for p in packets if p.track.kind == kind]


def durations(events: list[Event]) -> list[float]:
    return [event.duration / CLOCK for event in events if isinstance(event, SegmentClosed)]


def test_parts_of_half_a_second_in_segments_at_key_frames() -> None:
    events = package(interleaved(video(6), audio(6)))
    assert durations(events) == [2.0, 2.0, 2.0]
    assert [part.duration / CLOCK for part in parts(events)] == [0.5] * 12
    assert [part.independent for part in parts(events)] == [True, False, False, False] * 3


def test_without_a_second_key_frame_segments_end_at_six_seconds() -> None:
    events = package(list(video(13, key_every=100)))
    assert durations(events) == [6.0, 6.0, 1.0]
    assert [part.independent for part in parts(events)] == [True] + [False] * 25


@pytest.mark.parametrize("key_every", [0.4, 0.7, 1.0, 2.5, 4.0, 5.0, 7.0])
def test_key_frames_in_step_with_parts_begin_one(key_every: float) -> None:
    events = package(interleaved(video(20, key_every=key_every), audio(20)))
    init = next(event for event in events if isinstance(event, Init))
    for part in parts(events):
        keys = [p.keyframe for p in read_packets(init.muxed, part.muxed) if p.track.kind == "video"]
        assert part.independent == keys[0]
        assert key_every < 1 or not any(keys[1:])


@pytest.mark.parametrize("rate", [12, 15, 20, 24, 25, 29.97, 30, 50, 60])
def test_every_usual_frame_rate_keeps_to_the_part_target(rate: float) -> None:
    """RFC 8216bis 4.4.4.9: no part longer than the target, and those in the middle at least 85 % of it."""
    events = package(interleaved(video(20, rate=rate), audio(20)))
    longest = max(part.duration for part in parts(events))
    assert longest <= RULE.part_limit
    for part, following in zip(parts(events), parts(events)[1:], strict=False):
        if following.serial == part.serial and not part.independent:
            assert part.duration >= 0.85 * max(longest, 0.5 * CLOCK)


def test_audio_alone() -> None:
    events = package(list(audio(10)))
    assert all(part.independent and part.audio is part.muxed for part in parts(events))
    assert all(2.0 <= duration <= 6.0 for duration in durations(events)[:-1])
    assert told(media(events), "audio") == told(list(audio(10)), "audio")


def test_video_alone_has_no_audio_rendition() -> None:
    events = package(list(video(4)))
    assert all(part.audio is None for part in parts(events))
    assert next(event for event in events if isinstance(event, Init)).audio is None
    assert told(media(events), "video") == told(list(video(4)), "video")


def test_the_audio_rendition_holds_the_same_samples() -> None:
    packets = interleaved(video(6), audio(6))
    events = package(packets)
    init = next(event for event in events if isinstance(event, Init))
    assert init.audio is not None
    alone = [p for part in parts(events) if part.audio for p in read_packets(init.audio, part.audio)]
    assert told(alone, "audio") == told(packets, "audio")


def test_audio_that_starts_late_brings_a_new_init_at_a_key_frame() -> None:
    events = package(interleaved(video(10), audio(6, start=3.1)))
    inits = [event for event in events if isinstance(event, Init)]
    assert [[track.kind for track in init.tracks] for init in inits] == [["video"], ["video", "audio"]]
    opened = [event for event in events if isinstance(event, SegmentOpened)]
    change = next(event for event in opened if event.init_number == 2)
    assert change.discontinuity
    assert change.start == 4 * CLOCK
    assert told(media(events), "video") == told(list(video(10)), "video")


def test_a_changed_configuration_is_a_new_init_and_a_discontinuity() -> None:
    changed = replace(AUDIO_44)
    packets = interleaved(video(8), audio(3), audio(5, start=3.0, track=changed))
    events = package(packets)
    inits = [event for event in events if isinstance(event, Init)]
    assert [init.tracks[1].timescale for init in inits] == [48_000, 44_100]
    assert [event.discontinuity for event in events if isinstance(event, SegmentOpened)] == [False, False, True, False]


def test_nothing_before_the_first_key_frame() -> None:
    packets = interleaved(video(6, key_every=2), audio(6))
    events = package(packets[10:])
    first = media(events)[0]
    assert first.keyframe
    assert first.dts == 2 * 90_000
    assert all(p.dts >= 2 * 48_000 for p in media(events) if p.track.kind == "audio")


def test_audio_that_stops_does_not_stop_the_video() -> None:
    packager = Packager(RULE)
    packets = interleaved(video(10), audio(3))
    events = [event for packet in packets for event in packager.packet(packet)]
    assert parts(events)[-1].start >= 9 * CLOCK
    assert told(media(events + packager.flush()), "audio") == told(packets, "audio")


def test_video_that_stops_does_not_stop_the_audio() -> None:
    packager = Packager(RULE)
    packets = interleaved(video(3), audio(12))
    events = [event for packet in packets for event in packager.packet(packet)]
    assert parts(events)[-1].start >= 10 * CLOCK
    assert max(part.duration for part in parts(events)) <= RULE.part_limit
    assert told(media(events + packager.flush()), "audio") == told(packets, "audio")


def test_a_frame_longer_than_a_part_is_followed_by_parts_of_sound() -> None:
    packets = interleaved(video(8, rate=1, key_every=2), audio(8))
    events = package(packets)
    assert max(part.duration for part in parts(events)[:-1]) <= RULE.part_limit
    assert told(media(events), "video") == told(packets, "video")


def test_a_hole_is_a_discontinuity_not_a_long_frame() -> None:
    packets = interleaved(video(4), audio(4), video(4, start=9), audio(4, start=9))
    events = package(packets)
    opened = [event for event in events if isinstance(event, SegmentOpened)]
    assert [(event.start // CLOCK, event.discontinuity) for event in opened] == [
        (0, False),
        (2, False),
        (9, True),
        (11, False),
    ]
    assert told(media(events), "video") == told(packets, "video")


def test_a_cut_ends_the_segment_after_its_last_part() -> None:
    packager = Packager(RULE)
    packets = interleaved(video(6), audio(6))
    before = [event for packet in packets[: len(packets) // 4] for event in packager.packet(packet)]
    broken = packager.break_segment()
    after = package(packets[len(packets) // 4 :], packager)
    assert isinstance(before[-1], Part)
    assert [type(event) for event in broken] == [SegmentClosed]
    assert isinstance(after[0], SegmentOpened)
    assert after[0].start == before[-1].start + before[-1].duration
    assert told(media(before + broken + after), "video") == told(packets, "video")


def test_after_a_cut_the_next_key_frame_begins_a_segment() -> None:
    packager = Packager(RULE)
    events: list[Event] = []
    for packet in interleaved(video(4, key_every=1.0), audio(4)):
        if packet.track.kind == "video" and packet.dts == 90_000 // 2:
            packager.segment_at_next_key()
        events += packager.packet(packet)
    assert [e.start / CLOCK for e in events if isinstance(e, SegmentOpened)] == [0.0, 1.0, 3.0]


def unsteady(seed: int) -> list[Packet]:
    """Unsteady frames and groups, sound behind or before them by up to half a second."""
    random = Random(seed)
    packets: list[Packet] = []
    dts, until_key = random.randrange(90_000), 0
    pace = random.choice([(3000,), (2970, 3000, 3060), (1500, 9000, 20_000), (3000, 60_000), (45_000, 130_000)])
    for n in range(random.choice([0, 1, 30, 90])):
        offset = random.choice([0, 3000, 6000])
        packets.append(Packet(VIDEO, dts, dts + offset, until_key == 0, n.to_bytes(4, "big")))
        until_key = random.randrange(40) if until_key == 0 else until_key - 1
        dts += random.choice(pace)
    lag = random.randrange(-45_000, 45_000)
    packets += audio(random.randrange(8), start=random.randrange(3) / 2)
    return sorted(packets, key=lambda p: p.dts * CLOCK // p.track.timescale + (lag if p.track.kind == "audio" else 0))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_what_goes_in_comes_out(seed: int) -> None:
    """Every packet from the take's start on comes out once, unchanged, in order; lengths keep to the rules."""
    packets = unsteady(seed)
    packager = Packager(RULE)
    events = package(packets, packager)
    found = media(events)
    for kind in ("video", "audio"):
        assert told(found, kind) == told(packets, kind)[len(told(packets, kind)) - len(told(found, kind)) :]
    assert len(found) == len(packets) - packager.dropped.total()
    frames = [p for p in packets if p.track.kind == "video"]
    assert told(found, "video") == told(frames, "video")
    for event in events:
        if isinstance(event, SegmentClosed):
            assert round(event.duration / CLOCK) <= 6
    clock = None
    opened: SegmentOpened | None = None
    for event in events:
        if isinstance(event, SegmentOpened):
            assert clock is None or event.start == clock or event.discontinuity
            opened, clock = event, event.start
        if isinstance(event, Part):
            assert opened is not None
            assert event.serial == opened.serial
            assert event.start == clock
            clock = event.start + event.duration


def test_the_real_frame_after_the_takes_start_is_never_lost_for_a_second_track() -> None:
    packets = interleaved(video(3), audio(3, start=0.2))
    events = package(packets)
    assert told(media(events), "video") == told(packets, "video")
    assert len([event for event in events if isinstance(event, Init)]) == 1
    assert AUDIO in next(event for event in events if isinstance(event, Init)).tracks


def test_an_encoder_that_stalls_after_its_first_key_frame_is_followed_by_the_next() -> None:
    """What needs the key frame goes with it; a take is not ended by that."""
    late = list(video(4, start=12.0))
    packets = [*video(1 / 30), *late[1:]]
    packager = Packager(RULE)
    found = told(media(package(packets, packager)), "video")
    assert found == told(late, "video")[60:]
    assert packager.dropped["video"] == 1 + 59
