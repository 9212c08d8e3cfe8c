"""When reels close: by length, by bytes, and where media has a seam."""

from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import uuid4

from ingest.events import CLOCK
from ingest.reel_plan import PlannedSegment, SpoolRange, TakeAbout
from ingest.reels import REEL_BYTES, ReelBuilder
from ingest.spool import TakeSpool


def spool(folder: Path) -> TakeSpool:
    return TakeSpool(folder, TakeAbout(uuid4(), uuid4(), uuid4(), 1, "ingest-1", datetime(2026, 1, 5, tzinfo=UTC), 0))


def segment(msn: int, size: int = 1000, seconds: int = 2, *, key: bool = True) -> PlannedSegment:
    return PlannedSegment(msn, SpoolRange(f"{msn:08}.m4s", 0, size), msn * seconds * CLOCK, seconds * CLOCK, key, False)


def builder(seconds: int = 60) -> ReelBuilder:
    return ReelBuilder(seconds * CLOCK, evidence=False, next_number=count(1).__next__)


def test_a_reel_closes_at_its_length(tmp_path: Path) -> None:
    here, reels = spool(tmp_path), builder(seconds=6)
    closed = [job for msn in range(7) for job in reels.add(here, 1, segment(msn))]
    assert [[one.msn for one in job.plan.segments] for job in closed] == [[0, 1, 2], [3, 4, 5]]
    (last,) = reels.flush()
    assert [one.msn for one in last.plan.segments] == [6]


def test_a_reel_waits_for_the_key_frame_that_the_next_begins_with(tmp_path: Path) -> None:
    here, reels = spool(tmp_path), builder(seconds=10)
    keys = [True, False, False, False, True, False, False, False, True]  # 24 s from one to the next
    closed = [job for msn, key in enumerate(keys) for job in reels.add(here, 1, segment(msn, seconds=6, key=key))]
    assert [[one.msn for one in job.plan.segments] for job in closed] == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_reel_waits_no_longer_for_a_key_frame_than_one_may_take(tmp_path: Path) -> None:
    here, reels = spool(tmp_path), builder(seconds=10)
    closed = [job for msn in range(8) for job in reels.add(here, 1, segment(msn, seconds=6, key=msn == 0))]
    assert [[one.msn for one in job.plan.segments] for job in closed] == [[0, 1, 2, 3, 4, 5]]


def test_a_reel_closes_before_it_is_too_large_for_one_upload(tmp_path: Path) -> None:
    here, reels = spool(tmp_path), builder()
    third = REEL_BYTES // 3 + 1
    closed = [job for msn in range(6) for job in reels.add(here, 1, segment(msn, third))]
    assert [job.plan.bytes for job in closed] == [3 * third, 3 * third]
    assert [job.plan.number for job in closed] == [1, 2]


def test_another_init_or_a_hole_closes_it(tmp_path: Path) -> None:
    here, reels = spool(tmp_path), builder()
    assert reels.add(here, 1, segment(0)) == []
    (first,) = reels.add(here, 2, segment(1))
    (second,) = reels.add(here, 2, segment(3))
    (third,) = reels.flush()
    assert [job.plan.init_number for job in (first, second, third)] == [1, 2, 2]
    assert [job.plan.segments[0].discontinuity for job in (first, second, third)] == [False, False, True]
