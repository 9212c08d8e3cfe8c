"""What a reviewer sees ahead: it is there before it is released, goes on through a cut, and opens to nobody else.

As in `test_cut_doors.py`: a real delivery over real HTTP, a session fed by hand, answers read frame by frame.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID, uuid4

import httpx
import pytest

from domain import playback_token
from domain.playback_token import PlaybackClaim, PlaybackKind, Withdrawal
from ingest.control import Control
from ingest.hls.preview import KEPT_SEGMENTS
from ingest.hls.preview_door import PREFIX, PreviewDoor
from ingest.hls.server import Delivery
from ingest.hls.sources import SegmentReader
from ingest.hls.viewers import Viewers
from ingest.http import Dispatch, HttpServer
from ingest.metrics import Metrics
from ingest.settings import IngestSettings
from ingest.take import Take
from media.fragments import packets as read_packets
from media.packet import Packet
from media.playlist import MediaPlaylist, PartLine, parse_media
from storage.objects.store import ObjectStore
from tests.ingest.live_house import House, lecture

pytestmark = pytest.mark.anyio

SECRET = b"p" * 32
NAMES = ["index.m3u8", "main.m3u8", "audio.m3u8", "init-1.mp4", "audio-init-1.mp4"]
NAMES += [f"{prefix}{name}" for prefix in ("", "audio-") for name in ("seg-0.m4s", "seg-1.m4s", "part-1.0.m4s")]


@dataclass
class Desk:
    """A served live session, what is still to be fed of its lecture, and who asks for it."""

    house: House
    take: Take
    viewers: Viewers
    client: httpx.AsyncClient
    origin: str
    account_id: UUID
    left: list[Packet]

    def feed(self, seconds: float) -> None:
        """The next packets, up to `seconds` of the lecture, and what becomes due meanwhile."""
        upto = [p for p in self.left if p.dts < seconds * p.track.timescale]
        self.left = self.left[len(upto) :]
        self.house.feed(self.take, upto)
        self.house.session.release_due()

    def token(self, kind: PlaybackKind) -> str:
        now = datetime.now(UTC)
        session_id = self.house.session.facts.session_id
        claim = PlaybackClaim(kind, session_id, self.account_id, uuid4(), now + timedelta(hours=1), now)
        return playback_token.sign(SECRET, claim)

    async def get(self, door: str, token: str, name: str) -> httpx.Response:
        address = f"{self.origin}/{door}/{self.house.session.facts.session_id}/{token}/{name}"
        return await self.client.get(address, headers={"accept-encoding": "identity"})

    async def playlist(self, door: str, kind: PlaybackKind) -> MediaPlaylist:
        answer = await self.get(door, self.token(kind), "main.m3u8")
        assert answer.status_code == 200, answer.text
        return parse_media(answer.text)

    async def newest(self, door: str, kind: PlaybackKind) -> float:
        """Up to which second of the lecture the newest frame is that this door gives."""
        listed, token = await self.playlist(door, kind), self.token(kind)
        init = (await self.get(door, token, "init-1.mp4")).content
        names = [one.uri for one in listed.segments] + [part.uri for part in self.open_parts(listed)]
        media = [await self.get(door, token, name) for name in names]
        frames = [p for one in media for p in read_packets(init, one.content) if p.track.kind == "video"]
        return max(p.dts for p in frames) / 90_000

    @staticmethod
    def open_parts(listed: MediaPlaylist) -> list[PartLine]:
        return list(listed.open_segment.parts) if listed.open_segment else []


@asynccontextmanager
async def desk(settings: IngestSettings, store: ObjectStore, delay_seconds: float = 5.0) -> AsyncIterator[Desk]:
    house = House(replace(settings, segment_max_seconds=6), delay_seconds=delay_seconds)
    loop = asyncio.get_running_loop()
    viewers = Viewers(SECRET, wall=lambda: datetime.now(UTC), clock=loop.time)
    find = {house.session.facts.session_id: house.session}.get
    reader = SegmentReader(store)
    control = Control(b"c" * 32, None, wall=lambda: datetime.now(UTC))  # type: ignore[arg-type]
    door = PreviewDoor(find, viewers, reader)
    delivery = Delivery(find, viewers, reader)
    server = HttpServer(Dispatch(delivery, control, Metrics(), list, {PREFIX: door.mounted}), "127.0.0.1", 0)
    server.bind()
    running = asyncio.create_task(server.run())
    async with httpx.AsyncClient(timeout=30) as client:
        origin = f"http://127.0.0.1:{server.port}"
        yield Desk(house, house.take(), viewers, client, origin, uuid4(), lecture(60, key_every=2.0))
    server.stop()
    await running


async def test_a_reviewer_sees_what_is_held_and_goes_on_seeing_while_it_is_cut(
    settings: IngestSettings, store: ObjectStore
) -> None:
    async with desk(settings, store) as told:
        told.feed(12)
        audience, ahead = await told.newest("live", "live"), await told.newest("preview", "preview")
        assert 4.4 <= ahead - audience <= 5.6, "by the delay, to a part"
        told.house.session.cut()
        told.feed(20)
        assert await told.newest("preview", "preview") - ahead > 7
        told.house.session.resume()
        told.feed(30)
        assert await told.newest("live", "live") - audience > 9
        assert told.viewers.watching(told.house.session.facts.session_id) == 1, "who previews is no viewer"


@pytest.mark.parametrize("delay_seconds", [pytest.param(0.0, marks=pytest.mark.long), 5.0])
async def test_each_door_opens_to_its_own_kind_alone_before_a_cut_and_after(
    settings: IngestSettings, store: ObjectStore, delay_seconds: float
) -> None:
    async with desk(settings, store, delay_seconds) as told:
        for seconds in (14, 20):
            told.feed(seconds)
            for kind in get_args(PlaybackKind):
                for door, kinds in (("live", ("live", "monitor")), ("preview", ("preview",))):
                    answers = await asyncio.gather(*(told.get(door, told.token(kind), name) for name in NAMES))
                    found = {answer.status_code for answer in answers}
                    assert found <= {200, 404} if kind in kinds else found == {403}, (door, kind)
            for token in ("", "x", told.token("preview")[:-1]):
                assert (await told.get("preview", token, "main.m3u8")).status_code in (403, 404)
            told.house.session.cut()


async def test_nothing_of_a_preview_is_kept_by_anybody(settings: IngestSettings, store: ObjectStore) -> None:
    async with desk(settings, store) as told:
        told.feed(14)
        for name in NAMES:
            answer = await told.get("preview", told.token("preview"), name)
            assert answer.headers["cache-control"] == "no-store", name


@pytest.mark.long
async def test_it_slides_and_keeps_the_clock_of_its_discontinuities(
    settings: IngestSettings, store: ObjectStore
) -> None:
    async with desk(settings, store) as told:
        told.feed(13)
        told.take.ended("disconnected")
        told.take = told.house.take()
        told.feed(59)
        listed = await told.playlist("preview", "preview")
        assert len(listed.segments) == KEPT_SEGMENTS
        assert listed.media_sequence > 10
        assert listed.segments[0].map_uri == "init-2.mp4", "where it begins it says what it is made of"
        preview = told.house.session.preview
        assert preview is not None
        assert len(preview.window.segments) <= KEPT_SEGMENTS + 1
        assert len(preview.window.unstored) <= KEPT_SEGMENTS + 1
        token = told.token("preview")
        assert (await told.get("preview", token, "seg-0.m4s")).status_code == 404
        assert (await told.get("preview", token, listed.segments[0].uri)).status_code == 200
        assert (await told.get("preview", token, "init-1.mp4")).status_code == 404
        assert listed.discontinuity_sequence == 1, "the encoder that came back"


async def test_a_held_request_is_answered_by_the_next_part_while_it_is_cut_too(
    settings: IngestSettings, store: ObjectStore
) -> None:
    async with desk(settings, store) as told:
        told.feed(8.1)
        told.house.session.cut()
        told.feed(10.1)
        preview = told.house.session.preview
        assert preview is not None
        msn, part = preview.window.next_part
        asked = told.get("preview", told.token("preview"), f"main.m3u8?_HLS_msn={msn}&_HLS_part={part}")
        waiting = asyncio.create_task(asked)
        await asyncio.sleep(0.2)
        assert not waiting.done()
        told.feed(11.5)
        assert f"part-{msn}.{part}.m4s" in (await waiting).text


async def test_who_reviews_no_longer_sees_nothing_more_at_once(settings: IngestSettings, store: ObjectStore) -> None:
    async with desk(settings, store) as told:
        told.feed(14)
        preview, live = told.token("preview"), told.token("live")
        session = told.house.session
        assert session.preview is not None
        msn, part = session.preview.window.next_part
        asked = told.get("preview", preview, f"main.m3u8?_HLS_msn={msn}&_HLS_part={part}")
        waiting = asyncio.create_task(asked)
        await asyncio.sleep(0.2)
        until = datetime.now(UTC)
        told.viewers.withdraw([Withdrawal(session.facts.session_id, told.account_id, until, previews_only=True)])
        assert (await told.get("preview", preview, "main.m3u8")).status_code == 403
        told.feed(15)
        assert (await waiting).status_code == 403
        assert (await told.get("live", live, "main.m3u8")).status_code == 200
        await asyncio.sleep(0.01)
        assert (await told.get("preview", told.token("preview"), "main.m3u8")).status_code == 200, "named again"
        told.viewers.withdraw([Withdrawal(session.facts.session_id, told.account_id, datetime.now(UTC))])
        assert (await told.get("live", live, "main.m3u8")).status_code == 403
        assert told.viewers.watching(session.facts.session_id) == 0, "who was sent away is not counted any more"


@pytest.mark.long
async def test_what_is_neither_held_nor_cut_is_previewed_as_its_audience_sees_it(
    settings: IngestSettings, store: ObjectStore
) -> None:
    async with desk(settings, store, delay_seconds=0.0) as told:
        told.feed(9)
        assert told.house.session.preview is None, "a second window costs nothing where none is needed"
        assert await told.newest("preview", "preview") == await told.newest("live", "live")
        told.house.session.cut()
        told.feed(14)
        assert await told.newest("preview", "preview") > 12


async def test_its_end_is_told(settings: IngestSettings, store: ObjectStore) -> None:
    async with desk(settings, store) as told:
        told.feed(9)
        told.house.session.end("ended", "", "")
        told.house.seconds += 6
        told.house.session.release_due()
        assert (await told.playlist("preview", "preview")).endlist
