"""Times as encoders give them, and what becomes of them."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import CLOCK
from ingest.repairs import LISTED, Repair, RepairKind
from ingest.timeline import APART_FRAMES, LARGEST_APART, LARGEST_PAUSE, LEAD, Timeline, next_base
from media.codecs import opus
from media.malformed import MalformedMedia
from media.packet import Packet, audio_track
from tests.ingest.builders import AUDIO, AUDIO_44, VIDEO, audio, interleaved, video


def in_milliseconds(packets: list[Packet], offset_ms: int = 0) -> list[Packet]:
    """The packets as RTMP brings them: times rounded to milliseconds."""

    def rounded(ticks: int, scale: int) -> int:
        return (round(ticks * 1000 / scale) + offset_ms) * scale // 1000

    return [
        Packet(p.track, rounded(p.dts, p.track.timescale), rounded(p.pts, p.track.timescale), p.keyframe, p.data)
        for p in packets
    ]


def place(packets: list[Packet], base: int = 0) -> tuple[Timeline, list[Packet]]:
    line = Timeline(base)
    return line, [line.place(packet) for packet in packets]


def dts(packets: list[Packet], kind: str) -> list[int]:
    return [packet.dts for packet in packets if packet.track.kind == kind]


def test_audio_gets_its_exact_times_back_from_rounded_ones() -> None:
    for track in (AUDIO, AUDIO_44):
        line, placed = place(in_milliseconds(list(audio(60, track=track))))
        assert dts(placed, "audio") == [p.dts for p in audio(60, track=track)]
        assert line.repairs.total == 0


def test_a_take_lands_on_its_base_with_its_tracks_as_far_apart_as_they_came() -> None:
    line, placed = place(in_milliseconds(interleaved(video(2), audio(2, start=0.1)), 5_000_000), base=10 * CLOCK)
    assert dts(placed, "video")[0] == 10 * CLOCK
    assert dts(placed, "audio")[0] == 10 * 48_000 + 4_800
    assert line.end >= 12 * CLOCK - 3000


def test_the_other_track_may_begin_a_little_before_the_first() -> None:
    packets = [Packet(VIDEO, 90_000, 90_000, True, b"v"), Packet(AUDIO, 46_000, 46_000, True, b"a")]
    _, placed = place(packets, base=LEAD)
    assert placed[1].dts == LEAD * 48_000 // CLOCK - 2_000


def test_a_lost_frame_of_sound_is_followed_within_a_second() -> None:
    packets = [p for n, p in enumerate(audio(10)) if n != 100]
    line, placed = place(packets)
    assert placed[99].dts == packets[98].dts + 1024, "at first nothing is known of it"
    assert dts(placed, "audio")[160:] == [p.dts for p in packets][160:]
    assert line.repairs.counts == {RepairKind.audio_move: 1}


def test_a_pause_of_the_sound_is_kept() -> None:
    packets = [*audio(2), *audio(2, start=4.0)]
    _, placed = place(packets)
    assert dts(placed, "audio") == [p.dts for p in packets]


def test_jitter_is_smoothed_away() -> None:
    exact = list(audio(20))
    packets = [Packet(p.track, p.dts + (700, -700)[n % 2] * (n > 0), p.pts, True, p.data) for n, p in enumerate(exact)]
    line, placed = place(packets)
    steps = {later - earlier for earlier, later in zip(dts(placed, "audio"), dts(placed, "audio")[1:], strict=False)}
    assert steps == {1024}
    assert line.repairs.total == 0


def test_a_small_step_back_becomes_the_smallest_step_forward() -> None:
    packets = [Packet(VIDEO, t, t + 3000, False, b"") for t in (0, 3000, 2500, 6000)]
    line, placed = place(packets)
    assert [(p.dts, p.pts) for p in placed] == [(0, 3000), (3000, 6000), (3001, 6001), (6000, 9000)]
    assert line.repairs.listed == [Repair(RepairKind.step_back, "video", 3001, 501)]


def test_a_clock_that_was_set_leaves_no_hole_and_keeps_both_tracks_together() -> None:
    first = interleaved(video(4), audio(4))
    for jump in (-100_000, 3_600_000):
        later = in_milliseconds(interleaved(video(4, start=4), audio(4, start=4)), jump)
        line, placed = place(first + later)
        pictures, sounds = dts(placed, "video"), dts(placed, "audio")
        assert max(b - a for a, b in itertools.pairwise(pictures)) <= 3100
        assert max(b - a for a, b in itertools.pairwise(sounds)) <= 3 * 1024
        assert abs(pictures[-1] / 90_000 - sounds[-1] / 48_000) < 0.06
        assert line.repairs.counts[RepairKind.jump] == 1


def test_a_packet_that_cannot_be_measured_leaves_the_line_as_it_was() -> None:
    track = audio_track("opus", opus.build_config(opus.OpusConfig(2, 312, 48_000)))
    line, placed = Timeline(0), []
    for n in range(60):
        if n == 20:
            with pytest.raises(MalformedMedia):
                line.place(Packet(track, 960 * n, 960 * n, True, b""))
            continue
        placed.append(line.place(Packet(track, 960 * n, 960 * n, True, b"\xfc\xff\xfe")).dts)
    assert min(later - earlier for earlier, later in itertools.pairwise(placed)) == 960
    assert (placed[19], placed[-1]) == (960 * 19, 960 * 59), "a lost frame like any other"
    assert line.frames == {"audio": 59}
    assert line.repairs.counts == {RepairKind.audio_move: 1}


def test_an_absurd_composition_offset_is_dropped() -> None:
    line, placed = place([Packet(VIDEO, 0, 90_000 * 60, True, b"")])
    assert placed[0].pts == placed[0].dts
    assert line.repairs.listed == [Repair(RepairKind.offset, "video", 0, -90_000 * 60)]


def test_the_next_take_is_clear_of_the_last_whatever_the_clock_says() -> None:
    assert next_base(end=100, elapsed=50) == 100 + LEAD
    assert next_base(end=100, elapsed=5_000_000) == 5_000_000


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-(2**40), 2**40)), max_size=60), st.integers(0, 2**33))
def test_decode_times_always_rise(stamps: list[tuple[bool, int]], base: int) -> None:
    line = Timeline(base)
    last: dict[str, int] = {}
    for is_video, stamp in stamps:
        track = VIDEO if is_video else AUDIO
        placed = line.place(Packet(track, stamp, stamp, True, b""))
        assert placed.dts > last.get(track.kind, -1)
        assert placed.dts >= max(0, base - LEAD) * track.timescale // CLOCK - 1
        last[track.kind] = placed.dts


Offset = int
"""How far, in ticks of CLOCK, a packet's stamp is from when it was taken."""


def stamped(offset: Callable[[str, float], Offset], seconds: int = 30) -> tuple[list[Packet], list[Packet]]:
    """What an encoder sends that takes pictures and sound at one time and stamps them with an offset of its own, and
    the truth.
    """
    true = interleaved(video(seconds), audio(seconds))
    sent = []
    for p in true:
        moved = offset(p.track.kind, p.dts / p.track.timescale) * p.track.timescale // CLOCK
        sent.append(Packet(p.track, p.dts + moved, p.pts + moved, p.keyframe, p.data))
    return sent, true


def apart(placed: list[Packet], true: list[Packet]) -> list[float]:
    """After each packet, how far the distance of picture and sound is from the true one, in seconds."""
    errors: dict[str, float] = {}
    found = []
    for is_, was in zip(placed, true, strict=True):
        errors[is_.track.kind] = (is_.dts - was.dts) / is_.track.timescale
        if len(errors) == 2:
            found.append(abs(errors["video"] - errors["audio"]))
    return found


@pytest.mark.parametrize("wrong", ["video", "audio"])
@pytest.mark.parametrize("rate", [-0.2, -0.004, 0.004, 0.2])
def test_stamps_that_drift_apart_are_brought_together(wrong: str, rate: float) -> None:
    """0.4 % is a clock, 20 % a rate that was set wrong."""
    sent, true = stamped(lambda kind, at: round(rate * at * CLOCK) if kind == wrong else 0, seconds=60)
    line, placed = place(sent, base=LEAD)
    longest = max(apart(placed, true))
    assert longest <= LARGEST_APART / CLOCK + APART_FRAMES * 0.05
    assert line.repairs.counts[RepairKind.apart] == (0 if abs(rate) < 0.05 else 3)
    if abs(rate) < 0.05:
        assert longest <= 0.3
    moved = [repair for repair in line.repairs.listed if repair.kind == RepairKind.apart]
    behind = wrong if rate < 0 else {"video": "audio", "audio": "video"}[wrong]
    assert all(repair.track == behind and repair.ticks >= LARGEST_APART for repair in moved)


def test_one_track_whose_clock_is_set_goes_on_beside_the_other() -> None:
    for wrong in ("video", "audio"):
        for seconds in (-40, -5, 3600):
            sent, true = stamped(lambda kind, at: seconds * CLOCK if kind == wrong and at > 10 else 0)  # noqa: B023
            line, placed = place(sent, base=LEAD)
            assert max(apart(placed, true)) < 0.1, (wrong, seconds)
            assert line.repairs.counts[RepairKind.jump] == 1


def test_a_jump_of_one_track_within_an_honest_pause_is_undone_after_some_frames() -> None:
    for wrong in ("video", "audio"):
        sent, true = stamped(lambda kind, at: 20 * CLOCK if kind == wrong and at > 10 else 0)  # noqa: B023
        line, placed = place(sent, base=LEAD)
        found = apart(placed, true)
        assert max(found) <= 20.1
        assert sum(1 for error in found if error > 1) < 4 * APART_FRAMES
        assert found[-1] < 0.1
        assert line.repairs.counts[RepairKind.apart] == 1


def test_a_pause_of_both_tracks_is_no_drift_whichever_comes_first() -> None:
    packets = interleaved(video(4), audio(4)) + interleaved(video(4, start=29), audio(4, start=29.4))
    line, placed = place(packets, base=LEAD)
    assert line.repairs.counts[RepairKind.apart] == 0
    assert placed[-1].dts - placed[0].dts > 28 * 48_000


def test_32_bits_of_milliseconds_that_wrap_leave_no_hole() -> None:
    wrap = 2**32 // 1000
    sent, true = stamped(lambda _, at: (2**32 * 90 if at < 15 else 0) - 15 * CLOCK)
    assert sent[0].dts // 90_000 in range(wrap - 20, wrap)
    line, placed = place(sent, base=LEAD)
    assert max(apart(placed, true)) < 0.1
    assert line.repairs.counts == {RepairKind.jump: 1}
    assert max(b - a for a, b in itertools.pairwise(dts(placed, "video"))) <= 3100


def test_repairs_say_when_and_how_far_and_the_list_is_bounded() -> None:
    packets = [Packet(VIDEO, 3000 * (n - n % 2), 3000 * n, False, b"") for n in range(2000)]
    line, _ = place(packets)
    assert line.repairs.counts == {RepairKind.step_back: 1000}
    assert len(line.repairs.listed) == LISTED
    assert line.repairs.listed[1] == Repair(RepairKind.step_back, "video", 6001, 1)
    assert line.frames == {"video": 2000}


FAULTS = st.lists(
    st.tuples(
        st.floats(0, 30),
        st.sampled_from(["video", "audio", "both"]),
        st.one_of(st.integers(-(2**40), 2**40), st.integers(-40 * CLOCK, 40 * CLOCK), st.integers(-9000, 9000)),
    ),
    max_size=6,
)


@settings(max_examples=100, deadline=None)
@given(FAULTS, st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.integers(0, 2**33))
def test_whatever_an_encoder_does_to_its_stamps_tracks_stay_together(
    faults: list[tuple[float, str, int]], video_drift: float, audio_drift: float, base: int
) -> None:
    """Times rise, nothing is lost, and no error outlasts what can be told from an honest pause."""
    drift = {"video": video_drift, "audio": audio_drift}

    def offset(kind: str, at: float) -> int:
        set_to = sum(ticks for when, track, ticks in faults if when <= at and track in (kind, "both"))
        return round(drift[kind] * at * CLOCK) + set_to

    sent, true = stamped(offset)
    line, placed = place(sent, base)
    for kind in ("video", "audio"):
        times = dts(placed, kind)
        assert all(later > earlier for earlier, later in itertools.pairwise(times))
    assert line.frames.total() == len(sent)
    found = apart(placed, true)
    slack = 2 * LEAD + APART_FRAMES * CLOCK // 10
    assert max(found) <= (LARGEST_PAUSE * (1 + len(faults)) + LARGEST_APART + slack) / CLOCK
    settled = [error for (packet, error) in zip(true[-len(found) :], found, strict=True) if _is_settled(packet, faults)]
    assert all(error <= (LARGEST_APART + slack) / CLOCK for error in settled)


def _is_settled(packet: Packet, faults: list[tuple[float, str, int]]) -> bool:
    """Whether the last fault was long enough ago to be known for one: some pictures."""
    at = packet.dts / packet.track.timescale
    return not any(0 <= at - when < 3 * APART_FRAMES / 30 for when, _, _ in faults)
