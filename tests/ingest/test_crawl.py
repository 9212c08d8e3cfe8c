"""Stamps that stand still or crawl: the class is shown all the same, and no more of it is held than of any other."""

from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest

from ingest.cuts import PART_WEIGHT, cut_rule
from ingest.events import CLOCK, Event, Part, SegmentClosed
from ingest.packager import Packager
from ingest.repairs import RepairKind
from ingest.timeline import LEAD, Timeline
from media.packet import Packet
from tests.ingest.builders import AUDIO, VIDEO, audio, interleaved, video

ROUND = 0.06
"""Sockets are read so often: frames come some at a time."""


class Run:
    """What an encoder sends in real time, stamped by `stamp`, and what becomes of it."""

    def __init__(self, sent: Iterable[Packet], stamp: Callable[[Packet], int], *, heard: bool = True) -> None:
        self.line = Timeline(LEAD)
        self.packager = Packager(cut_rule(0.5, 2.0, 6))
        self.events: list[Event] = []
        self.most_frames = self.most_bytes = 0
        self.late: dict[str, list[float]] = {"video": [], "audio": []}
        """By how much each frame is later on the line than it was taken, in seconds."""
        frames = held = 0
        for packet in sent:
            taken = packet.dts / packet.track.timescale
            raw = stamp(packet)
            heard_at = taken // ROUND * ROUND + ROUND if heard else None
            placed = self.line.place(Packet(packet.track, raw, raw, packet.keyframe, packet.data), heard_at)
            self.late[packet.track.kind].append(placed.dts / packet.track.timescale - LEAD / CLOCK - taken)
            events = self.packager.packet(placed)
            out = [event for event in events if isinstance(event, Part)]
            frames += 1 - sum(run.frames for part in out for run in part.counted)
            held += len(packet.data) - sum(len(part.muxed) for part in out)
            self.most_frames, self.most_bytes = max(self.most_frames, frames), max(self.most_bytes, held)
            self.events += events
        self.events += self.packager.flush()

    @property
    def segments(self) -> list[float]:
        return [event.duration / CLOCK for event in self.events if isinstance(event, SegmentClosed)]


def slowed(speed: float, *kinds: str) -> Callable[[Packet], int]:
    """Stamps of these kinds of track at a part of the true speed, in milliseconds as RTMP has them."""

    def stamp(packet: Packet) -> int:
        scale = packet.track.timescale
        true = packet.dts * 1000 / scale
        return int(true * (speed if packet.track.kind in kinds else 1)) * scale // 1000

    return stamp


@pytest.mark.parametrize("speed", [0, 0.01, 0.05])
@pytest.mark.parametrize("heard", [True, False])
def test_a_class_whose_stamps_stand_still_or_crawl_is_shown(speed: float, *, heard: bool) -> None:
    for sent in (list(video(60)), interleaved(video(60), audio(60)), list(audio(60))):
        run = Run(sent, slowed(speed, "video", "audio"), heard=heard)
        assert sum(run.segments) == pytest.approx(60, abs=1.0)
        assert len(run.segments) >= 25
        assert max(run.segments) <= 6
        assert run.most_frames < 100
        assert run.line.repairs.counts[RepairKind.crawl] == len({packet.track.kind for packet in sent})
        assert run.line.repairs.counts[RepairKind.step_back] < 100
        assert run.packager.dropped.total() == 0


@pytest.mark.parametrize("wrong", ["video", "audio"])
def test_a_track_whose_stamps_stand_still_stays_with_the_other(wrong: str) -> None:
    run = Run(interleaved(video(60), audio(60)), slowed(0, wrong))
    settled = {kind: late[len(late) // 20 :] for kind, late in run.late.items()}
    assert all(-0.15 < late < 0.15 for lates in settled.values() for late in lates)
    assert run.most_frames < 100


def test_stamps_that_move_again_are_followed() -> None:
    sent = interleaved(video(60), audio(60))

    def stamp(packet: Packet) -> int:
        scale = packet.track.timescale
        return min(packet.dts, 10 * scale) if packet.dts < 30 * scale else packet.dts

    run = Run(sent, stamp)
    end = run.late["video"][-600:]
    assert max(end) - min(end) < 0.001, "each frame as long as its stamps say"
    assert abs(run.late["video"][-1] - run.late["audio"][-1]) < 0.15
    assert sum(run.segments) == pytest.approx(60, abs=1.0)


def test_frames_that_come_late_with_honest_stamps_are_left_alone() -> None:
    """Through a line too thin for them, say: at a sixth of their rate."""
    line = Timeline(0)
    packets = interleaved(video(20), audio(20))
    placed = [line.place(packet, packet.dts / packet.track.timescale * 6) for packet in packets]
    assert [packet.dts for packet in placed if packet.track is AUDIO] == [p.dts for p in packets if p.track is AUDIO]
    assert line.repairs.counts[RepairKind.crawl] == 0


def test_a_pause_while_stamps_stand_still_is_a_pause_on_the_line() -> None:
    sent = [*video(10), *video(10, start=20)]
    run = Run(sent, slowed(0, "video"))
    assert -0.2 < run.late["video"][-1] < 0.2
    steps = [b - a for a, b in pairwise(run.late["video"])]
    assert max(steps[40:]) < 0.2


def test_media_that_weighs_more_than_its_time_may_is_cut_by_its_weight() -> None:
    """At a thirteenth of the true speed, which nobody can tell from a fast camera, and with large frames."""
    heavy = bytes(200_000)
    sent = [Packet(VIDEO, p.dts, p.dts, p.keyframe, heavy) for p in video(20)]
    run = Run(sent, slowed(1 / 13, "video"))
    assert run.line.repairs.counts[RepairKind.crawl] == 0
    assert run.most_bytes <= 3 * PART_WEIGHT
    assert len(run.segments) >= 12


def test_nothing_is_kept_without_bound_while_a_second_track_is_waited_for() -> None:
    """Pictures of a hundred megabits."""
    heavy = bytes(400_000)
    packets = [Packet(VIDEO, p.dts, p.dts, p.keyframe, heavy) for p in video(4)]
    run = Run(packets, lambda packet: packet.dts)
    assert run.most_bytes <= 3 * PART_WEIGHT
    late = [Packet(AUDIO, 1024 * n, 1024 * n, True, bytes(100_000)) for n in range(900)]
    alone = Run(interleaved(video(20, key_every=20), iter(late)), lambda packet: packet.dts)
    assert alone.most_bytes <= 3 * PART_WEIGHT
    assert sum(alone.segments) > 19
