"""The demo's story: one lecture from the timetable to a course, and another recording to its purge.

Everything is done as its users would: over the HTTP API, by a real encoder, by the `lectern retention` command.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urljoin
from uuid import UUID

from domain.retention import add_months
from lectern import demo_timetable
from lectern.clock import now
from lectern.complaint import Complaint
from lectern.demo_client import Person
from lectern.demo_data import add_demo_recordings
from lectern.demo_lecture import LECTURE_SECONDS, Encoder
from lectern.demo_open_class import OpenClass, leave_open
from lectern.demo_screen import Screen
from lectern.seed import TIMETABLE
from lectern.settings import Settings, to_environ
from lectern.supervisor import console_script
from media.playlist import MediaPlaylist, parse_media

T = TypeVar("T")

OFFICE, LEARNER, INSTRUCTOR = "story-office", "story-learner", "teacher"
FIRST_SECONDS = 12.0
CUT_OFF_AT_SECONDS = 25.0
AWAY_SECONDS = 5.0
POLL_SECONDS = 0.5
LIVE_SECONDS = 20.0
STORED_SECONDS = 60.0
LADDER_SECONDS = 120.0
GRACE_HOURS_MORE = 1


@dataclass(frozen=True)
class Told:
    """What a person may look into when all is told: the lecture's recording, and the class that stays open."""

    recording_id: UUID
    open_class: OpenClass


@dataclass
class Story:
    """The people, the screen, and what the story has made so far."""

    settings: Settings
    screen: Screen
    passwords: dict[str, str]
    people: dict[str, Person] = field(default_factory=dict)
    encoders: list[Encoder] = field(default_factory=list)

    async def tell(self) -> Told:
        """All of it, in order. StepFailed at the first step that does not hold."""
        try:
            await self.screen.step("教务处和一位学员登录 · the office and a learner sign in", self._sign_in)
            sessions = await self.screen.step("导入课表 · import a timetable whose classes are on now", self._import)
            first = await self.screen.step(
                "先录一段短课 · a short first class is taught and ends", lambda: self._short_class(sessions[0])
            )
            lecture = await self._lecture(sessions[1])
            await self.screen.step("转为精品课 · the lecture is promoted to a course", lambda: self._promote(lecture))
            await self.screen.step(
                "六个月后清除 · six months pass: one is purged, the course is left alone",
                lambda: self._six_months_pass(first, lecture),
            )
            left = await self.screen.step("留一节课开放 · one class stays open to be tried", self._leave_open)
            return Told(lecture, left)
        finally:
            for encoder in self.encoders:
                await encoder.cut_off()
            for person in self.people.values():
                await person.close()

    async def _lecture(self, session: dict[str, Any]) -> UUID:
        """The lecture itself: live, cut off for a moment, ended, replayed, encoded."""
        step, session_id = self.screen.step, session["id"]
        address = await step("取推流地址 · the ingest address and its key", lambda: self._address(session_id))
        encoder = await self._publish(address)
        await step("直播 · it plays live in LL-HLS", lambda: self._plays_live(session_id))
        await step("录像边传边转 · its reels are stored and encoded meanwhile", lambda: self._reels_come(session_id))
        encoder = await step(
            "推流中断 5 秒 · the encoder is cut off and comes back", lambda: self._cut_off(encoder, address)
        )
        await step("录像仍是一份 · the recording stays one", lambda: self._goes_on(session_id, encoder))
        recording_id: UUID = await step("下课 · the session is ended", lambda: self._end(session_id))
        await step("回放立即可看 · the replay plays at once", lambda: self._replays(recording_id))
        await step("多清晰度转码完成 · its ladder completes", lambda: self._ladder(recording_id))
        return recording_id

    async def _publish(self, address: str, start_seconds: float = 0.0) -> Encoder:
        self.encoders.append(await Encoder.publish(address, start_seconds))
        return self.encoders[-1]

    async def _sign_in(self) -> tuple[str, None]:
        for login in (OFFICE, LEARNER):
            self.people[login] = Person(self.settings.api.public_url)
            await self.people[login].sign_in(login, self.passwords[login])
        return "", None

    async def _import(self) -> tuple[str, list[dict[str, Any]]]:
        await self._end_leftovers()
        report = await self._import_file(demo_timetable.render(now(), INSTRUCTOR))
        by_title = {one["title"]: one for one in await self._open_sessions()}
        mine = [by_title[title] for title in (demo_timetable.FIRST_TITLE, demo_timetable.LECTURE_TITLE)]
        return f"{report['created']} new sessions, {report['unchanged']} unchanged", mine

    async def _import_file(self, data: bytes) -> Any:
        file = ("timetable.ics", data, "text/calendar")
        report = await self.people[OFFICE].post(
            "/timetable-imports", files={"file": file}, data={"timetable": TIMETABLE}
        )
        if report["rejected"]:
            raise Complaint(f"row {report['rejected'][0]['row']}: {report['rejected'][0]['detail']}")
        return report

    async def _leave_open(self) -> tuple[str, OpenClass]:
        left = await leave_open(self.people[OFFICE], self._import_file, INSTRUCTOR, now())
        return f"《{left.title}》 of {INSTRUCTOR}", left

    async def _open_sessions(self) -> list[dict[str, Any]]:
        around = {"from": (now() - timedelta(hours=1)).isoformat(), "to": (now() + timedelta(hours=1)).isoformat()}
        listed = await self.people[OFFICE].get("/sessions", state=["scheduled", "live", "cut"], **around)
        items: list[dict[str, Any]] = listed["items"]
        return items

    async def _end_leftovers(self) -> None:
        """An earlier demo left classes that hold the room and the people of this one."""
        ours = (demo_timetable.FIRST_TITLE, demo_timetable.LECTURE_TITLE, demo_timetable.OPEN_TITLE)
        for one in [each for each in await self._open_sessions() if each["title"] in ours]:
            await self.people[OFFICE].post(f"/sessions/{one['id']}/end", {"reason": "演示重新开始"})

    async def _short_class(self, session: dict[str, Any]) -> tuple[str, UUID]:
        _, address = await self._address(session["id"])
        encoder = await self._publish(address)
        await asyncio.sleep(FIRST_SECONDS)
        await encoder.cut_off()
        _, recording_id = await self._end(session["id"])
        recording = await self._until(
            lambda: self._recording(recording_id), lambda one: one["state"] == "stored", STORED_SECONDS, "stored"
        )
        return f"{recording['duration_ms'] / 1000:.0f} s recorded", recording_id

    async def _address(self, session_id: str) -> tuple[str, str]:
        given = await self.people[OFFICE].get(f"/sessions/{session_id}/ingest")
        return (
            f"{given['rtmp_server']}, key of {len(given['key'])} characters",
            f"{given['rtmp_server']}/{given['key']}",
        )

    async def _plays_live(self, session_id: str) -> tuple[str, None]:
        async def session() -> Any:
            return await self.people[LEARNER].get(f"/sessions/{session_id}")

        await self._until(session, lambda one: one["state"] == "live", LIVE_SECONDS, "live")
        url = (await self.people[LEARNER].post(f"/sessions/{session_id}/playback"))["url"]
        playlist = await self._until(
            lambda: self._media_playlist(url), lambda one: bool(one.segments), LIVE_SECONDS, "playing"
        )
        segment = await self.people[LEARNER].fetch(urljoin(url, playlist.segments[-1].uri))
        return f"parts of {playlist.part_target_seconds} s, a segment of {len(segment) // 1024} KiB", None

    async def _reels_come(self, session_id: str) -> tuple[str, None]:
        recording_id = UUID((await self.people[OFFICE].get(f"/sessions/{session_id}"))["recording_id"])
        await asyncio.to_thread(add_demo_recordings, self.settings.lectern.data_folder, [recording_id])
        one = await self._until(
            lambda: self._recording(recording_id), lambda one: one["encoding"]["done"] >= 1, LADDER_SECONDS, "encoded"
        )
        return f"reels stored: {one['encoding']['total']}, encoded: {one['encoding']['done']}", None

    async def _cut_off(self, encoder: Encoder, address: str) -> tuple[str, Encoder]:
        await asyncio.sleep(max(0.0, CUT_OFF_AT_SECONDS - encoder.seconds))
        published = encoder.seconds
        await encoder.cut_off()
        await asyncio.sleep(AWAY_SECONDS)
        return f"{published:.0f} s into the class", await self._publish(address, published + AWAY_SECONDS)

    async def _goes_on(self, session_id: str, encoder: Encoder) -> tuple[str, None]:
        complaint = await asyncio.wait_for(encoder.finish(), 2 * LECTURE_SECONDS)
        if complaint:
            raise Complaint(f"the encoder says: {complaint}")
        session = await self.people[OFFICE].get(f"/sessions/{session_id}")
        url = (await self.people[LEARNER].post(f"/sessions/{session_id}/playback"))["url"]
        playlist = await self._media_playlist(url)
        breaks = sum(one.discontinuity for one in playlist.segments)
        if session["state"] != "live" or breaks != 1:
            raise Complaint(f"the session is {session['state']} with {breaks} discontinuities")
        seconds = sum(one.duration_seconds for one in playlist.segments)
        return f"one discontinuity in {seconds:.0f} s of {len(playlist.segments)} segments", None

    async def _end(self, session_id: str) -> tuple[str, UUID]:
        ended = await self.people[OFFICE].post(f"/sessions/{session_id}/end", {"reason": "下课"})
        recording_id = UUID(ended["recording_id"])
        await asyncio.to_thread(add_demo_recordings, self.settings.lectern.data_folder, [recording_id])
        return "", recording_id

    async def _replays(self, recording_id: UUID) -> tuple[str, None]:
        started = time.monotonic()
        url = (await self.people[LEARNER].post(f"/recordings/{recording_id}/playback"))["url"]
        playlist = await self._media_playlist(url)
        await self.people[LEARNER].fetch(urljoin(url, playlist.segments[0].uri))
        ready = time.monotonic() - started
        whole = await self._until(lambda: self._media_playlist(url), lambda one: one.endlist, STORED_SECONDS, "whole")
        seconds = sum(one.duration_seconds for one in whole.segments)
        return f"ready in {ready:.2f} s, {seconds:.0f} s long", None

    async def _ladder(self, recording_id: UUID) -> tuple[str, None]:
        def complete(one: Any) -> bool:
            if one["encoding"]["failed"]:
                raise Complaint(f"{one['encoding']['failed']} reels could not be encoded")
            return bool(one["encoding"]["total"] and one["encoding"]["done"] == one["encoding"]["total"])

        one = await self._until(lambda: self._recording(recording_id), complete, LADDER_SECONDS, "encoded")
        url = (await self.people[LEARNER].post(f"/recordings/{recording_id}/playback"))["url"]
        heights = [
            line.rsplit("x", 1)[-1].split(",")[0] for line in (await self._text(url)).splitlines() if "RESOL" in line
        ]
        return f"{one['encoding']['total']} reels, {', '.join(f'{height}p' for height in heights)}", None

    async def _promote(self, recording_id: UUID) -> tuple[str, None]:
        order = {"title": demo_timetable.LECTURE_TITLE, "audience": "scoped", "summary": "为什么问，问什么，等多久。"}
        course = await self.people[OFFICE].post(f"/recordings/{recording_id}/promotion", order)
        return f"course {course['id']}, {course['state']}", None

    async def _six_months_pass(self, purged: UUID, promoted: UUID) -> tuple[str, None]:
        ended_at = datetime.fromisoformat((await self._recording(purged))["ended_at"])
        due = add_months(ended_at, 6) + timedelta(minutes=1)
        emptied = due + timedelta(hours=self.settings.retention.trash_grace_hours + GRACE_HOURS_MORE)
        for instant in (due, emptied):
            await self._retention(instant, purged, promoted)
        certificate = await self.people[OFFICE].get(f"/recordings/{purged}/certificate")
        left = await self._recording(promoted)
        if left["state"] != "promoted":
            raise Complaint(f"the promoted recording is {left['state']}")
        gone = f"{certificate['objects']} objects, {certificate['bytes'] / 1e6:.1f} MB"
        told = f"certificate {certificate['id']}: {gone} gone"
        return told, None

    async def _retention(self, instant: datetime, *only: UUID) -> None:
        chosen = [word for one in only for word in ("--only", str(one))]
        process = await asyncio.create_subprocess_exec(
            *console_script(), "retention", "run", *chosen, "--at", instant.isoformat(),
            env={**os.environ, **to_environ(self.settings)},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, said = await process.communicate()
        if process.returncode:
            raise Complaint(said.decode().strip().splitlines()[-1])

    async def _recording(self, recording_id: UUID) -> Any:
        return await self.people[OFFICE].get(f"/recordings/{recording_id}")

    async def _text(self, url: str) -> str:
        return (await self.people[LEARNER].fetch(url)).decode()

    async def _media_playlist(self, url: str) -> MediaPlaylist:
        """The first rendition that the multivariant playlist lists."""
        listed = [line for line in (await self._text(url)).splitlines() if line and not line.startswith("#")]
        return parse_media(await self._text(urljoin(url, listed[0])))

    async def _until(
        self, ask: Callable[[], Awaitable[T]], enough: Callable[[T], bool], seconds: float, what: str
    ) -> T:
        """Ask again until it is enough, as a page that is left open does; Complaint when it takes too long."""
        until = time.monotonic() + seconds
        while True:
            found = await ask()
            if enough(found):
                return found
            if time.monotonic() > until:
                raise Complaint(f"not {what} within {seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)
