"""A session that several nodes show: previewed at any; a viewer who is sent away loses it at each; and the peak."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from domain import playback_token
from domain.playback_token import PlaybackClaim, PlaybackKind
from storage import live_viewers
from storage.catalogue import sessions, withdrawals
from storage.catalogue.accounts import add
from tests.ingest.classroom import KEYS, Lesson, encoder, lesson, now
from tests.ingest.nodes.house import Node, node
from tests.ingest.wired import Stores, until

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(90)]


def token(told: Lesson, kind: PlaybackKind, account_id: UUID) -> str:
    issued = now() - timedelta(seconds=30)
    claim = PlaybackClaim(kind, told.session_id, account_id, uuid4(), issued + timedelta(hours=1), issued)
    return playback_token.sign(KEYS.playback, claim)


async def ahead(at: Node, told: Lesson, name: str, signed: str) -> httpx.Response:
    return await at.viewer.get(f"{at.address}/preview/{told.session_id}/{signed}/{name}")


async def test_a_preview_at_another_node_is_the_owners_and_is_not_kept(stores: Stores) -> None:
    told = await lesson(stores.catalogue, delay_seconds=60)
    signed = token(told, "preview", uuid4())
    async with node(stores, "a") as a, node(stores, "b") as b, encoder(a.service, told.key, speed=1.0):

        async def packaged() -> bool:
            return a.has(told) and bool((preview := a.session(told).preview) and preview.window.closed_count)

        await until(packaged)
        assert (await a.get(told, "seg-0.m4s")).status_code == 404, "its audience has nothing of it yet"
        master = await ahead(b, told, "index.m3u8", signed)
        assert (master.status_code, master.headers["cache-control"]) == (200, "no-store")
        preview = a.session(told).preview
        assert preview is not None
        msn, part = preview.window.next_part
        held = await ahead(b, told, f"main.m3u8?_HLS_msn={msn}&_HLS_part={part}", signed)
        assert f"part-{msn}.{part}.m4s" in held.text
        here, there = [await ahead(at, told, "seg-0.m4s", signed) for at in (a, b)]
        assert here.status_code == there.status_code == 200
        assert here.content == there.content
        assert there.headers["cache-control"] == "no-store"
        for kind in ("live", "monitor", "replay", "evidence"):
            assert (await ahead(b, told, "seg-0.m4s", token(told, kind, uuid4()))).status_code == 403
        assert (await b.get(told, "seg-0.m4s", signed)).status_code == 403
        assert (await b.get(told, "seg-0.m4s")).status_code == 404, "and none of it was kept for anybody else"
        assert a.service.viewers.watching(told.session_id) == 0, "who reviews is no viewer"


async def test_who_is_sent_away_is_shut_out_of_each_node_at_once(stores: Stores) -> None:
    told = await lesson(stores.catalogue)
    async with stores.catalogue.transaction() as tx:
        sent_away, stays = [(await add(tx, f"u{uuid4().hex}", "王同学", None)).id for _ in range(2)]
    signed, other = token(told, "live", sent_away), token(told, "live", stays)
    async with node(stores, "a") as a, node(stores, "b") as b, encoder(a.service, told.key):
        await a.shows(told, 1)
        for at in (a, b):
            assert (await at.get(told, "main.m3u8", signed)).status_code == 200
            assert (await at.get(told, "main.m3u8", other)).status_code == 200
        valkey = a.service._valkey
        await live_viewers.want(valkey, told.session_id, now())

        async def named() -> bool:
            return set(await live_viewers.want(valkey, told.session_id, now())) == {sent_away, stays}

        await until(named)
        asked_at = asyncio.get_running_loop().time()
        async with stores.catalogue.transaction() as tx:
            await withdrawals.withdraw(tx, told.session_id, sent_away, now(), bars=True)

        async def shut() -> bool:
            return {(await at.get(told, "main.m3u8", signed)).status_code for at in (a, b)} == {403}

        await until(shut)
        assert asyncio.get_running_loop().time() - asked_at < 2
        assert (await a.get(told, "main.m3u8", other)).status_code == 200
    async with node(stores, "c") as c:
        assert (await c.get(told, "main.m3u8", signed)).status_code == 403, "nor does a node that heard nothing of it"
    async with stores.catalogue.transaction() as tx:
        peak = (await sessions.get(tx, told.session_id)).peak_viewers
    assert peak is not None and peak >= 2  # noqa: PT018 - one says that it was counted at all
