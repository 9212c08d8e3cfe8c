"""Times as encoders give them, and what becomes of them."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import CLOCK
from ingest.timeline import LEAD, Timeline, next_base
from media.packet import Packet
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
    assert line.repairs.audio_moves == 1


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
    assert line.repairs.steps_back == 1


def test_a_clock_that_was_set_leaves_no_hole_and_keeps_both_tracks_together() -> None:
    first = interleaved(video(4), audio(4))
    for jump in (-100_000, 3_600_000):
        later = in_milliseconds(interleaved(video(4, start=4), audio(4, start=4)), jump)
        line, placed = place(first + later)
        pictures, sounds = dts(placed, "video"), dts(placed, "audio")
        assert max(b - a for a, b in itertools.pairwise(pictures)) <= 3100
        assert max(b - a for a, b in itertools.pairwise(sounds)) <= 3 * 1024
        assert abs(pictures[-1] / 90_000 - sounds[-1] / 48_000) < 0.06
        assert line.repairs.jumps == 1


def test_an_absurd_composition_offset_is_dropped() -> None:
    line, placed = place([Packet(VIDEO, 0, 90_000 * 60, True, b"")])
    assert placed[0].pts == placed[0].dts
    assert line.repairs.offsets == 1


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
