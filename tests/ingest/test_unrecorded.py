"""What the disk did not take is counted and placed, take by take."""

from ingest.events import CLOCK, Part
from ingest.settings import IngestSettings
from ingest.unrecorded import MOST_STRETCHES, Unrecorded
from media.counting import RunCount
from tests.ingest.live_house import House, lecture


def part(number: int, seconds: float, start: float) -> Part:
    counted = (RunCount(1, 0, 1, 15, 1), RunCount(2, 0, 1, 23, 23))
    return Part(0, number, round(start * CLOCK), round(seconds * CLOCK), False, b"", None, counted=counted)


def test_what_follows_is_one_stretch() -> None:
    told = Unrecorded()
    for number in range(4):
        told.add(part(number, 0.5, 10 + number / 2 + (5 if number == 3 else 0)), {1: "video", 2: "audio"})
    assert told.as_row() == {
        "frames": {"video": 60, "audio": 92},
        "stretches": [{"at_ms": 10_000, "duration_ms": 1500}, {"at_ms": 16_500, "duration_ms": 500}],
    }


def test_the_list_has_an_end_and_the_count_is_right_beyond() -> None:
    told = Unrecorded()
    for number in range(MOST_STRETCHES + 5):
        told.add(part(number, 0.5, number), {1: "video", 2: "audio"})
    assert len(told.stretches) == MOST_STRETCHES
    assert told.stretches[-1][1] == round((MOST_STRETCHES + 4.5) * CLOCK)
    assert told.frames["video"] == 15 * (MOST_STRETCHES + 5)


def test_every_frame_of_a_take_is_in_the_spool_or_said_not_to_be(settings: IngestSettings) -> None:
    house = House(settings)
    take, packets = house.take(), lecture(12)
    house.feed(take, packets[: len(packets) // 3])
    house.full = True
    house.feed(take, packets[len(packets) // 3 : len(packets) // 2])
    house.full = False
    house.feed(take, packets[len(packets) // 2 :])
    take.ended("unpublished")
    said = house.session.recording.unrecorded(take.id)
    assert take.timeline is not None
    for track_id, kind in ((1, "video"), (2, "audio")):
        runs = [run for job in house.reels for one in job.plan.segments for run in one.counted or ()]
        kept = sum(run.frames for run in runs if run.track_id == track_id)
        assert said.frames[kind] > 0
        assert kept + said.frames[kind] == take.timeline.frames[kind]
    assert house.session.recording.unrecorded(take.id).frames == {}, "the next take begins anew"
