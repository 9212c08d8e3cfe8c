"""What a reel's row says is in it was counted as its parts were made; the spool's own bytes must say the same."""

from pathlib import Path

import msgspec

from ingest.reel_plan import ReelPlan
from ingest.reels import ReelJob
from ingest.settings import IngestSettings
from ingest.spool import init_name
from media.counting import count, summed
from media.fragments import read_init
from tests.ingest.builders import audio, interleaved, video
from tests.ingest.live_house import House


def both_counts(job: ReelJob) -> tuple[list[object], list[object]]:
    """As the plan has it, once written and read again, and as the spool's bytes have it."""
    plan = msgspec.json.decode(msgspec.json.encode(job.plan), type=ReelPlan)
    init = (job.spool.folder / init_name(plan.init_number)).read_bytes()
    media = [
        (job.spool.folder / one.source.name).read_bytes()[one.source.offset :][: one.source.length]
        for one in plan.segments
    ]
    runs = [run for segment in plan.segments for run in segment.counted or []]
    return list(summed(runs, dict(enumerate(read_init(init), 1)))), list(count(init, media))


def test_the_count_at_capture_is_that_of_the_spool(tmp_path: Path) -> None:
    house = House(IngestSettings(spool_folder=tmp_path, reel_seconds=4.0))
    take = house.take()
    house.feed(take, interleaved(video(9.0), audio(9.0)))
    take.ended("unpublished")
    house.threads.submit(lambda: None).result()
    assert len(house.reels) == 3
    for job in house.reels:
        captured, spooled = both_counts(job)
        assert captured == spooled
        assert len(captured) == 2
        assert all(len(segment.counted or []) == 2 for segment in job.plan.segments), "one entry a track and segment"


def test_withheld_media_is_counted_too(tmp_path: Path) -> None:
    house = House(IngestSettings(spool_folder=tmp_path, reel_seconds=60.0))
    take = house.take()
    house.feed(take, interleaved(video(5.0), audio(5.0)))
    house.session.cut()
    house.feed(
        take, [packet for packet in interleaved(video(9.0), audio(9.0)) if packet.dts >= 5 * packet.track.timescale]
    )
    take.ended("unpublished")
    house.threads.submit(lambda: None).result()
    assert {job.plan.evidence for job in house.reels} == {False, True}
    for job in house.reels:
        captured, spooled = both_counts(job)
        assert captured == spooled
