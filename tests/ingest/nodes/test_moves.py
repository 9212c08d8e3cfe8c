"""A session that moves between two nodes: one recording, one link, one owner, whatever is cut off from whom."""

import asyncio
import shutil
from pathlib import Path

import pytest
import redis.asyncio

from domain.states import TakeState
from storage import live_hints
from storage.catalogue import live_owner, takes
from storage.live_hints import LiveHint, Note
from tests.ingest.classroom import Lesson, encoder, lesson, now, order
from tests.ingest.nodes.house import Node, fall_silent, node, segments_of
from tests.ingest.wired import Stores, until

pytestmark = pytest.mark.anyio


async def test_an_encoder_that_comes_back_at_another_node_goes_on_in_the_same_class(stores: Stores) -> None:
    """First in its first reel, so that nothing of it is in the store yet; then back again."""
    told = await lesson(stores.catalogue)
    token = told.token()
    async with node(stores, "a", reel_seconds=60.0) as a, node(stores, "b") as b:
        async with encoder(a.service, told.key) as before:
            await a.shows(told, 2)
            async with encoder(b.service, told.key) as second:
                await asyncio.wait_for(second.wait(), 10)
            assert a.has(told), "an encoder that sends is not pushed out, whatever node another comes to"
            assert not b.has(told)
            first = (await b.get(told, "seg-1.m4s", token)).content
            ahead = a.session(told).window.closed_count + 1
            await fall_silent(before, a, told)
            held = asyncio.create_task(a.get(told, f"main.m3u8?_HLS_msn={ahead}", token))
            # The encoder's next connection reaches the other node while the first is not yet known to be dead.
            async with encoder(b.service, told.key):
                await b.shows(told, 6)
                assert not a.has(told)
                answer = await held
                assert answer.status_code == 200, "who waited at the old node is answered by the new one"
                assert "#EXT-X-ENDLIST" not in answer.text
                at_a, at_b = [(await node.get(told, "main.m3u8", token)).text for node in (a, b)]
                assert at_a.count("#EXT-X-DISCONTINUITY\n") == at_b.count("#EXT-X-DISCONTINUITY\n") == 1
                shown = segments_of(at_b)
                assert list(shown) == list(range(len(shown)))
                assert not any(gap for _, gap in shown.values())
                assert (await b.get(told, "seg-1.m4s", token)).content == first
                assert (await a.get(told, "seg-1.m4s", token)).content == first
        count = b.session(told).window.closed_count
        async with encoder(a.service, told.key):
            await a.shows(told, count + 2)
            await order(stores.catalogue, told.session_id, "end")
            await until(lambda: stores.is_stored(told))
        msns = await stores.msns(told)
        assert msns == list(range(len(msns)))
        assert {one.take_number for one in await stores.placed(told)} == {1, 2, 3}
        assert "#EXT-X-ENDLIST" in (await b.get(told, "main.m3u8", token)).text


@pytest.mark.long
@pytest.mark.parametrize("away", ["postgres", "valkey", "s3", "all"])
async def test_a_node_that_is_cut_off_is_no_second_owner(stores: Stores, away: str) -> None:
    """Node a loses a store, then the encoder comes to b: one take is taken up, and a lets go as soon as it can know."""
    told, other = await lesson(stores.catalogue), await lesson(stores.catalogue)
    token = told.token()
    async with node(stores, "a", reel_seconds=60.0) as a, node(stores, "b") as b:
        wires = {"postgres": [a.to_postgres], "valkey": [a.to_valkey], "s3": [a.to_s3]}
        cut = wires.get(away) or [wire for each in wires.values() for wire in each]
        async with encoder(a.service, told.key) as before:
            await a.shows(told, 1)
            for wire in cut:
                await wire.cut()
            count = a.session(told).window.closed_count
            await a.shows(told, count + 1)  # it goes on with what it has
            if a.to_postgres in cut:
                async with encoder(a.service, other.key) as refused:
                    await asyncio.wait_for(refused.wait(), 20)
                assert not a.has(other), "who cannot ask the catalogue takes nothing new"
            await fall_silent(before, a, told)
            async with encoder(b.service, told.key):
                await b.shows(told, count + 3)
                assert not a.has(told), "the new owner tells the old one, whatever it is cut off from"
                shown = segments_of((await a.get(told, "main.m3u8", token)).text)
                assert list(shown) == list(range(len(shown)))
                assert not any(gap for _, gap in shown.values())
                # What is only in a's spool is had from there.
                assert (await b.get(told, f"seg-{count}.m4s", token)).status_code == 200
        for wire in cut:
            await wire.mend()
        await order(stores.catalogue, told.session_id, "end")
        await until(lambda: stores.is_stored(told))
        msns = await stores.msns(told)
        assert msns == list(range(len(msns)))
    async with stores.catalogue.transaction() as tx:
        assert [(one.number, one.epoch, one.state) for one in await takes.of_session(tx, told.session_id)] == [
            (1, 1, TakeState.ended),
            (2, 2, TakeState.ended),
        ]


@pytest.mark.long
async def test_a_node_that_hears_nothing_is_fenced_by_the_catalogue(stores: Stores) -> None:
    """The new owner cannot reach the old one; what that shows meanwhile ends when it reads its epoch, and the numbers
    of segments go on beyond what it may have shown.
    """
    told = await lesson(stores.catalogue)
    async with node(stores, "a", reel_seconds=60.0) as a, node(stores, "b") as b:
        async with encoder(a.service, told.key):
            await a.shows(told, 1)
            async with stores.catalogue.transaction() as tx:
                row = await live_owner.find(tx, told.session_id)
                assert row is not None
                await live_owner.claim(tx, told.session_id, "a", "http://127.0.0.1:9", row.since)
            await until(lambda: gone(a, told))
        highest = len(a.service.lives.left[told.session_id].window.segments)
        async with encoder(b.service, told.key):
            await b.shows(told, highest + 2)
            msns = list(segments_of((await b.get(told, "main.m3u8")).text))
            assert msns == list(range(len(msns)))
            assert (await b.get(told, "seg-0.m4s")).status_code == 200
            await order(stores.catalogue, told.session_id, "end")
        await until(lambda: stores.is_stored(told))
        stored = await stores.msns(told)
        assert len(set(stored)) == len(stored)


@pytest.mark.long
@pytest.mark.parametrize("hears", [True, False], ids=["by Valkey", "by nothing"])
async def test_an_encoder_that_comes_back_to_who_is_owner_no_more(stores: Stores, hears: bool) -> None:
    """Cut off from the catalogue, a lets its encoder back; not when Valkey says that b, which cannot reach a, has
    claimed the session. What a took without knowing it joins the recording, as what it was taking would have.
    """
    told = await lesson(stores.catalogue)
    async with node(stores, "a") as a:
        async with encoder(a.service, told.key):
            await a.shows(told, 2)
        await until(lambda: answer(a.session(told).take is None))
        await a.to_postgres.cut()
        async with stores.catalogue.transaction() as tx:
            epoch = await live_owner.claim(tx, told.session_id, "b", "http://127.0.0.1:9", now())
        if hears:
            async with redis.asyncio.Redis.from_url(stores.valkey.url) as valkey:
                hint = LiveHint(epoch, "b", "http://127.0.0.1:9")
                await live_hints.put(valkey, [Note(told.session_id, hint, b"")])
        else:
            await a.to_valkey.cut()
        count = a.session(told).window.closed_count
        async with encoder(a.service, told.key) as back:
            if hears:
                await asyncio.wait_for(back.wait(), 20)
                assert not a.has(told)
            else:
                await a.shows(told, count + 2)
            for wire in (a.to_postgres, a.to_valkey):
                await wire.cut()
                await wire.mend()
            await until(lambda: gone(a, told))
        async with encoder(a.service, told.key):
            await until(lambda: answer(a.has(told) and a.session(told).take is not None))
            await a.shows(told, a.session(told).window.closed_count + 1)  # of this take, however many it took before
            await order(stores.catalogue, told.session_id, "end")
            await until(lambda: stores.is_stored(told))
        assert {one.take_number for one in await stores.placed(told)} == ({1, 2} if hears else {1, 2, 3})
    async with stores.catalogue.transaction() as tx:
        rows = [(one.epoch, one.end_reason) for one in await takes.of_session(tx, told.session_id)]
    assert rows == [(1, "disconnected"), *([] if hears else [(1, "owner_lost")]), (3, "ended")]


async def test_who_is_not_the_owner_does_not_complete_the_recording(stores: Stores) -> None:
    """The end of the session is heard at a, which has just been claimed from and does not know it yet."""
    told = await lesson(stores.catalogue)
    async with node(stores, "a") as a:
        async with encoder(a.service, told.key):
            await a.shows(told, 1)
        async with stores.catalogue.transaction() as tx:
            row = await live_owner.find(tx, told.session_id)
            assert row is not None
            await live_owner.claim(tx, told.session_id, "b", "http://127.0.0.1:9", row.since)
        lives, session = a.service.lives, a.session(told)
        session.end("ended", "code", "The session is over.")
        await until(lambda: answer(not lives.uploader.pending))
        await lives.ledger.drain(5)
        assert len(await stores.placed(told)) > 0
        assert not await stores.is_stored(told)


async def answer(value: bool) -> bool:
    return value


async def gone(node: Node, told: Lesson) -> bool:
    return not node.has(told)


@pytest.mark.long
async def test_a_dead_nodes_spool_takes_its_place_when_it_comes_back(stores: Stores, tmp_path: Path) -> None:
    """The spool as it was in the middle of its first reel is all that is left of a; nothing of it is in the store."""
    told = await lesson(stores.catalogue)
    token, snapshot = told.token(), tmp_path / "snapshot"
    async with node(stores, "b") as b:
        async with node(stores, "a", reel_seconds=60.0) as a, encoder(a.service, told.key):
            await a.shows(told, 3)
            spool = a.service.settings.spool_folder
            await asyncio.sleep(1.1)  # the note of where it is is made once a second
            for wire in (a.to_postgres, a.to_s3, a.to_valkey):
                await wire.cut()
            count = len(a.session(told).window.segments)
            first = (await a.get(told, "seg-0.m4s", token)).content
            shutil.copytree(spool, snapshot)
        shutil.rmtree(spool)
        shutil.copytree(snapshot, spool)
        async with encoder(b.service, told.key):
            await b.shows(told, count + 3)
            shown = segments_of((await b.get(told, "main.m3u8", token)).text)
            assert list(shown) == list(range(len(shown)))
            assert not shown[0][1]
            assert (await b.get(told, "seg-0.m4s", token)).status_code == 503, "it is known, but nobody has it now"
            async with node(stores, "a", reel_seconds=60.0):
                await until(lambda: has(b, told, token, first))
            await order(stores.catalogue, told.session_id, "end")
            await until(lambda: stores.is_stored(told))
        msns = await stores.msns(told)
        assert len(set(msns)) == len(msns)
        assert {one.take_number for one in await stores.placed(told)} == {1, 2}
        numbers = [one.reel.number for one in await stores.placed(told)]
        assert len(set(numbers)) == len(numbers)


async def has(node: Node, told: Lesson, token: str, content: bytes) -> bool:
    return (await node.get(told, "seg-0.m4s", token)).content == content
