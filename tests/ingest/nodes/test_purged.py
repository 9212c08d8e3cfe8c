"""A class whose recording is purged while it can still be opened: its node keeps it for a minute past its end, edges
keep what they were asked for, nginx for longer, and a silent node's is shown from the store. A purge ends all of it.
"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import httpx
import pytest

from domain.states import SessionMove
from storage.catalogue import recordings, retention, sessions
from tests.ingest.classroom import Lesson, encoder, lesson, now, order
from tests.ingest.nodes.fronted import behind_nginx
from tests.ingest.nodes.house import node
from tests.ingest.nodes.test_stand_ins import dies, stored
from tests.ingest.wired import Stores, until

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(90)]

NAMES = ("main.m3u8", "audio.m3u8", "init-1.mp4", "seg-0.m4s", "audio-seg-0.m4s")
SOON_SECONDS = 2.0
Get = Callable[[Lesson, str, str], Awaitable[httpx.Response]]


async def purge(stores: Stores, told: Lesson) -> None:
    """Its trash time is over: from here on its objects may go."""
    async with stores.catalogue.transaction() as tx:
        recording = await recordings.of_session(tx, told.session_id)
        assert recording is not None
        await retention.mark(tx, await recordings.lock(tx, recording.id), "privacy", now())
        await retention.begin_purge(tx, recording.id)


async def statuses(doors: Sequence[Get], told: Lesson, token: str) -> list[set[int]]:
    return [{(await get(told, name, token)).status_code for name in NAMES} for get in doors]


async def test_within_its_linger_neither_its_node_nor_an_edge_nor_nginx_shows_it(
    stores: Stores, tmp_path: Path
) -> None:
    told, token = (one := await lesson(stores.catalogue)), one.token()
    async with behind_nginx(stores, tmp_path) as house, node(stores, "c") as c:
        async with encoder(house.owner.service, told.key):
            await house.owner.shows(told, 2)
        await order(stores.catalogue, told.session_id, "end", "a test")
        await until(lambda: stores.is_stored(told))
        doors = [house.owner.get, c.get, house.get]
        assert await statuses(doors, told, token) == 3 * [{200}]
        await purge(stores, told)

        async def shut() -> bool:
            return await statuses(doors, told, token) == 3 * [{403}]

        await until(shut, SOON_SECONDS)
        assert house.owner.has(told), "though it is there yet"
        assert [one for one in (tmp_path / "cache-segments").rglob("*") if one.is_file()]
        async with node(stores, "d") as d:
            assert await statuses([d.get], told, token) == [{403}], "nor does a node that heard nothing of it"


async def test_a_stand_in_shows_it_no_more(stores: Stores) -> None:
    told, token = (one := await lesson(stores.catalogue)), one.token()
    async with node(stores, "b") as b:
        async with node(stores, "a") as a, encoder(a.service, told.key):
            await stored(stores, told, 2)
            await dies(a)
        async with stores.catalogue.transaction() as tx:
            await sessions.move(tx, await sessions.lock(tx, told.session_id), SessionMove.end, now(), "button")
            recording = await recordings.of_session(tx, told.session_id)
            assert recording is not None
            await recordings.capture_ended(tx, recording.id, now())
        assert await statuses([b.get], told, token) == [{200}]
        assert b.service.neighbours.stand_ins == 1
        await purge(stores, told)

        async def shut() -> bool:
            return await statuses([b.get], told, token) == [{403}]

        await until(shut, SOON_SECONDS)
