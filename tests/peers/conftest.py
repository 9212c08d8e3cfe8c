"""What players of others play: a class that is live in a real process, and a recording that a real one captured."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bench import clip, lessons
from bench.encoders import Encoders
from bench.house import house, run_folder
from bench.listening import address
from bench.processes import Program, until

STARTING_SECONDS = 60.0


@dataclass
class LiveClass:
    """Its multivariant playlist's address, and the encoder that can be lost and come back."""

    url: str
    program: Program
    folder: Path
    to: str
    source: Path
    encoders: Encoders | None = None
    takes: int = 0

    @property
    def media_url(self) -> str:
        return self.url.replace("index", "main")

    async def publish(self, segments: int, source: Path | None = None) -> None:
        """An encoder comes; returns when so many segments are there behind the newest break."""
        self.takes += 1
        log = self.folder / f"to-live-{self.takes}"
        self.encoders = await Encoders.publish(source or self.source, [self.to], log)
        wanted = self.takes - 1

        async def are_there() -> bool:
            text = await self.playlist()
            behind = text.split("#EXT-X-DISCONTINUITY\n")
            return len(behind) > wanted and behind[-1].count("#EXTINF") >= segments

        await until(are_there, STARTING_SECONDS, "publishing", [self.program])

    async def drop(self) -> None:
        """The encoder's process is gone from one moment to the next."""
        if self.encoders is not None:
            await self.encoders.kill()
            self.encoders = None

    async def playlist(self) -> str:
        async with httpx.AsyncClient(timeout=20) as client:
            answer = await client.get(self.media_url)
            return answer.text if answer.is_success else ""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def live_class() -> AsyncIterator[LiveClass]:
    """A class that waits for its encoder."""
    source = await asyncio.to_thread(clip.made, clip.SEMINAR)
    with run_folder() as folder:
        async with house(folder) as home, home.ingest("live") as (program, settings):
            (lesson,) = await lessons.plan(home.catalogue, settings, 1)
            base = f"{settings.ingest.control_url}{address(settings, lesson.session_id)}"
            to = f"rtmp://127.0.0.1:{settings.ingest.rtmp_port}/live/{lesson.key}"
            made = LiveClass(f"{base}/index.m3u8", program, folder, to, source)
            try:
                yield made
            finally:
                await made.drop()


@pytest.fixture
async def live() -> AsyncIterator[LiveClass]:
    """A class with a few segments in it."""
    async with live_class() as made:
        await made.publish(3)
        yield made
