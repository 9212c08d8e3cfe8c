"""`lectern ingest --processes 2` as it is run: the owner is killed while it is watched through the other process."""

import asyncio
import dataclasses
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest

from domain import playback_token
from domain.playback_token import PlaybackClaim
from lectern.clock import now
from lectern.keys import derive
from lectern.settings import Settings, load, to_environ
from lectern.supervisor import console_script
from storage.catalogue import live_owner
from storage.embedded.ports import all_free, free_ports
from tests.conftest import CatalogueUrls
from tests.ingest.classroom import Lesson, encoder_to, lesson, order
from tests.ingest.nodes.house import segments_of
from tests.ingest.wired import Stores, until
from tests.kit.fixtures import object_store_settings

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(180)]


@dataclass
class Running:
    """The parent, and a viewer."""

    parent: "subprocess.Popen[bytes]"
    settings: Settings
    viewer: httpx.AsyncClient
    log: Path

    @property
    def rtmp(self) -> str:
        return f"rtmp://127.0.0.1:{self.settings.ingest.rtmp_port}/live"

    def process(self, number: int) -> psutil.Process:
        """LookupError between its end and its next start."""
        for one in psutil.Process(self.parent.pid).children():
            with suppress(psutil.Error):
                if one.cmdline()[-2:] == ["--process", str(number)] and one.status() != psutil.STATUS_ZOMBIE:
                    return one
        raise LookupError(number)

    def link(self, told: Lesson) -> str:
        """One viewer's link, without its host."""
        claim = PlaybackClaim("live", told.session_id, uuid4(), uuid4(), now() + timedelta(hours=1))
        return f"/live/{told.session_id}/{playback_token.sign(derive(self.settings.lectern).playback, claim)}"

    async def get(self, link: str, name: str, number: int = 0) -> httpx.Response:
        """Over the shared port, or of the process of this number."""
        return await self.viewer.get(f"http://127.0.0.1:{self.settings.ingest.http_port + number}{link}/{name}")

    async def shows(self, link: str, number: int, count: int) -> bool:
        with suppress(httpx.HTTPError):
            answer = await self.get(link, "main.m3u8", number)
            return answer.status_code == 200 and len(segments_of(answer.text)) >= count
        return False


@pytest.fixture
async def processes(stores: Stores, catalogue_urls: CatalogueUrls, tmp_path: Path) -> AsyncIterator[Running]:
    base = load({})
    (rtmp_port, http_port) = free_ports(2)
    while not all_free(range(http_port, http_port + 3)):
        (http_port,) = free_ports(1)
    settings = dataclasses.replace(
        base,
        lectern=dataclasses.replace(base.lectern, master_secret="5e" * 32),
        storage=dataclasses.replace(
            object_store_settings(stores.s3), database_url=catalogue_urls.app, valkey_url=stores.valkey.url
        ),
        ingest=dataclasses.replace(
            stores.settings,
            rtmp_port=rtmp_port,
            http_port=http_port,
            control_url=f"http://127.0.0.1:{http_port}",
            reel_seconds=20.0,
        ),
    )
    foreign = {name: value for name, value in os.environ.items() if not name.startswith("LECTERN_")}
    log = tmp_path / "ingest.log"
    parent = start({**foreign, **to_environ(settings)}, log)
    async with httpx.AsyncClient(timeout=25) as viewer:
        running = Running(parent, settings, viewer, log)
        try:
            await until(lambda: both_answer(running))
            yield running
        finally:
            parent.terminate()
            with suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(parent.wait, 40)
            parent.kill()


def start(environ: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as output:
        command = [*console_script(), "ingest", "--processes", "2"]
        return subprocess.Popen(command, env=environ, stdout=output, stderr=output)


async def both_answer(running: Running) -> bool:
    for number in (1, 2):
        try:
            (await running.get("", "../healthz", number)).raise_for_status()
        except httpx.HTTPError:
            return False
    return True


async def test_the_owner_is_killed_while_it_is_watched_through_the_other(processes: Running, stores: Stores) -> None:
    told = await lesson(stores.catalogue)
    link = processes.link(told)
    async with encoder_to(processes.rtmp, told.key):
        await until(lambda: processes.shows(link, 1, 2))
        for number in (0, 2):
            await until(partial(processes.shows, link, number, 2))
        async with stores.catalogue.transaction() as tx:
            first = await live_owner.find(tx, told.session_id)
        assert first is not None
        owner = 2 if first.node.endswith("-2") else 1
        other = 3 - owner
        text = (await processes.get(link, "main.m3u8", other)).text
        killed = processes.process(owner)
        killed.send_signal(signal.SIGKILL)
        answer = await processes.get(link, f"main.m3u8?_HLS_msn={len(segments_of(text)) + 1}", other)
        assert answer.status_code in (200, 503), "it may have come back quickly, or said that it is away"
    seen = segments_of(text)
    # The node comes back, finds its spool, and shows what there is although no encoder has come yet.
    await until(lambda: processes.shows(link, owner, len(seen)))

    async def is_had(number: int) -> bool:
        return (await processes.get(link, "seg-0.m4s", number)).status_code == 200

    # The other stood in for it, with gaps for what only the dead process had, and looks once a second.
    for number in (1, 2):
        await until(partial(is_had, number), 5)
    async with encoder_to(processes.rtmp, told.key):
        await until(lambda: processes.shows(link, other, len(seen) + 3))
        texts = [(await processes.get(link, "main.m3u8", number)).text for number in (0, 1, 2)]
        for one in texts:
            assert "#EXT-X-ENDLIST" not in one
            shown = segments_of(one)
            assert list(shown) == list(range(len(shown)))
            assert {msn: shown[msn] for msn in seen} == seen, "what was shown before is shown still"
        await order(stores.catalogue, told.session_id, "end")
        await until(lambda: stores.is_stored(told))
    msns = await stores.msns(told)
    assert len(set(msns)) == len(msns)
    assert set(seen) <= set(msns), "nothing that was shown is missing from the recording"
    assert {one.take_number for one in await stores.placed(told)} == {1, 2}
    processes.parent.terminate()
    assert await asyncio.to_thread(processes.parent.wait, 40) == 0
    assert not killed.is_running()
