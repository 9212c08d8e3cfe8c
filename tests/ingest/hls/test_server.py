"""The delivery over real HTTP: blocking reload, hints, ranges, tokens. The session is fed by hand, in the server's
loop.
"""

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from domain import control as control_rule
from domain import playback_token
from domain.playback_token import PlaybackClaim
from ingest.control import Control
from ingest.hls.server import Delivery
from ingest.hls.sources import SegmentReader, StoredSource
from ingest.hls.viewers import Viewers
from ingest.http import Dispatch, HttpServer
from ingest.live_session import LiveSession
from ingest.metrics import Metrics
from ingest.settings import IngestSettings
from ingest.take import Take
from media.fragments import packets as read_packets
from media.packet import Packet
from storage.objects.store import ObjectStore
from tests.ingest.live_house import House, lecture
from tests.kit.hls import rules

pytestmark = pytest.mark.anyio

SECRET = b"p" * 32
CONTROL = b"c" * 32


class FakeLives:
    """The sessions of a process, for the control channel."""

    def __init__(self, sessions: dict[UUID, LiveSession]) -> None:
        self.sessions = sessions

    def find(self, session_id: UUID) -> LiveSession | None:
        return self.sessions.get(session_id)

    def end(self, session: LiveSession, reason: str, code: str, description: str) -> None:
        session.end(reason, code, description)


@dataclass
class Stage:
    """A served live session and its only viewer."""

    house: House
    take: Take
    viewers: Viewers
    client: httpx.AsyncClient
    address: str
    sign_in: UUID
    left: list[Packet]
    server: HttpServer

    def keep_alive(self, seconds: float) -> None:
        """Of connections that are made from now on."""
        self.server._server.config.timeout_keep_alive = seconds  # type: ignore[assignment]

    def feed(self, seconds: float) -> None:
        """The next packets of the lecture, up to `seconds` of it."""
        upto = [p for p in self.left if p.dts < seconds * p.track.timescale]
        self.left = self.left[len(upto) :]
        self.house.feed(self.take, upto)

    def token(self, **changes: object) -> str:
        claim = PlaybackClaim(
            "live", self.house.session.facts.session_id, uuid4(), self.sign_in, datetime.now(UTC) + timedelta(hours=1)
        )
        return playback_token.sign(SECRET, replace(claim, **changes))  # type: ignore[arg-type]

    async def get(self, name: str, token: str | None = None, **options: object) -> httpx.Response:
        session_id = self.house.session.facts.session_id
        address = f"{self.address}/live/{session_id}/{token or self.token()}/{name}"
        return await self.client.get(address, **options)  # type: ignore[arg-type]


@pytest.fixture
async def stage(settings: IngestSettings, store: ObjectStore) -> AsyncIterator[Stage]:
    house = House(replace(settings, reel_seconds=6.0, segment_max_seconds=6))
    loop = asyncio.get_running_loop()
    viewers = Viewers(SECRET, wall=lambda: datetime.now(UTC), clock=loop.time)
    sessions = {house.session.facts.session_id: house.session}
    delivery = Delivery(sessions.get, viewers, SegmentReader(store))
    control = Control(CONTROL, FakeLives(sessions), wall=lambda: datetime.now(UTC))  # type: ignore[arg-type]
    server = HttpServer(Dispatch(delivery, control, Metrics(), list), "127.0.0.1", 0)
    server.bind()
    running = asyncio.create_task(server.run())
    async with httpx.AsyncClient(timeout=10) as client:
        take = house.take()
        address = f"http://127.0.0.1:{server.port}"
        yield Stage(house, take, viewers, client, address, uuid4(), lecture(120, key_every=2.0), server)
    server.stop()
    await running


async def waits(task: "asyncio.Task[httpx.Response]") -> bool:
    """Whether the request is held: the loop has turned many times and it has no answer."""
    await asyncio.wait({task}, timeout=0.15)
    return not task.done()


async def test_a_blocking_request_is_answered_by_the_part_it_waits_for(stage: Stage) -> None:
    stage.feed(4.2)
    window = stage.house.session.window
    msn, part = window.next_part
    request = asyncio.create_task(stage.get(f"main.m3u8?_HLS_msn={msn}&_HLS_part={part}"))
    assert await waits(request)
    stage.feed(4.8)
    answer = await request
    assert answer.status_code == 200
    assert f'URI="part-{msn}.{part}.m4s"' in answer.text
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert rules.of_media(answer.text) == []


async def test_a_request_for_a_whole_segment_waits_for_its_end(stage: Stage) -> None:
    stage.feed(4.2)
    request = asyncio.create_task(stage.get("main.m3u8?_HLS_msn=2"))
    stage.feed(5.6)
    assert await waits(request)
    stage.feed(6.1)
    assert "seg-2.m4s" in (await request).text


async def test_all_waiters_of_both_renditions_wake_at_once(stage: Stage) -> None:
    stage.feed(4.2)
    msn, part = stage.house.session.window.next_part
    names = [f"{rendition}.m3u8?_HLS_msn={msn}&_HLS_part={part}" for rendition in ("main", "audio") * 20]
    requests = [asyncio.create_task(stage.get(name)) for name in names]
    assert await waits(requests[0])
    stage.feed(4.8)
    assert {answer.status_code for answer in await asyncio.gather(*requests)} == {200}


async def test_what_is_too_far_ahead_or_makes_no_sense_is_answered_at_once(stage: Stage) -> None:
    stage.feed(4.2)
    for query in ("_HLS_msn=5", "_HLS_part=1", "_HLS_msn=x", "_HLS_msn=2&_HLS_part=9"):
        assert (await stage.get(f"main.m3u8?{query}")).status_code == 400


async def test_what_does_not_come_in_time_is_503(stage: Stage) -> None:
    stage.house.session.settings = replace(stage.house.settings, segment_max_seconds=0)
    stage.feed(4.2)
    assert (await stage.get("main.m3u8?_HLS_msn=2")).status_code == 503


async def test_a_hinted_part_is_held_until_it_is_whole(stage: Stage) -> None:
    stage.feed(4.2)
    msn, part = stage.house.session.window.next_part
    assert f'PRELOAD-HINT:TYPE=PART,URI="part-{msn}.{part}.m4s"' in (await stage.get("main.m3u8")).text
    request = asyncio.create_task(stage.get(f"part-{msn}.{part}.m4s"))
    assert await waits(request)
    stage.feed(4.8)
    answer = await request
    made = stage.house.session.window.segments[msn].parts[part]
    assert answer.content == made.muxed
    assert "immutable" in answer.headers["cache-control"]
    assert (await stage.get(f"part-{msn}.{part + 3}.m4s")).status_code == 404


async def test_a_hint_that_the_end_overtakes_is_404(stage: Stage) -> None:
    stage.feed(4.2)
    msn, part = stage.house.session.window.next_part
    request = asyncio.create_task(stage.get(f"part-{msn}.{part}.m4s"))
    blocked = asyncio.create_task(stage.get(f"main.m3u8?_HLS_msn={msn}&_HLS_part={part + 2}"))
    assert await waits(request)
    stage.house.session.end("done", "", "")
    assert (await request).status_code in (200, 404)
    assert (await blocked).text.endswith("#EXT-X-ENDLIST\n")


async def test_a_player_gets_every_byte_in_parts_or_in_segments(stage: Stage) -> None:
    stage.feed(31)
    session = stage.house.session
    init = (await stage.get("init-1.mp4")).content
    assert init == session.window.inits[1].muxed
    whole = b"".join([(await stage.get(f"seg-{n}.m4s")).content for n in range(session.window.closed_count)])
    assert whole == stage.house.seen()[: len(whole)]
    newest = session.window.closed_count - 1
    count = len(session.window.segments[newest].parts)
    parts = [(await stage.get(f"part-{newest}.{n}.m4s")).content for n in range(count)]
    assert b"".join(parts) == (await stage.get(f"seg-{newest}.m4s")).content


async def test_the_audio_rendition_is_the_same_from_memory_and_from_the_spool(stage: Stage) -> None:
    stage.feed(3.2)
    init = (await stage.get("audio-init-1.mp4")).content
    from_memory = (await stage.get("audio-seg-0.m4s")).content
    stage.feed(31)
    assert not stage.house.session.window.segments[0].in_memory
    assert (await stage.get("audio-seg-0.m4s")).content == from_memory
    assert {p.track.kind for p in read_packets(init, from_memory)} == {"audio"}


async def test_a_segment_keeps_its_address_when_it_lies_in_the_store(stage: Stage, store: ObjectStore) -> None:
    stage.feed(31)
    before = (await stage.get("seg-1.m4s")).content
    job = stage.house.reels[0]
    reel = stage.house.reel_media()[0]
    store.put_bytes(job.plan.key, reel)
    stage.house.session.freed(job)
    assert isinstance(stage.house.session.window.segments[1].source, StoredSource)
    assert (await stage.get("seg-1.m4s")).content == before
    ranged = await stage.get("seg-1.m4s", headers={"range": "bytes=5-9"})
    assert (ranged.status_code, ranged.content) == (206, before[5:10])
    stage.house.session.window.segments[2].source = StoredSource("recordings/none", 0, 5)
    assert (await stage.get("seg-2.m4s")).status_code == 404


async def test_a_part_that_left_the_memory_is_read_from_the_spool(stage: Stage) -> None:
    stage.feed(3.2)
    names = ("part-0.2.m4s", "audio-part-0.2.m4s")
    before = [(await stage.get(name)).content for name in names]
    stage.feed(15)
    assert not stage.house.session.window.segments[0].in_memory
    assert [(await stage.get(name)).content for name in names] == before
    stage.feed(40)
    assert [(await stage.get(name)).status_code for name in names] == [404, 404]


@pytest.mark.parametrize(
    ("asked", "status", "piece"),
    [
        ("bytes=0-0", 206, slice(0, 1)),
        ("bytes=10-", 206, slice(10, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=5-99999999", 206, slice(5, None)),
        ("bytes=99999999-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=7-5", 200, slice(None)),
        ("bytes=0-1,3-4", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
    ],
)
async def test_byte_ranges(stage: Stage, asked: str, status: int, piece: slice | None) -> None:
    stage.feed(4.2)
    whole = (await stage.get("seg-0.m4s")).content
    answer = await stage.get("seg-0.m4s", headers={"range": asked})
    assert answer.status_code == status
    assert answer.content == (b"" if piece is None else whole[piece])
    if status == 206:
        assert answer.headers["content-range"].endswith(f"/{len(whole)}")


async def test_playlists_are_compressed_for_who_takes_it(stage: Stage) -> None:
    stage.feed(61)
    plain = await stage.get("main.m3u8", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    async with stage.client.stream("GET", str(plain.url), headers={"accept-encoding": "gzip"}) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content) / 4
    delta = await stage.get("main.m3u8?_HLS_skip=YES")
    assert "#EXT-X-SKIP:" in delta.text


async def test_only_a_token_of_this_session_lets_in(stage: Stage) -> None:
    stage.feed(4.2)
    past = datetime.now(UTC) - timedelta(seconds=1)
    assert (await stage.get("main.m3u8", stage.token(expires_at=past))).status_code == 410
    assert (await stage.get("main.m3u8", stage.token(item_id=uuid4()))).status_code == 403
    assert (await stage.get("main.m3u8", stage.token(kind="replay"))).status_code == 403
    assert (await stage.get("seg-0.m4s", "nonsense")).status_code == 403
    assert (await stage.get("main.m3u8", stage.token()[:-1] + "A")).status_code in (403, 200)


async def test_an_ended_sign_in_is_shut_out_even_while_it_waits(stage: Stage) -> None:
    stage.feed(4.2)
    assert (await stage.get("main.m3u8")).status_code == 200
    assert stage.viewers.watching(stage.house.session.facts.session_id) == 1
    request = asyncio.create_task(stage.get("main.m3u8?_HLS_msn=2"))
    assert await waits(request)
    stage.viewers.revoke([stage.sign_in])
    stage.feed(6.1)
    assert (await request).status_code == 403
    assert (await stage.get("seg-0.m4s")).status_code == 403


async def test_browsers_may_ask_first_and_nobody_may_write(stage: Stage) -> None:
    address = f"{stage.address}/live/{uuid4()}/token/main.m3u8"
    preflight = await stage.client.options(address)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "range" in preflight.headers["access-control-allow-headers"]
    assert (await stage.client.post(address)).status_code == 405
    for path in ("/live/", "/live/x/y/z", f"/live/{uuid4()}/a/b/c", "/nothing"):
        assert (await stage.client.get(f"{stage.address}{path}")).status_code in (403, 404)
    head = await stage.client.head(f"{stage.address}/live/{stage.house.session.facts.session_id}/x/seg-0.m4s")
    assert head.status_code == 403


@pytest.mark.parametrize("name", ["index.m3u8", "main.m3u8", "init-0.mp4", "seg-0.m4s", "part-0.0.m4s", "seg-99.m4s"])
async def test_head_tells_what_get_would_bring(stage: Stage, name: str) -> None:
    """Of the whole, whatever Range says: it counts for GET alone (RFC 9110, 14.2)."""
    stage.feed(6.1)
    at = f"{stage.address}/live/{stage.house.session.facts.session_id}/{stage.token()}/{name}"
    got, head = await stage.client.get(at), await stage.client.head(at, headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.content) == (got.status_code, b"")
    told, wanted = dict(head.headers), dict(got.headers)
    assert told.pop("date")
    assert wanted.pop("date")
    assert told == wanted
    assert int(told["content-length"]) == int(got.headers["content-length"]) > 0


async def test_health_and_metrics_answer_head(stage: Stage) -> None:
    for path in ("/healthz", "/metrics"):
        got, head = await stage.client.get(f"{stage.address}{path}"), await stage.client.head(f"{stage.address}{path}")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == got.headers["content-type"]


async def test_orders_are_taken_when_they_are_signed(stage: Stage) -> None:
    stage.feed(4.2)
    session = stage.house.session
    path, body = f"/control/sessions/{session.facts.session_id}/cut", b'{"reason": "what was said", "number": 2}'

    async def post(path: str, signature: str, body: bytes = body) -> int:
        answer = await stage.client.post(f"{stage.address}{path}", content=body, headers={"Lectern-Control": signature})
        return answer.status_code

    at = datetime.now(UTC)
    good = control_rule.sign(CONTROL, "POST", path, body, at)
    assert await post(path, "") == 403
    assert await post(path, good, b'{"reason": "something else", "number": 2}') == 403
    old = control_rule.sign(CONTROL, "POST", path, body, at - timedelta(minutes=5))
    assert await post(path, old) == 403
    states = [session.gate.is_cut]
    assert await post(path, good) == 204
    states.append(session.gate.is_cut)
    assert states == [False, True]
    assert await post(path, good) == 204
    elsewhere = f"/control/sessions/{uuid4()}/cut"
    assert await post(elsewhere, control_rule.sign(CONTROL, "POST", elsewhere, body, at)) == 404
    assert await post(path, good, bytes(20_000)) == 413


async def test_health_and_metrics(stage: Stage) -> None:
    assert (await stage.client.get(f"{stage.address}/healthz")).text == "ok\n"
    assert "lectern_ingest_publishers" in (await stage.client.get(f"{stage.address}/metrics")).text
