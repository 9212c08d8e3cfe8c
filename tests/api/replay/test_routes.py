"""Replay as a player does it: playlists and segments by the token in the path, over a real captured take."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from api.resources import Resources
from media.fragments import packets
from media.playlist import parse_media
from storage.catalogue import ladder
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore
from storage.workshop import Place
from tests.api.conftest import Client, Clock, School, client_of
from tests.api.replay.conftest import end, playback
from tests.kit.captured import Clip
from transcode.encode import encode
from transcode.ladder import DEFAULT_PLAN_SLUG, DEFAULT_RENDITIONS
from transcode.settings import TranscodeSettings

pytestmark = pytest.mark.anyio


async def test_the_source_plays_while_reels_still_come_and_when_they_are_in(
    client: Client, school: School, catalogue: Catalogue, recording_id: UUID, clock: Clock, source_clip: Clip
) -> None:
    await client.sign_in(school.learner.login)
    at = await playback(client, recording_id)
    master = await client.get(f"{at}/index.m3u8")
    assert master.headers["content-type"].startswith("application/vnd.apple.mpegurl")
    assert "RESOLUTION=854x480" in master.text
    assert 'CODECS="avc1.' in master.text
    growing = parse_media((await client.get(f"{at}/source.m3u8")).text)
    assert (growing.playlist_type, growing.endlist, len(growing.segments)) == ("EVENT", False, 4)
    await end(catalogue, recording_id, clock)
    clock.now += timedelta(seconds=2)
    whole = parse_media((await client.get(f"{at}/source.m3u8")).text)
    assert (whole.playlist_type, whole.endlist) == ("EVENT", True)
    init = (await client.get(f"{at}/{whole.segments[0].map_uri}")).content
    played = b"".join([(await client.get(f"{at}/{one.uri}")).content for one in whole.segments])
    assert [bytes(one.data) for one in packets(init, played)] != []
    wanted = sorted((one.pts, bytes(one.data)) for one in source_clip.packets)
    assert sorted((one.pts, bytes(one.data)) for one in packets(init, played)) == wanted


async def test_the_sound_alone_is_offered_and_is_the_very_sound_of_the_source(
    client: Client, school: School, recording_id: UUID, source_clip: Clip
) -> None:
    await client.sign_in(school.learner.login)
    at = await playback(client, recording_id)
    master = (await client.get(f"{at}/index.m3u8")).text.splitlines()
    assert master[-1] == "audio.m3u8"
    assert 'CODECS="mp4a.40.2"' in master[-2]
    assert "RESOLUTION" not in master[-2]
    source, heard = [parse_media((await client.get(f"{at}/{name}.m3u8")).text) for name in ("source", "audio")]
    assert [one.duration_seconds for one in heard.segments] == [one.duration_seconds for one in source.segments]
    init = await client.get(f"{at}/{heard.segments[0].map_uri}")
    assert init.headers["content-type"] == "audio/mp4"
    played = b"".join([(await client.get(f"{at}/{one.uri}")).content for one in heard.segments])
    wanted = [(one.pts, bytes(one.data)) for one in source_clip.packets if one.track.kind == "audio"]
    assert [(one.pts, bytes(one.data)) for one in packets(init.content, played)] == wanted
    for name in ("audio/1-99.m4s", "audio/init-9.mp4", "audio/1-0.mp4"):
        assert (await client.get(f"{at}/{name}")).status_code == 404


async def test_the_ladder_is_listed_once_it_is_whole_and_the_source_stays(
    client: Client, school: School, catalogue: Catalogue, recording_id: UUID, clock: Clock, object_store: ObjectStore,
    tmp_path: Path,
) -> None:  # fmt: skip
    here = Place(catalogue, object_store, clock, {TranscodeSettings: TranscodeSettings(work_folder=tmp_path)})
    async with catalogue.transaction() as tx:
        plan = await ladder.put_plan(tx, DEFAULT_PLAN_SLUG, [dict(one) for one in DEFAULT_RENDITIONS])
    await end(catalogue, recording_id, clock)
    from storage.catalogue import reels, work

    async with catalogue.transaction() as tx:
        stored = [one.reel.id for one in await reels.of_recording(tx, recording_id)]
        for reel_id in stored:
            await work.queue(tx, recording_id, "encode", f"s-{reel_id}", clock.now)
            await work.start(tx, f"s-{reel_id}", clock.now)
    await client.sign_in(school.learner.login)
    at = await playback(client, recording_id)
    for reel_id in stored:
        assert "source.m3u8" in (await client.get(f"{at}/index.m3u8")).text
        await encode(here, reel_id, plan.id, f"s-{reel_id}")
        clock.now += timedelta(seconds=2)
    master = (await client.get(f"{at}/index.m3u8")).text
    assert "480p.m3u8" in master
    assert "source.m3u8" not in master
    assert (await client.get(f"{at}/source.m3u8")).status_code == 200
    rendition = parse_media((await client.get(f"{at}/480p.m3u8")).text)
    assert [one.map_uri for one in rendition.segments if one.map_uri] == ["480p/init-1.mp4"] or rendition.segments
    for one in rendition.segments:
        assert (await client.get(f"{at}/{one.uri}")).status_code == 200


async def test_a_token_opens_its_own_recording_for_its_own_sign_in_alone(
    client: Client, school: School, recording_id: UUID, resources: Resources, clock: Clock
) -> None:
    await client.sign_in(school.learner.login)
    at = await playback(client, recording_id)
    foreign = at.replace(str(recording_id), str(UUID(int=7)))
    altered = at[:-1] + ("X" if at[-1] != "X" else "Y")
    for path in (f"{foreign}/index.m3u8", f"{altered}/index.m3u8", at.rsplit("/", 1)[0] + "/none/index.m3u8"):
        assert (await client.get(path)).json()["code"] == "token_invalid"
    async with client_of(resources) as stranger:
        assert (await stranger.get(f"{at}/index.m3u8")).status_code == 200
        assert (await client.delete("/api/v1/sign-ins/current")).status_code == 204
        clock.now += timedelta(seconds=2)
        assert (await stranger.get(f"{at}/index.m3u8")).json()["code"] == "token_expired"
        assert (await stranger.get(f"{at}/source/1-0.m4s")).json()["code"] == "token_expired"


@pytest.mark.parametrize(
    ("header", "status", "told"),
    [
        ("bytes=0-9", 206, "bytes 0-9/{size}"),
        ("bytes=10-", 206, "bytes 10-{last}/{size}"),
        ("bytes=-5", 206, "bytes {fifth}-{last}/{size}"),
        ("bytes=999999999-", 416, "bytes */{size}"),
        ("bytes=0-1,3-4", 200, None),
        ("lines=1-2", 200, None),
    ],
)
async def test_ranges_within_a_segment(
    client: Client, school: School, recording_id: UUID, header: str, status: int, told: str | None
) -> None:
    await client.sign_in(school.learner.login)
    at = await playback(client, recording_id)
    whole = (await client.get(f"{at}/source/1-1.m4s")).content
    answer = await client.get(f"{at}/source/1-1.m4s", headers={"Range": header})
    assert answer.status_code == status
    size = len(whole)
    if told is not None:
        wanted = told.format(size=size, last=size - 1, fifth=size - 5)
        assert answer.headers["content-range"] == wanted


@pytest.mark.parametrize("name", ["index.m3u8", "source.m3u8", "source/init-1.mp4", "source/1-1.m4s", "source/9-0.m4s"])
async def test_head_tells_what_get_would_bring(client: Client, school: School, recording_id: UUID, name: str) -> None:
    await client.sign_in(school.learner.login)
    at = await playback(client, recording_id)
    got, head = await client.get(f"{at}/{name}"), await client.head(f"{at}/{name}", headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers == got.headers
    assert int(head.headers["content-length"]) == len(got.content) > 0


@pytest.mark.parametrize(
    "name", ["other.m3u8", "index.mpd", "source/9-0.m4s", "source/1-99.m4s", "source/init-9.mp4", "720p/1-0.m4s"]
)
async def test_what_is_not_there_is_not_found(client: Client, school: School, recording_id: UUID, name: str) -> None:
    await client.sign_in(school.learner.login)
    at = await playback(client, recording_id)
    assert (await client.get(f"{at}/{name}")).json()["code"] == "not_found"
