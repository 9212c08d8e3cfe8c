"""What cannot be used is said where it helps: to the encoder, on the instructor's page, by the row's number."""

from datetime import timedelta
from uuid import uuid4

import pytest

from lectern.clock import now
from lectern.seed import TIMETABLE
from tests.faults.clip import Clip, Units, encoder
from tests.faults.lesson import lessons, until
from tests.kit.house import House
from tests.media.clips import ffmpeg

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="session")
def sorenson_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """A picture in a codec of 2002, which FLV carries and no browser plays."""
    path = tmp_path_factory.mktemp("clip") / "sorenson.flv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-t", "20", "-c:v", "flv", "-f", "flv", path)
    return Clip(path, 20, Units([], []))


async def test_a_codec_that_no_browser_plays(lectern: House, sorenson_clip: Clip, short_clip: Clip) -> None:
    async with lessons(lectern) as (lesson,):
        address = await lesson.address()
        async with encoder(sorenson_clip, address) as sending:
            assert "Video as Sorenson H.263 is not supported. Send H.264" in await sending.said(20)
        shown = await until(lesson.live, lambda one: "problem_code" in one, 10, "said on the page")
        assert shown["problem_code"] == "unsupported_codec"
        assert shown["problem_facts"] == {"codec": "Sorenson H.263"}
        async with encoder(short_clip, address):
            shown = await until(lesson.live, lambda one: one["state"] == "live", 20, "live")
            assert "problem_code" not in shown, "what was wrong is right now"


async def test_rows_that_cannot_be_read_are_named_and_the_rest_imported(lectern: House) -> None:
    start = now() + timedelta(days=2)
    first, second = f"甲 {uuid4().hex[:6]}", f"乙 {uuid4().hex[:6]}"

    def row(title: str, hour: int, instructor: str = "teacher", begins: str = "") -> str:
        shown = begins or f"{8 + hour:02}:00"
        return f"{start.date()},{shown},{8 + hour:02}:45,{title},{instructor},402 教室"

    rows = [
        "日期,开始,结束,课程,教师,教室",
        *(
            row(first, 0),
            row("丙", 1, begins="next Tuesday"),
            row(second, 2),
            row("丁", 3, "nobody-here"),
            row("戊", 0),
        ),
    ]
    async with lectern.people("academic", "teacher") as (academic, teacher):
        file = ("timetable.csv", "\n".join(rows).encode(), "text/csv")
        report = await academic.post("/timetable-imports", files={"file": file}, data={"timetable": TIMETABLE})
        assert report["created"] == 2
        rejected = [(one["row"], one["code"]) for one in report["rejected"]]
        assert sorted(rejected) == [(3, "time_invalid"), (5, "instructor_unknown"), (6, "slot_taken")]
        day = timedelta(days=1)
        around = {"from": (start - day).isoformat(), "to": (start + day).isoformat()}
        listed = await teacher.get("/sessions", mine=True, **around)
        assert {first, second} <= {one["title"] for one in listed["items"]}
