"""A live class of a real process, read as RFC 8216bis has it: both renditions, over a drop and over a cut."""

import asyncio

import httpx
import pytest

from domain.states import SessionState
from ingest.events import FIRST_HOLDING_INIT
from ingest.settings import IngestSettings
from storage.catalogue import sessions
from storage.catalogue.transaction import Catalogue
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.ingest.classroom import encoder, ingest, lesson, order
from tests.ingest.test_whole_path import has_segments, until
from tests.kit.hls import rules
from tests.kit.hls.lines import Segment, read_media
from tests.kit.hls.master import Held, avc, of_master
from tests.peers.follower import Follower, refused

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(120)]


@pytest.fixture
def settings(tmp_path: object) -> IngestSettings:
    return IngestSettings(spool_folder=tmp_path / "spool", rtmp_port=0, http_port=0)  # type: ignore[operator]


async def test_by_the_rules(
    settings: IngestSettings, catalogue: Catalogue, object_store: ObjectStore, valkey: embedded_valkey.Running
) -> None:
    told = await lesson(catalogue)
    async with (
        ingest(settings, catalogue, object_store, valkey.url) as service,
        httpx.AsyncClient(timeout=30) as client,
    ):
        assert service.http is not None
        base = f"http://127.0.0.1:{service.http.port}/live/{told.session_id}/{told.token()}"
        both = main, audio = [Follower(client, f"{base}/{name}.m3u8") for name in ("main", "audio")]
        async with encoder(service, told.key, speed=1.0):
            await until(lambda: has_segments(service, told.session_id, 1))
            await asyncio.gather(*(one.follow(6) for one in both))
            assert await refused(main) == []
        async with encoder(service, told.key, speed=1.0, group=40):
            await asyncio.gather(*(one.follow(5) for one in both))
            await order(catalogue, told.session_id, "cut", "what was said")
            await until(lambda: _is(catalogue, told.session_id, SessionState.cut))
            await order(catalogue, told.session_id, "resume")
            await asyncio.gather(*(one.follow(5) for one in both))
            for one in both:
                await one.fetch_all()
            assert of_master((await client.get(f"{base}/index.m3u8")).text, _held(both)) == []
        await order(catalogue, told.session_id, "end", "done")
        await until(lambda: _ended(service, told.session_id))
        for one in both:
            one.saw((await one.get("")).text)
            assert (await one.get("", "?_HLS_msn=999&_HLS_skip=YES")).text == one.before
            assert (one.url, one.faults) == (one.url, [])
            assert one.versions > 15
            assert one.deltas > 5
        assert rules.of_pair(main.before, audio.before, "audio.m3u8") == []
        assert {one.breaks for one in read_media(main.before).segments} >= {0, 1, 2}


def _held(both: list[Follower]) -> dict[str, Held]:
    held = {}
    for one in both:
        media = read_media(one.before)
        picture = one is both[0]
        told = [part for part in media.segments if not _is_holding(part)]
        lengths = [(part.seconds, len(one.bodies[part.uri])) for part in told]
        init = one.bodies[media.segments[0].map_uri or ""]
        codecs = frozenset({"mp4a.40.2"} | ({avc(init)} if picture else set()))
        size = (320, 180) if picture else None
        held[one.url.rpartition("/")[2]] = Held(codecs, lengths, media.target, size, 25.0 if picture else None)
    return held


def _is_holding(segment: Segment) -> bool:
    """Of the holding picture, of which a multivariant playlist does not tell."""
    number = int((segment.map_uri or "-0.").rpartition("-")[2].partition(".")[0])
    return number >= FIRST_HOLDING_INIT


async def _is(catalogue: Catalogue, session_id: object, state: SessionState) -> bool:
    async with catalogue.transaction() as tx:
        return (await sessions.get(tx, session_id)).state == state  # type: ignore[arg-type]


async def _ended(service: object, session_id: object) -> bool:
    ended: bool = service.lives.sessions[session_id].ended  # type: ignore[attr-defined]
    return ended
