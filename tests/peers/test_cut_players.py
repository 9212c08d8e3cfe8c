"""Players of others through a cut: they follow into the holding picture and back into the class by themselves."""

import asyncio
from collections.abc import AsyncIterator
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from ingest.service import IngestService
from ingest.settings import IngestSettings
from storage.catalogue.transaction import Catalogue
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.ingest.classroom import Lesson, encoder, ingest, lesson, order
from tests.ingest.wired import segments
from tests.peers import by_gstreamer
from tests.peers.by_ffmpeg import decoded
from tests.peers.pages import PLAYERS, player

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(120)]

PLAYED_SECONDS = 4.0
CUT_SECONDS = 8.0
CLASS_WIDTH, HOLDING_WIDTH = 320, 1280


@pytest.fixture
async def live(
    tmp_path: Path, catalogue: Catalogue, object_store: ObjectStore, valkey: embedded_valkey.Running
) -> AsyncIterator[tuple[IngestService, Lesson, str]]:
    """A class that is live, at the pace of a real one, and the address of its multivariant playlist."""
    settings = IngestSettings(spool_folder=tmp_path / "spool", rtmp_port=0, http_port=0)
    told = await lesson(catalogue)
    async with (
        ingest(settings, catalogue, object_store, valkey.url) as service,
        encoder(service, told.key, speed=1.0, group=50),
    ):
        await segments(service, told, 4)
        assert service.http is not None
        yield (
            service,
            told,
            f"http://127.0.0.1:{service.http.port}/live/{told.session_id}/{told.token()}/index.m3u8",
        )


async def cut_and_resume(catalogue: Catalogue, told: Lesson) -> None:
    await asyncio.sleep(PLAYED_SECONDS)
    await order(catalogue, told.session_id, "cut", "误入")
    await asyncio.sleep(CUT_SECONDS)
    await order(catalogue, told.session_id, "resume")
    await asyncio.sleep(PLAYED_SECONDS)


@pytest.mark.parametrize("name", PLAYERS)
async def test_at_low_latency(live: tuple[IngestService, Lesson, str], catalogue: Catalogue, name: str) -> None:
    _, told, url = live
    async with player(name, url) as playing:
        await playing.play(url, live=True)
        await playing.plays_on(2)
        await playing.watched()
        await cut_and_resume(catalogue, told)
        await playing.until(f"video.videoWidth === {CLASS_WIDTH}")
        await playing.plays_on(PLAYED_SECONDS)
        at = await playing.watched()
    assert [width for width, _ in groupby(one[2] for one in at)] == [CLASS_WIDTH, HOLDING_WIDTH, CLASS_WIDTH]
    moved = [one for one, later in pairwise(at) if later[1] > one[1]]
    assert max(later[0] - one[0] for one, later in pairwise(moved)) < 0.5, "it stood still"
    passed, played = at[-1][0] - at[0][0], at[-1][1] - at[0][1]
    assert played > 0.9 * passed


async def test_gstreamer(live: tuple[IngestService, Lesson, str], catalogue: Catalogue) -> None:
    """Whole segments, some seconds behind: every picture of both, and its clock never goes back."""
    _, told, url = live
    watching = asyncio.create_task(by_gstreamer.shown(by_gstreamer.by_playbin3(url), _is_back))
    await cut_and_resume(catalogue, told)
    seen = await watching
    assert seen.complaints == []
    assert [width for width, _ in groupby(seen.widths)] == [CLASS_WIDTH, HOLDING_WIDTH, CLASS_WIDTH]
    _goes_on(seen.times)


def _is_back(seen: by_gstreamer.Shown) -> bool:
    """Whether the class has been shown for a while behind the holding picture."""
    shown = [(width, len(list(pictures))) for width, pictures in groupby(seen.widths)]
    return len(shown) == 3 and shown[-1][1] > PLAYED_SECONDS * 25


async def test_ffmpeg(live: tuple[IngestService, Lesson, str], catalogue: Catalogue) -> None:
    """Every picture is decoded, of the class as of what is shown meanwhile; the clock of the stream never goes back."""
    service, told, url = live
    reading = asyncio.create_task(decoded(url, PLAYED_SECONDS * 2 + CUT_SECONDS))
    await cut_and_resume(catalogue, told)
    times, complaints = await reading
    assert complaints == ""
    _goes_on(times)
    window = service.lives.sessions[told.session_id].window
    assert [held for held, _ in groupby(one.holding for one in window.segments)] == [False, True, False]


def _goes_on(times: list[float]) -> None:
    """Picture after picture, but where it was cut, and where it went on."""
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert min(steps) > 0
    frames = (0.03, 0.04)  # of the picture, of the class
    assert len([step for step in steps if round(step, 2) not in frames]) <= 2, "where it was cut, and where it went on"
    assert max(steps) < 3, "to the next key frame at most"
