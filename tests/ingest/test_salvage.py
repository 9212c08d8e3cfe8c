"""What is left of a reel when its spool files are not what was captured: bits are turned and files cut by hand."""

import os
from pathlib import Path

import msgspec
import pytest

from ingest.events import CLOCK
from ingest.reel_plan import Harm, PlannedSegment, ReelPlan, Spoilt
from ingest.reels import ReelJob
from ingest.salvage import look, rebuilt
from ingest.spool import ASIDE, TakeSpool, init_name, segment_name
from ingest.spool_recovery import recover
from media.counting import count as counted
from tests.ingest.test_spool import about, events, write


@pytest.fixture
def job(tmp_path: Path) -> ReelJob:
    """Five segments of two seconds, each of four parts, in one reel."""
    spool = TakeSpool.create(tmp_path, about())
    write(spool, events(10))
    spool.close()
    take = recover(spool.folder)
    segments = [segment for _, _, segment in take.unplanned]
    plan = ReelPlan(7, spool.about.recording_id, spool.about.take_id, 1, False, segments)
    return ReelJob(msgspec.json.decode(msgspec.json.encode(plan), type=ReelPlan), take.spool)


def turn_a_bit(job: ReelJob, segment: int, part: int, at: int) -> None:
    """Of a sealed file, `at` bytes into the part; from the end where less than nothing."""
    checks = job.plan.segments[segment].checks()
    start = sum(one.length for one in checks[:part])
    place = start + (at if at >= 0 else checks[part].length + at)
    path = job.spool.folder / segment_name(segment)
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)


def media(job: ReelJob, segment: PlannedSegment) -> bytes:
    data = (job.spool.folder / segment.source.name).read_bytes()
    return data[segment.source.offset :][: segment.source.length]


def frames(job: ReelJob) -> int:
    init = (job.spool.folder / init_name(1)).read_bytes()
    return counted(init, [media(job, segment) for segment in job.plan.segments])[0].frames


def test_nothing_is_found_where_nothing_is_wrong(job: ReelJob) -> None:
    assert [len(segment.checks()) for segment in job.plan.segments] == [4] * 5
    assert look(job) is None


def test_a_bit_that_turned_in_a_picture_is_told_of_and_stays(job: ReelJob) -> None:
    turn_a_bit(job, 2, 1, -5)
    before = media(job, job.plan.segments[2])
    found = look(job)
    assert found is not None
    assert found.spoilt == [Spoilt(Harm.damaged, 4 * CLOCK + CLOCK // 2, CLOCK // 2)]
    (again,) = rebuilt(job, found, 7)
    assert (again.plan.number, again.plan.spoilt) == (7, found.spoilt)
    assert media(again, again.plan.segments[2]) == before
    assert frames(again) == 300
    assert look(again) is None, "what lies there now is what goes up"


@pytest.mark.parametrize("at", [0, 5, 12, 60])
def test_a_part_that_is_no_fragment_any_more_is_one_that_players_pass_over(job: ReelJob, at: int) -> None:
    turn_a_bit(job, 2, 1, at)
    found = look(job)
    assert found is not None
    (again,) = rebuilt(job, found, 7)
    assert [one.harm for one in found.spoilt] == [Harm.damaged]
    assert again.plan.bytes == job.plan.bytes
    assert frames(again) in (285, 300), "as many as can be read, and the others all the same"
    assert look(again) is None


def test_a_file_that_is_gone_leaves_two_reels_with_a_hole_between(job: ReelJob) -> None:
    (job.spool.folder / segment_name(2)).unlink()
    found = look(job)
    assert found is not None
    assert found.spoilt == [Spoilt(Harm.lost, 4 * CLOCK, 2 * CLOCK)]
    first, second = rebuilt(job, found, 7)
    assert [(one.plan.number, [s.msn for s in one.plan.segments]) for one in (first, second)] == [
        (7, [0, 1]),
        (8, [3, 4]),
    ]
    assert (first.plan.spoilt, second.plan.spoilt) == (found.spoilt, [])
    assert second.plan.segments[0].discontinuity


def test_what_comes_before_the_end_of_a_file_cut_short_is_kept(job: ReelJob) -> None:
    path = job.spool.folder / segment_name(4)
    os.truncate(path, path.stat().st_size - 1)
    found = look(job)
    assert found is not None
    assert found.spoilt == [Spoilt(Harm.lost, 9 * CLOCK + CLOCK // 2, CLOCK // 2)]
    (again,) = rebuilt(job, found, 7)
    assert again.plan.duration == job.plan.duration - CLOCK // 2
    assert frames(again) == 285
    assert 6 * CLOCK not in job.spool.holes
    assert 10 * CLOCK in job.spool.holes


def test_nothing_is_left_where_all_is_gone_but_what_is_to_be_said(job: ReelJob) -> None:
    for number in range(5):
        (job.spool.folder / segment_name(number)).unlink()
    found = look(job)
    assert found is not None
    (again,) = rebuilt(job, found, 7)
    assert again.plan.segments == []
    assert sum(one.duration for one in again.plan.spoilt) == 10 * CLOCK
    assert job.spool.is_empty


def test_a_file_that_cannot_be_read_is_put_aside_and_one_with_more_in_it_is_not(job: ReelJob) -> None:
    """Of the first nothing is there to be read, of the last a part is."""
    os.truncate(job.spool.folder / segment_name(0), 10)
    os.truncate(job.spool.folder / segment_name(4), job.plan.segments[4].checks()[0].length)
    assert look(job) is not None
    kept = sorted(path.name for path in (job.spool.folder.parent.parent / ASIDE).iterdir())
    assert kept == [f"{job.plan.take_id}-{segment_name(0)}"]
    assert (job.spool.folder / segment_name(4)).exists()


def test_a_disk_that_says_something_else_is_asked_again(job: ReelJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where no more files can be opened: that says nothing of this one."""

    def too_many(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Path, "open", too_many)
    with pytest.raises(OSError, match="Too many"):
        look(job)
