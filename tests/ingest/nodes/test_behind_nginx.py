"""Real nodes behind nginx as it is deployed: finished segments come from its cache, each request's token is checked."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ingest.hls.by_nginx import ByNginx
from ingest.nodes import passes
from ingest.nodes.forwarding import SHOWN_SECONDS
from tests.house.front.nginx import HOST
from tests.ingest.classroom import KEYS, encoder, lesson, order
from tests.ingest.nodes.fronted import behind_nginx
from tests.ingest.nodes.house import node
from tests.ingest.wired import Stores, until

pytestmark = pytest.mark.anyio


async def test_a_finished_segment_is_fetched_once_and_checked_each_time(stores: Stores, tmp_path: Path) -> None:
    told, other = await lesson(stores.catalogue), await lesson(stores.catalogue)
    sign_in = uuid4()
    mine, theirs = told.token(sign_in), told.token()
    async with behind_nginx(stores, tmp_path) as house, encoder(house.owner.service, told.key):
        await house.owner.shows(told, 1)
        asked = house.edge.service.neighbours.forwarder
        before = asked.requests
        first, second = [await house.get(told, "seg-0.m4s", token) for token in (mine, theirs)]
        assert asked.requests == before + 2, "whether the class is shown, and for the segment: once for both"
        segment = house.owner.session(told).window.segments[0]
        assert first.content == second.content == await house.owner.service._reader.muxed(segment)
        assert first.headers.get_list("cache-control") == ["public, max-age=31536000, immutable"]
        assert first.headers.get_list("access-control-allow-origin") == ["*"]
        assert "content-range" in first.headers["access-control-expose-headers"]
        assert first.headers["content-type"] == "video/iso.segment"
        for absent in ("x-accel-redirect", "content-encoding"):
            assert absent not in first.headers
        part = await house.get(told, "seg-0.m4s", mine, Range="bytes=4-7")
        assert (part.status_code, part.content) == (206, b"moof")
        assert part.headers["content-range"] == f"bytes 4-7/{len(first.content)}"
        assert (await house.get(told, "seg-0.m4s", mine, Range="bytes=99999999-")).status_code == 416
        head = await house.viewer.head(f"/live/{told.session_id}/{mine}/seg-0.m4s")
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(first.content)))
        assert house.caches(told, "seg-0.m4s", 5) == ["MISS", *4 * ["HIT"]]
        assert (await house.get(told, "seg-00.m4s", mine)).status_code == 404, "one spelling, one copy"
        sound = await house.get(told, "audio-seg-0.m4s", theirs)
        assert (sound.status_code, len(sound.content) < len(first.content)) == (200, True)
        assert (await house.get(told, "seg-0.m4s", other.token())).status_code == 403
        house.edge.service.viewers.revoke([sign_in])
        assert (await house.get(told, "seg-0.m4s", mine)).status_code == 403, "cached, and refused all the same"
        assert (await house.get(told, "seg-0.m4s", theirs)).status_code == 200
        text = house.front.access_log.read_text() + house.front.error_log.read_text()
        assert not any(secret in text for secret in (mine, theirs, "X-Accel"))


@pytest.mark.long
async def test_what_is_not_there_is_not_kept_and_what_was_released_stays(stores: Stores, tmp_path: Path) -> None:
    told = await lesson(stores.catalogue)
    token = told.token()
    async with behind_nginx(stores, tmp_path) as house, encoder(house.owner.service, told.key):
        await house.owner.shows(told, 1)
        coming = house.owner.session(told).window.closed_count + 1
        early = await house.get(told, f"seg-{coming}.m4s", token)
        assert (early.status_code, early.headers["cache-control"]) == (404, "no-store")
        assert early.headers.get_list("access-control-allow-origin") == ["*"]
        await house.owner.shows(told, coming + 1)
        assert (await house.get(told, f"seg-{coming}.m4s", token)).status_code == 200
        await order(stores.catalogue, told.session_id, "cut", "a test")

        async def is_cut() -> bool:
            return house.owner.session(told).gate.is_cut

        await until(is_cut, 5)
        window = house.owner.session(told).window
        shown = next(one for one in reversed(window.segments) if not one.holding)
        closed, length = shown.msn + 1, shown.length
        last = await house.get(told, f"seg-{closed - 1}.m4s", token)
        assert (last.status_code, len(last.content)) == (200, length), "what was released of it, and no more"
        assert (await house.get(told, f"seg-{coming}.m4s", token)).status_code == 200
        live = await house.get(told, "main.m3u8", token)
        part = await house.get(told, f"part-{closed - 1}.0.m4s", token)
        assert (live.status_code, part.status_code) == (200, 200)


@pytest.mark.long
async def test_when_nobody_shows_a_class_any_more_its_kept_segments_open_to_nobody(
    stores: Stores, tmp_path: Path
) -> None:
    """Its recording may be purged by then; a token of the class lasts for hours, and nginx keeps what is asked for."""
    told = await lesson(stores.catalogue)
    token = told.token()
    async with behind_nginx(stores, tmp_path, linger_seconds=0.5) as house:
        async with encoder(house.owner.service, told.key):
            await house.owner.shows(told, 1)
            assert (await house.get(told, "seg-0.m4s", token)).status_code == 200
        await order(stores.catalogue, told.session_id, "end", "a test")

        async def is_gone() -> bool:
            return told.session_id not in house.owner.service.lives.sessions

        await until(is_gone, 20)
        forwarder = house.edge.service.neighbours.forwarder
        deadline = forwarder._clock() + SHOWN_SECONDS + 5
        while (await house.get(told, "seg-0.m4s", token)).status_code == 200:
            assert forwarder._clock() < deadline
            await asyncio.sleep(0.2)
        assert (await house.get(told, "seg-0.m4s", token)).status_code in (404, 503)
        assert [one for one in (tmp_path / "cache-segments").rglob("*") if one.is_file()], "though nginx has it still"


async def test_the_owner_names_what_is_older_than_the_edge_to_nginx_alone(stores: Stores) -> None:
    told = await lesson(stores.catalogue)
    token = told.token()
    async with (
        node(stores, "a", accel_redirect=True, segments_in_memory=1) as a,
        encoder(a.service, told.key),
    ):
        await a.shows(told, 3)
        named = await a.get(told, "seg-0.m4s", token)
        inner = named.headers["x-accel-redirect"]
        assert (named.status_code, named.content) == (200, b"")
        assert inner.startswith(f"/_live/{told.session_id}/seg-0.m4s?")
        assert "cache-control" not in named.headers, "an error behind it must not be kept for long"
        fetched = await a.viewer.get(a.address + inner)
        assert (fetched.status_code, fetched.content[4:8], fetched.headers["accept-ranges"]) == (200, b"moof", "bytes")
        newest = a.session(told).window.closed_count - 1
        assert (await a.get(told, f"seg-{newest}.m4s", token)).content[4:8] == b"moof", "the live edge needs no nginx"
        path = f"/live/{told.session_id}/{token}/seg-0.m4s"
        name, value = passes.made(KEYS.control, path, "b", 1, datetime.now(UTC))
        assert (
            await a.viewer.get(a.address + path, headers={name.decode(): value.decode()})
        ).content == fetched.content
        for wrong in ("/_live/x/seg-0.m4s", inner.replace("seg-0", "seg-1"), inner.partition("?")[0]):
            assert (await a.viewer.get(a.address + wrong)).status_code in (403, 404)
        assert (await a.viewer.post(a.address + inner)).status_code == 405


async def test_an_edge_takes_nobody_in(stores: Stores) -> None:
    told = await lesson(stores.catalogue)
    async with node(stores, "b", edge=True) as b:
        assert (await b.viewer.post(f"{b.address}/whip/{told.session_id}", content=b"v=0")).status_code == 404
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection(HOST, b.service.rtmp.port)
        assert (await b.viewer.get(f"{b.address}/healthz")).status_code == 200


def test_a_proof_is_for_one_segment_and_a_minute() -> None:
    clock = [datetime(2026, 1, 5, 8, tzinfo=UTC)]
    by_nginx = ByNginx(b"c" * 32, wall=lambda: clock[0])
    _, address = by_nginx.named(UUID(int=7), "seg-3.m4s").headers[0]
    path, _, proof = address.decode().partition("?")
    assert by_nginx.is_proven(path, proof.encode())
    assert not by_nginx.is_proven(path.replace("seg-3", "seg-4"), proof.encode())
    assert not by_nginx.is_proven(path, b"")
    assert not ByNginx(b"d" * 32, wall=lambda: clock[0]).is_proven(path, proof.encode())
    clock[0] += timedelta(seconds=61)
    assert not by_nginx.is_proven(path, proof.encode())
