"""Who signs out, or signs in a second time, watches no more at a node that only passes the class on."""

import asyncio
from uuid import UUID, uuid4

import pytest

from storage.catalogue import accounts, sign_ins
from storage.catalogue.sign_ins import NewSignIn
from tests.ingest.classroom import encoder, lesson, now
from tests.ingest.nodes.house import node
from tests.ingest.wired import Stores, until

pytestmark = pytest.mark.anyio

SOON_SECONDS = 2.0


async def signs_in(stores: Stores, account_id: UUID | None = None) -> tuple[UUID, UUID]:
    """The account, and its sign-in."""
    async with stores.catalogue.transaction() as tx:
        account_id = account_id or (await accounts.add(tx, f"u{uuid4().hex[:10]}", "王同学", "-")).id
        new = NewSignIn(account_id, uuid4().bytes, None, now().replace(year=now().year + 1))
        return account_id, (await sign_ins.start(tx, new, now())).id


@pytest.mark.parametrize("how", ["signs out", "signs in elsewhere"])
async def test_a_token_counts_no_more_within_two_seconds_where_the_class_is_passed_on(stores: Stores, how: str) -> None:
    told = await lesson(stores.catalogue)
    (account, gone), (_, other) = await signs_in(stores), await signs_in(stores)
    token, stays = told.token(gone), told.token(other)
    async with node(stores, "a") as a, node(stores, "b") as b, encoder(a.service, told.key):
        await a.shows(told, 1)
        kept = ["index.m3u8", "main.m3u8", "init-1.mp4", "seg-0.m4s", "audio-seg-0.m4s"]
        assert {(await b.get(told, name, token)).status_code for name in kept} == {200}
        msn, _ = a.session(told).window.next_part
        name = f"main.m3u8?_HLS_msn={msn + 1}&_HLS_part=0"
        waiting = [asyncio.create_task(b.get(told, name, one)) for one in (token, stays)]
        if how == "signs out":
            async with stores.catalogue.transaction() as tx:
                assert await sign_ins.end(tx, gone, "signed_out", now())
        else:
            await signs_in(stores, account)

        async def shut() -> bool:
            return {(await b.get(told, one, token)).status_code for one in kept} == {403}

        await until(shut, SOON_SECONDS)
        assert [(await one).status_code for one in waiting] == [403, 200]
        assert {(await b.get(told, one, stays)).status_code for one in kept} == {200}
