"""A cut, and every door of the live path tried after it: nothing may be had that could not be had before, but for the
holding picture.

What is asked for goes over real HTTP to the real delivery; the session is fed by hand, so that the cut comes at a
chosen frame. What each answer holds is read frame by frame. The doors of a whole house: `tests/faults/test_cut.py`.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from domain import playback_token
from domain.playback_token import PlaybackClaim
from ingest.control import Control
from ingest.events import CLOCK
from ingest.hls.server import Delivery
from ingest.hls.sources import SegmentReader
from ingest.hls.viewers import Viewers
from ingest.holding import silence
from ingest.holding.loop import OURS
from ingest.http import Dispatch, HttpServer
from ingest.metrics import Metrics
from ingest.settings import IngestSettings
from ingest.spool_recovery import recover
from ingest.take import Take
from media.fragments import packets as read_packets
from media.packet import Packet
from storage.objects.store import ObjectStore
from tests.ingest.live_house import House, lecture

pytestmark = pytest.mark.anyio

SECRET = b"p" * 32
CLIP = OURS.read_bytes()
HOLDING = {packet.data for packet in (*read_packets(CLIP, CLIP), *silence.laid(silence.USUAL, 0, CLOCK))}
"""Every picture that the holding clip has, and silence."""
Frame = tuple[str, int]
"""A frame that somebody got: its kind, its decode time on the session's line."""


@dataclass
class Stage:
    """A served live session, the lecture that is still to be fed, and its only viewer."""

    house: House
    take: Take
    client: httpx.AsyncClient
    address: str
    left: list[Packet]

    def feed(self, seconds: float) -> None:
        """The next packets, up to `seconds` of the lecture, and what becomes due meanwhile."""
        upto = [p for p in self.left if p.dts < seconds * p.track.timescale]
        self.left = self.left[len(upto) :]
        self.house.feed(self.take, upto)
        self.house.session.release_due()

    async def get(self, name: str) -> httpx.Response:
        return await self.client.get(f"{self.address}/{name}", headers={"accept-encoding": "identity"})

    async def had(self) -> set[Frame]:
        """Every frame of the class that any address gives, whether a playlist names it or not. What addresses of the
        holding picture's numbers give must be of that.
        """
        frames: set[Frame] = set()
        window = self.house.session.window
        beyond = len(window.segments) + 2
        for prefix in ("", "audio-"):
            assert (await self.get(f"{prefix}init-2.mp4")).status_code == 404
            init = (await self.get(f"{prefix}init-1.mp4")).content
            names = [f"{prefix}seg-{msn}.m4s" for msn in range(beyond)]
            names += [
                f"{prefix}part-{msn}.{n}.m4s"
                for msn in range(max(0, beyond - 5), beyond)
                for n in range(5)
                if (msn, n) != window.next_part
            ]
            for name, answer in zip(names, await asyncio.gather(*map(self.get, names)), strict=True):
                assert answer.status_code in (200, 404), answer.url
                if answer.status_code != 200:
                    continue
                if self.is_held(name):
                    init_number = window.segments[msn_of(name)].init_number
                    held_init = (await self.get(f"{prefix}init-{init_number}.mp4")).content
                    assert {bytes(packet.data) for packet in read_packets(held_init, answer.content)} <= HOLDING
                else:
                    frames |= frames_of(init, answer.content)
        return frames

    def is_held(self, name: str) -> bool:
        """Whether the number in an address is the holding picture's."""
        segment = self.house.session.window.find(msn_of(name))
        return segment is not None and segment.holding

    def reels(self, *, evidence: bool) -> set[Frame]:
        """What the recording has: that which a replay, a ladder and stills are made from, or the evidence."""
        init = self.house.session.window.inits[1].muxed
        return {frame for media in self.house.reel_media(evidence=evidence) for frame in frames_of(init, media)}


def msn_of(text: str) -> int:
    found = re.search(r"(?:seg|part)-(\d+)", text)
    assert found, text
    return int(found[1])


def frames_of(init: bytes, media: bytes) -> set[Frame]:
    return {(packet.track.kind, packet.dts) for packet in read_packets(init, media)}


@asynccontextmanager
async def stage(settings: IngestSettings, store: ObjectStore, delay_seconds: float = 0.0) -> AsyncIterator[Stage]:
    house = House(replace(settings, reel_seconds=6.0, segment_max_seconds=6), delay_seconds=delay_seconds)
    loop = asyncio.get_running_loop()
    viewers = Viewers(SECRET, wall=lambda: datetime.now(UTC), clock=loop.time)
    session_id = house.session.facts.session_id
    delivery = Delivery({session_id: house.session}.get, viewers, SegmentReader(store))
    control = Control(b"c" * 32, None, wall=lambda: datetime.now(UTC))  # type: ignore[arg-type]
    server = HttpServer(Dispatch(delivery, control, Metrics(), list), "127.0.0.1", 0)
    server.bind()
    running = asyncio.create_task(server.run())
    claim = PlaybackClaim("live", session_id, uuid4(), uuid4(), datetime.now(UTC) + timedelta(hours=1))
    token = playback_token.sign(SECRET, claim)
    async with httpx.AsyncClient(timeout=30) as client:
        address = f"http://127.0.0.1:{server.port}/live/{session_id}/{token}"
        yield Stage(house, house.take(), client, address, lecture(60, key_every=2.0))
    server.stop()
    await running


@pytest.mark.parametrize("delay_seconds", [0.0, 5.0])
@pytest.mark.parametrize("at", [4.54, 6.06, 5.3], ids=["in a segment", "at its end", "in a part"])
async def test_after_a_cut_nothing_can_be_had_that_was_not_before(
    settings: IngestSettings, store: ObjectStore, delay_seconds: float, at: float
) -> None:
    async with stage(settings, store, delay_seconds) as told:
        told.feed(at + delay_seconds)
        before = await told.had()
        assert len(before) > 4 * 30
        lists = {name: (await told.get(name)).text for name in ("main.m3u8", "audio.m3u8", "index.m3u8")}
        told.house.session.cut()
        told.feed(at + delay_seconds + 7)
        assert await told.had() == before
        told.house.session.cut()
        told.feed(at + delay_seconds + 10)
        assert await told.had() == before
        assert (await told.get("index.m3u8")).text == lists["index.m3u8"]
        for name in ("main.m3u8", "audio.m3u8", "main.m3u8?_HLS_skip=YES"):
            named = {line for line in (await told.get(name)).text.splitlines() if ".m4s" in line and "HINT" not in line}
            known = set(lists[name.partition("?")[0]].splitlines())
            new = {line for line in named - known if not told.is_held(line)}
            assert all("seg-" in line for line in new), "the segment that the cut ended, and no part more"
            assert any(told.is_held(line) for line in named)
        told.take.ended("disconnected")
        assert told.reels(evidence=False) == before
        assert told.reels(evidence=True) & before == set()
        told.house.threads.submit(lambda: None).result()
        found = recover(told.take.spool.folder)
        length = sum(segment.source.length for evidence, _, segment in found.unplanned if not evidence)
        assert length == sum(segment.length for segment in told.house.of_class()), "after a crash too"


@pytest.mark.parametrize("delay_seconds", [0.0, 5.0])
async def test_who_waits_for_the_next_part_when_the_cut_comes_gets_the_holding_picture(
    settings: IngestSettings, store: ObjectStore, delay_seconds: float
) -> None:
    async with stage(settings, store, delay_seconds) as told:
        told.feed(4.7 + delay_seconds)
        before = await told.had()
        msn, part = told.house.session.window.next_part
        names = [
            f"part-{msn}.{part}.m4s",
            f"audio-part-{msn}.{part}.m4s",
            f"main.m3u8?_HLS_msn={msn}&_HLS_part={part}",
            f"audio.m3u8?_HLS_msn={msn}&_HLS_part={part}",
            f"main.m3u8?_HLS_msn={msn}",
            f"main.m3u8?_HLS_msn={msn + 1}&_HLS_part=0",
        ]
        waiting = {name: asyncio.create_task(told.get(name)) for name in names}
        await asyncio.wait(waiting.values(), timeout=0.3)
        assert not any(task.done() for task in waiting.values())
        told.house.session.cut()
        told.feed(10 + delay_seconds)
        answers = {name: await waiting[name] for name in names[:5]}
        assert [answers[name].status_code for name in names[:2]] == [404, 404]
        for name in names[2:5]:
            text = answers[name].text
            assert f'part-{msn}.{part}.m4s",' not in text.replace("PRELOAD-HINT", "")
            assert f"seg-{msn}.m4s" in text, "what they have of the segment is the whole of it"
        text = (await waiting[names[5]]).text
        assert f"part-{msn + 1}.0.m4s" in text
        assert told.is_held(f"part-{msn + 1}.0.m4s")
        assert await told.had() == before


async def test_the_audience_goes_on_where_it_may_and_what_was_cut_never_comes(
    settings: IngestSettings, store: ObjectStore
) -> None:
    async with stage(settings, store) as told:
        told.feed(5.3)
        before = await told.had()
        told.house.session.cut()
        told.feed(10.4)
        told.house.session.resume()
        told.feed(11.7)  # the key frame at 10 came while nothing was to go out, though its part was made after that
        assert await told.had() == before
        told.house.session.cut()
        told.feed(14.6)
        told.house.session.resume()
        told.feed(21)
        after = await told.had()
        new = sorted(dts for kind, dts in after - before if kind == "video")
        first = next(p.dts for p in lecture(60, key_every=2.0) if p.keyframe and p.dts >= 14.6 * 90_000)
        base = min(dts for kind, dts in before if kind == "video")
        assert abs(new[0] - base - first) < 10, "from the first key frame after the second resume on"
        text = (await told.get("main.m3u8")).text
        assert text.count("#EXT-X-DISCONTINUITY\n") == 2, "into the holding picture and out of it"
        assert text.count("#EXT-X-MAP:") == 3
        told.take.ended("disconnected")
        assert told.reels(evidence=True) & (await told.had()) == set()
