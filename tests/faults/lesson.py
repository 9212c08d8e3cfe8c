"""A class of the whole house: planned by an import, published into by its key, looked at as its people do."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urljoin
from uuid import UUID, uuid4

import httpx
from icalendar import Calendar, Event, vCalAddress

from lectern.clock import now
from lectern.demo_client import Person
from lectern.seed import TIMETABLE
from media.playlist import MediaPlaylist, parse_media
from storage.catalogue import recordings, reels, work
from storage.catalogue.reels import Placed
from storage.catalogue.tables.recording import Recording
from storage.catalogue.tables.work import Work
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore
from tests.faults.clip import Units, stored
from tests.kit.house import House

T = TypeVar("T")
POLL_SECONDS = 0.1
MINUTES = 4


async def until(
    ask: Callable[[], Awaitable[T]], enough: Callable[[T], bool], seconds: float, what: str, every: float = POLL_SECONDS
) -> T:
    """Ask again, `every` so many seconds, until it is enough; AssertionError that tells what was found last."""
    give_up = time.monotonic() + seconds
    while True:
        found = await ask()
        if enough(found):
            return found
        if time.monotonic() > give_up:
            raise AssertionError(f"not {what} within {seconds:.0f} s, but {found!r}")
        await asyncio.sleep(every)


@dataclass
class Lesson:
    """One session of the instructor's, with what a test needs to look at it. Made by `lessons`."""

    session: dict[str, Any]
    teacher: Person
    catalogue: Catalogue
    objects: ObjectStore
    players: httpx.AsyncClient

    @property
    def id(self) -> str:
        return str(self.session["id"])

    async def address(self) -> str:
        """Server and key, as an encoder is told them."""
        given = await self.teacher.get(f"/sessions/{self.id}/ingest")
        return f"{given['rtmp_server']}/{given['key']}"

    async def live(self) -> dict[str, Any]:
        """What the instructor's page shows of the encoder."""
        shown: dict[str, Any] = await self.teacher.get(f"/sessions/{self.id}/live")
        return shown

    async def playing(self, seconds: float = 20.0) -> str:
        """The address of its live media playlist, once it has a segment."""

        async def state() -> Any:
            return (await self.teacher.get(f"/sessions/{self.id}"))["state"]

        await until(state, lambda one: one == "live", seconds, "live")
        index = (await self.teacher.post(f"/sessions/{self.id}/playback"))["url"]
        text = await until(lambda: self._text(index), lambda one: "main.m3u8" in one, seconds, "playing")
        url: str = urljoin(index, next(line for line in text.splitlines() if line and not line.startswith("#")))
        await until(lambda: self.playlist(url), lambda one: bool(one.segments), seconds, "playing")
        return url

    async def playlist(self, url: str) -> MediaPlaylist:
        """A media playlist as a player reads it now."""
        return parse_media(await self._text(url))

    async def end(self) -> None:
        """Said by its instructor."""
        await self.teacher.post(f"/sessions/{self.id}/end", {"reason": "下课"})

    async def recording(self) -> Recording | None:
        async with self.catalogue.transaction() as tx:
            return await recordings.of_session(tx, UUID(self.id))

    async def placed(self) -> list[Placed]:
        """Its stored reels, in the order in which they play."""
        recording = await self.recording()
        if recording is None:
            return []
        async with self.catalogue.transaction() as tx:
            return list(await reels.of_recording(tx, recording.id))

    async def work(self) -> list[Work]:
        recording = await self.recording()
        if recording is None:
            return []
        async with self.catalogue.transaction() as tx:
            return list(await work.of_recording(tx, recording.id))

    async def whole(self, seconds: float = 30.0) -> Units:
        """All that the store has of it, once its recording is complete; its segments must leave nothing out."""
        await until(self.recording, lambda one: one is not None and one.state == "stored", seconds, "stored")
        placed = await self.placed()
        expected = 0
        for segment in (segment for one in placed for segment in one.reel.segments):
            expected += segment.get("held", {}).get("segments", 0)  # numbers that the holding picture had
            assert segment["msn"] == expected
            expected += 1
        return await asyncio.to_thread(stored, self.objects, placed)

    async def encoded(self, seconds: float = 60.0) -> list[Work]:
        """Its work, once none is left to do."""

        async def left() -> list[tuple[str, int, str | None]]:
            return [(one.state, one.attempts, one.error) for one in await self.work()]

        await until(left, lambda all_: {one[0] for one in all_} == {"done"}, seconds, "encoded")
        return await self.work()

    async def nothing_waits(self, seconds: float = 60.0) -> None:
        """Wait until the workers have done all that tests before this one left them."""

        async def waiting() -> int:
            async with self.catalogue.transaction() as tx:
                return len(await work.unfinished(tx, now()))

        await until(waiting, lambda count: count == 0, seconds, "idle")

    async def _text(self, url: str) -> str:
        answer = await self.players.get(url)
        return answer.text if answer.is_success else ""


def timetable(starts: list[datetime], titles: list[str], minutes: int = MINUTES) -> bytes:
    """iCalendar text of classes in one room by one instructor."""
    calendar = Calendar()
    calendar.add("prodid", "-//Lectern//test//")
    calendar.add("version", "2.0")
    for start, title in zip(starts, titles, strict=True):
        event = Event()
        event.add("uid", f"{uuid4()}@faults.lectern")
        event.add("dtstamp", start)
        event.add("summary", title)
        event.add("dtstart", start)
        event.add("dtend", start + timedelta(minutes=minutes))
        event.add("location", "301 教室")
        event.add("organizer", vCalAddress("MAILTO:teacher@lectern.invalid"))
        event.add("x-lectern-instructor", "teacher")
        calendar.add_component(event)
    return bytes(calendar.to_ical())


@asynccontextmanager
async def lessons(house: House, count: int = 1, *, in_minutes: float = 0) -> AsyncIterator[list[Lesson]]:
    """So many classes one after the other, the first beginning now; what is still open at the end is ended."""
    start = now().astimezone(UTC).replace(microsecond=0) + timedelta(minutes=in_minutes)
    titles = [f"故障 {uuid4().hex[:6]}" for _ in range(count)]
    starts = [start + timedelta(minutes=MINUTES * index) for index in range(count)]
    catalogue = house.catalogue()
    async with house.people("academic", "teacher") as (academic, teacher), httpx.AsyncClient(timeout=10) as players:
        file = ("timetable.ics", timetable(starts, titles), "text/calendar")
        report = await academic.post("/timetable-imports", files={"file": file}, data={"timetable": TIMETABLE})
        assert report["created"] == count, report
        around = {"from": (start - timedelta(hours=1)).isoformat(), "to": (start + timedelta(hours=9)).isoformat()}
        listed = await teacher.get("/sessions", mine=True, **around)
        by_title = {one["title"]: one for one in listed["items"]}
        made = [Lesson(by_title[title], teacher, catalogue, house.objects(), players) for title in titles]
        try:
            yield made
        finally:
            for one in made:
                found = await teacher.get(f"/sessions/{one.id}")
                if found["state"] in ("scheduled", "live", "cut"):
                    await one.end()
            await catalogue.close()
