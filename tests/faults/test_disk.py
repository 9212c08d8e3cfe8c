"""The spool's disk fills up: what the store has goes first, then the recording pauses and says so; live goes on."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.clip import Clip, Units, encoder, stored
from tests.faults.conftest import FULL_MEGABYTES, LOW_MEGABYTES
from tests.faults.lesson import lessons, until
from tests.faults.watching import watching
from tests.kit.house import House

pytestmark = pytest.mark.anyio

STALL_SECONDS = 3.5


class Ballast:
    """A file that somebody else fills the disk with."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ballast"

    def leave(self, megabytes: int) -> None:
        """Grow until so much is free, or less: the recording writes meanwhile."""
        with self._path.open("ab") as file:
            while (more := shutil.disk_usage(self._path.parent).free - (megabytes << 20)) > 0:
                try:
                    os.posix_fallocate(file.fileno(), file.tell(), more)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                file.seek(0, os.SEEK_END)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


@pytest.fixture
def ballast(spool_disk: Path) -> Iterator[Ballast]:
    if not os.path.ismount(spool_disk):
        pytest.skip("no disk can be mounted here: root may")
    made = Ballast(spool_disk)
    yield made
    made.remove()


async def test_room_is_made_then_recording_pauses_and_goes_on(
    lectern: House, long_clip: Clip, ballast: Ballast, spool_disk: Path
) -> None:
    health = f"http://127.0.0.1:{lectern.settings.ingest.http_port}/healthz"

    async def said() -> str:
        async with httpx.AsyncClient() as client:
            with contextlib.suppress(httpx.HTTPError):
                return (await client.get(health)).text
        return ""

    async with lessons(lectern) as (lesson,):
        async with encoder(long_clip, await lesson.address()) as sending, watching(await lesson.playing()) as watch:
            (first, *_) = await until(lesson.placed, bool, 30, "a reel in the store")
            folder = spool_disk / "spool" / str(first.reel.recording_id) / str(first.reel.take_id)

            async def spooled() -> int:
                return len(list(folder.glob("*.m4s")))

            async def shown() -> int:
                return len(watch.playlist.segments)

            assert await spooled() >= len(first.reel.segments)
            ballast.leave((LOW_MEGABYTES + FULL_MEGABYTES) // 2)
            before = {one.name for one in folder.glob("*.m4s")}
            await until(spooled, lambda count: count < len(before), 10, "freed")
            nearly = "the spool's disk is nearly full, and nothing on it can be freed\n"
            assert await said() in ("ok\n", nearly), "there is room again for the recording"

            ballast.leave(0)
            await until(said, lambda text: "recording pauses" in text, 10, "said by /healthz")
            await until(lesson.live, lambda one: one.get("problem_code") == "disk_full", 10, "said on the page")
            paused_at = await shown()
            await until(shown, lambda count: count >= paused_at + 2, 20, "live while it pauses")

            ballast.remove()
            await until(said, lambda text: text == "ok\n", 20, "well again")
            await until(lesson.live, lambda one: "problem_code" not in one, 10, "well on the page")
            well_at = await shown()
            await until(shown, lambda count: count >= well_at + 2, 20, "recording again")
            assert watch.longest_seconds < STALL_SECONDS
            await sending.cut_off()
        await lesson.end()
        await until(lesson.recording, lambda one: one is not None and one.state == "stored", 30, "stored")
        placed = await lesson.placed()
        check_one_hole(stored(lesson.objects, placed), long_clip.units)
        assert sum(one.reel.discontinuity for one in placed) == 1, "the hole is said"
        await lesson.encoded(90)


def check_one_hole(found: Units, sent: Units) -> None:
    """Two stretches of what was sent, the first from its beginning, with something missing in between."""
    for have, want in ((found.video, sent.video), (found.audio, sent.audio)):
        hole = next(index for index, (one, other) in enumerate(zip(have, want, strict=False)) if one != other)
        again = want.index(have[hole])
        assert again > hole > 0
        assert have[hole:] == want[again : again + len(have) - hole]
