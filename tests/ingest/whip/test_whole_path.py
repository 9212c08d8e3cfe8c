"""A browser's publish through the real house: admission, session, packager, playlist, the take's row."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from domain.states import TakeState
from ingest.service import IngestService
from ingest.settings import IngestSettings
from storage.catalogue import takes
from storage.catalogue.transaction import Catalogue
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.ingest.classroom import ingest, lesson
from tests.ingest.whip.offers import offer
from tests.ingest.whip.sender import Clip, publishing

pytestmark = pytest.mark.anyio


async def until(ready: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await ready():  # noqa: ASYNC110 - what is waited for is in rows
            await asyncio.sleep(0.05)


async def test_it_is_live_like_any_other(
    settings: IngestSettings,
    catalogue: Catalogue,
    store: ObjectStore,
    valkey: embedded_valkey.Running,
    clip: Clip,
) -> None:
    told = await lesson(catalogue)
    async with (
        ingest(settings, catalogue, store, valkey.url) as service,
        httpx.AsyncClient(timeout=20, trust_env=False) as client,
    ):
        assert service.http is not None
        base = f"http://127.0.0.1:{service.http.port}"
        url = f"{base}/whip/{told.session_id}"
        headers = {"authorization": f"Bearer {told.key}", "content-type": "application/sdp"}
        async with publishing(client, url, told.key, clip) as published:
            await until(lambda: _segments(service, told.session_id))
            second = await client.post(url, content=offer(), headers=headers)
            assert (second.status_code, second.json()["code"]) == (409, "key_in_use")
            stranger = await client.post(url, content=offer(), headers=headers | {"authorization": "Bearer no"})
            assert (stranger.status_code, stranger.json()["code"]) == (401, "unknown_key")
            playlist = (await client.get(f"{base}/live/{told.session_id}/{told.token()}/main.m3u8")).text
            assert "#EXT-X-PART:" in playlist
            index = (await client.get(f"{base}/live/{told.session_id}/{told.token()}/index.m3u8")).text
            assert "avc1.42" in index
            assert "opus" in index
            gone = await client.delete(published.resource, headers=headers)
            assert gone.status_code == 200

        async def ended() -> bool:
            async with catalogue.transaction() as tx:
                return all(take.state == TakeState.ended for take in await takes.of_session(tx, told.session_id))

        await until(ended)
        async with catalogue.transaction() as tx:
            (take,) = await takes.of_session(tx, told.session_id)
        assert (take.protocol, take.video_codec, take.audio_codec) == ("whip", "h264", "opus")
        assert (take.width, take.height, take.end_reason) == (320, 180, "unpublished")


async def _segments(service: IngestService, session_id: object) -> bool:
    session = service.lives.sessions.get(session_id)  # type: ignore[call-overload]
    return session is not None and session.window.closed_count >= 1
