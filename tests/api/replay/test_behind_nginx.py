"""Replay through nginx as it is deployed, before the real application on granian and a real object store: each request
is checked, the bytes come from nginx's cache, and what is purged is nobody's, whatever still lies there.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server

from api.app import create_app
from api.replay.door import ReplayDoor
from api.resources import Resources
from media.playlist import parse_media
from retention.purge import purge
from storage.catalogue import recordings, reels
from storage.catalogue.transaction import Actor, Catalogue
from storage.embedded import s3 as embedded_s3
from storage.embedded.ports import free_ports
from storage.objects.store import ObjectStore
from tests.api.conftest import Client, Clock, School, client_of
from tests.api.replay.conftest import end, playback
from tests.house.front.nginx import HOST, Addresses, Front

pytestmark = pytest.mark.anyio


@dataclass
class Application:
    """The application behind its door; what came past that is counted."""

    behind: Callable[..., Awaitable[None]]
    reached: list[str] = field(default_factory=list)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        self.reached.append(scope["path"])
        await self.behind(scope, receive, send)


@dataclass
class House:
    front: Front
    application: Application
    viewer: httpx.AsyncClient

    def caches(self, path: str, count: int) -> list[str]:
        """How nginx's cache answered for an object, request by request."""
        return [one["cache"] for one in self.front.logged(count, path=path)]


@pytest.fixture
async def house(resources: Resources, s3: embedded_s3.Running, tmp_path: Path) -> AsyncIterator[House]:
    told = replace(resources, settings=replace(resources.settings, accel_redirect=True))
    app = create_app(told)
    application = Application(app)
    async with _served(ReplayDoor(application, app.state.viewing)) as address:
        (nobody,) = free_ports(1)
        front = Front(tmp_path, Addresses(address, f"{HOST}:{nobody}", s3.endpoint))
        await asyncio.to_thread(front.start)
        context = ssl.create_default_context(cafile=str(front.certificate))
        try:
            async with httpx.AsyncClient(base_url=front.url, verify=context, timeout=20) as viewer:
                yield House(front, application, viewer)
        finally:
            await asyncio.to_thread(front.stop)


@asynccontextmanager
async def _served(app: ReplayDoor) -> AsyncIterator[str]:
    (port,) = free_ports(1)
    server = Server(app, address=HOST, port=port, interface=Interfaces.ASGINL, log_enabled=False)
    serving = asyncio.create_task(server.serve())
    try:
        yield f"{HOST}:{port}"
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        await serving


async def test_a_replay_is_checked_each_time_fetched_once_and_over_when_it_is_purged(
    house: House, client: Client, resources: Resources, school: School, catalogue: Catalogue,
    object_store: ObjectStore, recording_id: UUID, clock: Clock,
) -> None:  # fmt: skip
    await end(catalogue, recording_id, clock)
    await client.sign_in(school.learner.login)
    at = await playback(client, recording_id)
    media = parse_media((await house.viewer.get(f"{at}/source.m3u8")).text)
    first, second = (f"{at}/{one.uri}" for one in media.segments[:2])
    init = await house.viewer.get(f"{at}/{media.segments[0].map_uri}")
    assert (init.status_code, init.content[4:8]) == (200, b"ftyp")

    async with catalogue.transaction() as tx:
        (reel, *_) = [one.reel for one in await reels.of_recording(tx, recording_id)]
    place = reel.segments[0]
    last = place["offset"] + place["bytes"] - 1
    wanted = object_store.read(reel.object_key, place["offset"], last)
    house.application.reached.clear()
    whole = [await house.viewer.get(first) for _ in range(3)]
    assert [one.content for one in whole] == [wanted] * 3
    assert whole[2].headers["content-type"] == "video/mp4"
    assert whole[2].headers.get_list("cache-control") == ["private, max-age=86400, immutable"]
    assert house.application.reached == [first], "by the door, once its object was named"
    cached = f"/_objects/{place['offset']}-{last}/{reel.object_key}"
    assert house.caches(cached, 3) == ["MISS", "HIT", "HIT"]

    part = await house.viewer.get(first, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, wanted[4:8])
    assert part.headers["content-range"] == f"bytes 4-7/{len(wanted)}"
    assert (await house.viewer.get(first, headers={"Range": "bytes=99999999-"})).status_code == 416
    head = await house.viewer.head(first)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(wanted)), b"")
    assert (await house.viewer.get(f"{at}/source/9-0.m4s")).status_code == 404

    altered = first.replace(at, at[:-1] + ("X" if at[-1] != "X" else "Y"))
    assert (await house.viewer.get(altered)).json()["code"] == "token_invalid"
    assert (await house.viewer.get(first.replace(str(recording_id), str(UUID(int=7))))).json()[
        "code"
    ] == "token_invalid"

    async with client_of(resources) as other:
        await other.sign_in(school.teacher.login)
        theirs = await playback(other, recording_id)
        assert (await house.viewer.get(first.replace(at, theirs))).content == wanted
        assert (await client.delete("/api/v1/sign-ins/current")).status_code == 204
        clock.now += timedelta(seconds=2)
        assert (await house.viewer.get(first)).json()["code"] == "token_expired", "cached, and refused all the same"
        assert (await house.viewer.get(first.replace(at, theirs))).content == wanted
        assert (await house.viewer.get(first.replace(at, theirs))).content == wanted

    await _purge(client, school, resources, recording_id, clock)
    clock.now += timedelta(seconds=2)
    for name in (first, second):
        assert (await house.viewer.get(name.replace(at, theirs))).json()["code"] == "not_found", "cached or not"
    assert any(reel.object_key.encode() in one.read_bytes() for one in _kept(house)), "though its bytes lie there still"
    text = house.front.access_log.read_text() + house.front.error_log.read_text()
    tokens = (at.rpartition("/")[2], theirs.rpartition("/")[2])
    assert not any(secret in text for secret in (*tokens, "X-Amz", "Signature"))


def _kept(house: House) -> list[Path]:
    return [one for one in (house.front.folder / "cache-objects").rglob("*") if one.is_file()]


async def _purge(client: Client, school: School, resources: Resources, recording_id: UUID, clock: Clock) -> None:
    """As a person orders it."""
    await client.sign_in(school.academic.login)
    async with resources.catalogue.transaction() as tx:
        title = (await recordings.get(tx, recording_id)).title
    path = f"/api/v1/recordings/{recording_id}/purge"
    ordered = await client.post(path, json={"reason": "误录", "confirm_title": title})
    assert ordered.status_code == 202, ordered.text
    await purge(resources.catalogue, resources.objects, recording_id, Actor.system("test"), clock)
