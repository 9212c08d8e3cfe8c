"""A cut in a whole house, and every door tried: live and DVR, replay of the source and of the ladder, the pictures, the
objects. What was cut is in the evidence, and nowhere else; the holding picture is in the live stream, and nowhere else.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx
import pytest

from ingest.holding.loop import OURS
from lectern.demo_client import Person
from media.fragments import packets
from media.playlist import parse_media
from storage.catalogue import evidence
from storage.objects import keys
from storage.objects.keys import ObjectKind
from tests.faults.clip import Clip, encoder
from tests.faults.lesson import Lesson, lessons
from tests.kit.house import House

pytestmark = [pytest.mark.anyio, pytest.mark.long]

BEFORE_SECONDS = 5.0
CUT_SECONDS = 6.0


async def video_at(player: httpx.AsyncClient, playlist_url: str) -> set[bytes]:
    """SHA-256 of every picture that a media playlist leads to, parts at its end included."""
    text = (await player.get(playlist_url)).text
    found: set[bytes] = set()
    init = b""
    for line in text.splitlines():
        uri = line.partition('URI="')[2].partition('"')[0]
        if line.startswith("#EXT-X-MAP"):
            init = (await player.get(urljoin(playlist_url, uri))).content
        elif line.startswith("#EXT-X-PART:") or (line and not line.startswith("#")):
            answer = await player.get(urljoin(playlist_url, uri or line))
            assert answer.status_code == 200, answer.url
            found |= pictures(init, answer.content)
    return found


CLIP = OURS.read_bytes()


def pictures(init: bytes, media: bytes) -> set[bytes]:
    return {hashlib.sha256(one.data).digest() for one in packets(init, media) if one.track.kind == "video"}


HELD = pictures(CLIP, CLIP)


@dataclass
class Replayed:
    """What a recording's replay gives: by rendition its seconds, and the pictures of the source."""

    seconds: dict[str, float]
    source: set[bytes]


async def replay(person: Person, player: httpx.AsyncClient, recording_id: str) -> Replayed:
    index: str = (await person.post(f"/recordings/{recording_id}/playback"))["url"]
    listed = [line for line in (await player.get(index)).text.splitlines() if line.endswith(".m3u8")]
    seconds = {}
    for name in {*listed, "source.m3u8"}:
        playlist = parse_media((await player.get(urljoin(index, name))).text)
        seconds[name.removesuffix(".m3u8")] = sum(one.duration_seconds for one in playlist.segments)
    return Replayed(seconds, await video_at(player, urljoin(index, "source.m3u8")))


async def test_what_was_cut_leaves_by_no_door(lectern: House, long_clip: Clip) -> None:
    sent = set(long_clip.units.video)
    async with lessons(lectern) as (lesson,), httpx.AsyncClient(timeout=30) as player:
        async with encoder(long_clip, await lesson.address()) as sending:
            main = await lesson.playing()
            await asyncio.sleep(BEFORE_SECONDS)
            await lesson.teacher.post(f"/sessions/{lesson.id}/cut", {"reason": "误入"})
            shown = await video_at(player, main) - HELD
            assert shown < sent
            waiting = asyncio.create_task(player.get(_next(await lesson._text(main), main)))
            await asyncio.sleep(CUT_SECONDS)
            assert await video_at(player, main) == shown | HELD
            recording = await lesson.recording()
            assert recording is not None
            assert (await replay(lesson.teacher, player, str(recording.id))).source <= shown
            assert pictures(CLIP, (await waiting).content) < HELD, "who waits for the next number has the picture"
            await lesson.teacher.post(f"/sessions/{lesson.id}/resume", {"reason": "好了"})
            assert await sending.said(60) == ""
        await lesson.end()
        await lesson.whole()
        await lesson.encoded()
        seen = await video_at(player, main) - HELD
        assert shown < seen < sent
        withheld = await kept_back(lesson)
        assert withheld == sent - seen
        assert len(withheld) >= (CUT_SECONDS - 1) * 25
        played = await replay(lesson.teacher, player, str(recording.id))
        assert played.source == seen
        assert len(played.seconds) > 1
        for seconds in played.seconds.values():
            assert abs(seconds - len(seen) / 25) < 1.5, played.seconds
        await _pictures_and_objects(lectern, lesson, len(seen) / 25)


async def kept_back(lesson: Lesson) -> set[bytes]:
    """The pictures of the evidence, as its reviewers get them."""
    recording = await lesson.recording()
    assert recording is not None
    found: set[bytes] = set()
    async with lesson.catalogue.transaction() as tx:
        for one in await evidence.of_recording(tx, recording.id):
            read = [await asyncio.to_thread(lesson.objects.read, key) for key in (one.init_key, one.object_key)]
            found |= pictures(*read)
    return found


async def _pictures_and_objects(house: House, lesson: Lesson, seconds: float) -> None:
    recording = await lesson.recording()
    assert recording is not None
    stills = await lesson.teacher.get(f"/recordings/{recording.id}/stills")
    assert all(one["at_ms"] <= seconds * 1000 + 1000 for one in stills)
    reels = {one.reel.object_key for one in await lesson.placed()}
    listed = [one.key for one in lesson.objects.list_prefix(keys.recording_prefix(recording.id))]
    sources = {key for key in listed if (name := keys.read(key)) and name.kind is ObjectKind.SOURCE_REEL}
    assert sources == reels
    async with house.people("academic") as (academic,):
        told = await academic.get(f"/recordings/{recording.id}/evidence")
        assert [one["reason"] for one in told["cuts"]] == ["误入", "好了"]
        url = (await academic.post(f"/recordings/{recording.id}/evidence/playback", {"reason": "复核"}))["url"]
        async with httpx.AsyncClient(timeout=30) as player:
            assert await video_at(player, urljoin(url, "source.m3u8")) == await kept_back(lesson)


def _next(text: str, url: str) -> str:
    """The hinted part, which is not there yet."""
    hint = next(line for line in text.splitlines() if line.startswith("#EXT-X-PRELOAD-HINT"))
    return urljoin(url, hint.partition('URI="')[2].partition('"')[0])
