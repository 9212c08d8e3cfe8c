"""A class whose node is dead: another shows what the stores have of it, frozen, until somebody shows it live again."""

import asyncio
import re

import pytest

from domain.states import SessionMove
from storage.catalogue import sessions
from tests.ingest.classroom import Lesson, encoder, lesson, now
from tests.ingest.nodes.house import Node, node, segments_of
from tests.ingest.wired import Stores, until

pytestmark = pytest.mark.anyio


async def dies(a: Node) -> None:
    """As far as anybody can tell: its door is shut. What it has not brought to the store is in its spool alone."""
    assert a.service.http is not None
    a.service.http.stop()
    await asyncio.sleep(0)

    async def shut() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", a.service.settings.http_port)
        except OSError:
            return True
        writer.close()
        return False

    await until(shut)


async def stored(stores: Stores, told: Lesson, count: int) -> list[int]:
    async def there() -> bool:
        return len(await stores.msns(told)) >= count

    await until(there)
    return await stores.msns(told)


@pytest.mark.long
async def test_viewers_can_seek_back_while_the_owner_is_dead_and_go_on_with_the_next(stores: Stores) -> None:
    told = await lesson(stores.catalogue)
    token = told.token()
    async with node(stores, "b") as b, node(stores, "a") as a:
        async with encoder(a.service, told.key) as process:
            in_store = await stored(stores, told, 2)
            live = (await b.get(told, "main.m3u8", token)).text
            assert "CAN-BLOCK-RELOAD=YES" in live
            await a.to_s3.cut()
            await a.shows(told, in_store[-1] + 4)
            await asyncio.sleep(1.1)  # the note of where it is is made once a second
            waiting = asyncio.create_task(b.get(told, f"main.m3u8?_HLS_msn={a.session(told).window.closed_count + 2}"))
            await dies(a)
            process.kill()
            frozen = await b.get(told, "main.m3u8", token)
            assert frozen.status_code == 200
            for absent in ("ENDLIST", "PRELOAD-HINT", "CAN-BLOCK-RELOAD"):
                assert absent not in frozen.text
            listed = segments_of(frozen.text)
            assert list(listed) == list(range(len(listed))), "every number that was given, in order"
            assert len(listed) > in_store[-1] + 3, "what the dead node noted is listed"
            whole = [msn for msn, (_, gap) in listed.items() if not gap]
            assert whole == await stores.msns(told), "and shows as gaps where it is in no store"
            assert (await waiting).status_code in (200, 400), "who was held is answered now"
            assert (await b.get(told, f"main.m3u8?_HLS_msn={len(listed)}&_HLS_part=1", token)).text == frozen.text
            first = await b.get(told, "seg-0.m4s", token)
            assert (first.status_code, first.content[4:8]) == (200, b"moof")
            assert (await b.get(told, "init-1.mp4", token)).status_code == 200
            assert (await b.get(told, f"seg-{len(listed) - 1}.m4s", token)).status_code == 404
            assert "main.m3u8" in (await b.get(told, "index.m3u8", token)).text
            assert (await b.get(told, "seg-0.m4s", "nonsense")).status_code == 403
        async with node(stores, "c") as c, encoder(c.service, told.key):
            await c.shows(told, len(listed) + 1)

            async def is_live() -> bool:
                return "CAN-BLOCK-RELOAD=YES" in (await b.get(told, "main.m3u8", token)).text

            await until(is_live, 5)
            after = segments_of((await b.get(told, "main.m3u8", token)).text)
            assert {msn: after[msn] for msn in whole} == {msn: listed[msn] for msn in whole}
            assert re.search(r"DISCONTINUITY", (await b.get(told, "main.m3u8", token)).text)
        await a.to_s3.mend()


async def test_a_session_that_ended_while_its_owner_was_dead_has_an_end(stores: Stores) -> None:
    told = await lesson(stores.catalogue)
    async with node(stores, "b") as b:
        async with node(stores, "a") as a, encoder(a.service, told.key):
            await stored(stores, told, 1)
        async with stores.catalogue.transaction() as tx:
            await sessions.move(tx, await sessions.lock(tx, told.session_id), SessionMove.end, now(), "button")
        assert (await b.get(told, "main.m3u8")).text.endswith("#EXT-X-ENDLIST\n")
