"""Keys that must not publish, and what their encoders are told; who has a live key keeps it."""

import asyncio
import os
import signal
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from lectern.clock import now
from storage.catalogue import takes
from storage.catalogue.address import for_libpq
from tests.faults.clip import Clip, encoder
from tests.faults.lesson import lessons
from tests.ingest.whip.offers import offer
from tests.kit.house import House

pytestmark = pytest.mark.anyio


async def refused(clip: Clip, address: str) -> str:
    """What an encoder says that was sent away."""
    async with encoder(clip, address) as turned_away:
        return await turned_away.said()


async def test_a_key_that_was_never_given_out(lectern: House, short_clip: Clip) -> None:
    address = lectern.settings.api.rtmp_public_url
    assert "This stream key is not known." in await refused(short_clip, f"{address}/{'A' * 40}")


async def test_a_renewed_key_and_the_one_before(lectern: House, short_clip: Clip) -> None:
    async with lessons(lectern) as (lesson,):
        before = await lesson.address()
        await lesson.teacher.post(f"/sessions/{lesson.id}/ingest/renewal")
        assert "This stream key was replaced by another." in await refused(short_clip, before)
        async with encoder(short_clip, await lesson.address(), speed=4):
            await lesson.playing()


async def test_a_key_after_its_time(lectern: House, short_clip: Clip) -> None:
    async with lessons(lectern) as (lesson,):
        address = await lesson.address()
        assert lectern.stores is not None
        with psycopg.connect(for_libpq(lectern.stores.running["postgres"].owner_url), autocommit=True) as owner:
            owner.execute(
                "UPDATE ingest_credential SET not_before = not_before - interval '1 day', not_after = %s"
                " WHERE session_id = %s",
                [now() - timedelta(seconds=1), UUID(lesson.id)],
            )
        assert "This stream key has expired." in await refused(short_clip, address)


async def test_a_key_before_its_time(lectern: House, short_clip: Clip) -> None:
    async with lessons(lectern, in_minutes=60) as (lesson,):
        said = await refused(short_clip, await lesson.address())
        assert "It is not this session's time. Publish between" in said


async def test_a_key_of_a_session_that_is_over(lectern: House, short_clip: Clip) -> None:
    async with lessons(lectern) as (lesson,):
        address = await lesson.address()
        await lesson.end()
        assert "This session is over." in await refused(short_clip, address)


async def test_another_sessions_key_is_unknown_at_this_ones_address(lectern: House) -> None:
    """RTMP addresses name no session, so a foreign key is its own session's; WHIP's do."""
    async with lessons(lectern, 2) as (first, second):
        key = (await second.address()).rsplit("/", 1)[-1]
        given = await first.teacher.get(f"/sessions/{first.id}/ingest")
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/sdp"}
        answer = await first.players.post(given["whip_url"], headers=headers, content=offer())
        assert (answer.status_code, answer.json()["code"]) == (401, "unknown_key")


async def test_a_second_encoder_is_refused_and_the_first_unharmed(lectern: House, short_clip: Clip) -> None:
    async with lessons(lectern) as (lesson,):
        address = await lesson.address()
        async with encoder(short_clip, address, speed=2) as first:
            await lesson.playing()
            for _ in range(2):
                assert "Another encoder is publishing with this key." in await refused(short_clip, address)
            assert await first.said(20) == ""
        await lesson.end()
        assert await lesson.whole() == short_clip.units


async def test_a_second_encoder_takes_over_from_one_whose_network_is_frozen(lectern: House, short_clip: Clip) -> None:
    async with lessons(lectern) as (lesson,):
        address = await lesson.address()
        async with encoder(short_clip, address) as first:
            await lesson.playing()
            os.kill(first.pid, signal.SIGSTOP)
            frozen_at = asyncio.get_running_loop().time()
            said = "Another encoder is publishing"
            while "Another encoder is publishing" in said:
                async with encoder(short_clip, address, speed=4) as second:
                    said = await second.said(20)
                waited = asyncio.get_running_loop().time() - frozen_at
                assert waited < 20
            assert said == ""
            assert waited >= 3
            os.kill(first.pid, signal.SIGCONT)
            assert await first.said() != "", "it was hung up on"
        await lesson.end()
        units = await lesson.whole()
        assert units.video[-len(short_clip.units.video) :] == short_clip.units.video
        async with lesson.catalogue.transaction() as tx:
            (before, _) = await takes.of_session(tx, UUID(lesson.id))
        assert before.end_reason == "taken_over"
