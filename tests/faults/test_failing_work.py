"""A job that always fails: a reel whose object became noise. Tried as often as set, then failed with its log, and done
when a person has it tried again once the object is right.
"""

import asyncio
import os

import pytest

from tests.faults.clip import Clip, encoder
from tests.faults.lesson import lessons, until
from tests.kit.house import House

pytestmark = pytest.mark.anyio

TRIES = 3
"""The first and one for each of the two waits that the house was told."""


async def test_work_that_cannot_succeed_is_given_up_and_tried_again_by_hand(lectern: House, short_clip: Clip) -> None:
    async with lessons(lectern) as (lesson,):
        await lesson.nothing_waits()
        worker = lectern.process("worker")
        worker.suspend()
        try:
            async with encoder(short_clip, await lesson.address(), speed=4) as sending:
                (first, *_) = await until(lesson.placed, bool, 30, "a reel in the store")
                right = await asyncio.to_thread(lesson.objects.read, first.reel.object_key)
                await asyncio.to_thread(lesson.objects.put_bytes, first.reel.object_key, os.urandom(len(right)))
                worker.resume()
                assert await sending.said(30) == ""
        finally:
            worker.resume()
        await lesson.end()

        async def encoding() -> dict[str, int]:
            shown: dict[str, int] = (await lesson.teacher.get(f"/recordings/{first.reel.recording_id}"))["encoding"]
            return shown

        shown = await until(encoding, lambda one: one["failed"] + one["done"] == one["total"] > 1, 60, "at an end")
        assert shown["failed"] == 1
        path = f"/recordings/{first.reel.recording_id}/work"
        async with lectern.people("lead") as (lead,):
            (failed,) = [one for one in await lead.get(path) if one["state"] == "failed"]
            assert failed["attempts"] == TRIES
            assert "is not what was captured" in failed["error"]
            assert "Traceback" in failed["log"]
            await asyncio.to_thread(lesson.objects.put_bytes, first.reel.object_key, right)
            await lead.post(f"{path}/{failed['id']}/retry")
            await lesson.encoded(60)
            (done,) = [one for one in await lead.get(path) if one["id"] == failed["id"]]
        assert (done["state"], done["attempts"], done["error"]) == ("done", TRIES + 1, None)
