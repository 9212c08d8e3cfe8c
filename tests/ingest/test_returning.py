"""Who may come back while the catalogue is away, and what is written of it when it is back: real rows behind a wire
that is cut or held.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

import msgspec
import pytest

from domain.kinds import Protocol, Slot
from domain.refusals import Refusal, RefusalCode
from domain.states import TakeState
from ingest import begun_takes, publishing, recovery
from ingest.lives import Lives
from ingest.publishing import Publishing
from ingest.reel_plan import TakeAbout
from ingest.settings import IngestSettings
from ingest.spool import ABOUT
from ingest.take import Publish, Take
from ingest.wish import Wish
from storage.catalogue import credentials, live_owner, takes
from storage.catalogue.tables.take import Take as TakeRow
from storage.catalogue.transaction import Catalogue, Transaction
from storage.objects.store import ObjectStore
from tests.conftest import CatalogueUrls
from tests.ingest.classroom import Lesson, lesson, now, order
from tests.ingest.live_house import lecture
from tests.ingest.relay import Relay, relay

pytestmark = pytest.mark.anyio


@dataclass
class Wall:
    """A clock that can be set forward."""

    later: timedelta = timedelta()

    def __call__(self) -> datetime:
        return now() + self.later


@dataclass
class Node:
    """An ingest process without its doors."""

    publishing: Publishing
    lives: Lives
    wire: Relay
    catalogue: Catalogue
    """The test's own, which is never cut off."""
    wall: Wall
    said: list[str] = field(default_factory=list)

    async def publish(self, key: str, protocol: Protocol = Protocol.rtmp, encoder: str = "OBS") -> Take:
        publish = Publish(protocol, encoder, "127.0.0.1", lambda code, said: self.said.append(f"{code} {said}"))
        take = await self.publishing.admit_wish(Wish(key, publish))
        assert isinstance(take, Take)
        return take

    async def refused(self, key: str) -> RefusalCode:
        with pytest.raises(Refusal) as caught:
            await self.publish(key)
        return caught.value.code

    async def rows(self, told: Lesson) -> list[TakeRow]:
        async with self.catalogue.transaction() as tx:
            return list(await takes.of_session(tx, told.session_id))

    async def written(self, told: Lesson) -> list[tuple[int, str, str | None]]:
        """The takes' rows, once the wire is mended and all is written."""
        await self.wire.mend()
        await self.lives.ledger.drain(5)
        return [(row.number, row.state, row.end_reason) for row in await self.rows(told)]


@asynccontextmanager
async def started(
    settings: IngestSettings, urls: CatalogueUrls, straight: Catalogue, store: ObjectStore
) -> AsyncIterator[Node]:
    parts = urlsplit(urls.app)
    async with relay(str(parts.hostname), int(parts.port or 0)) as wire:
        account = parts.netloc.rpartition("@")[0]
        url = urlunsplit(parts._replace(netloc=f"{account}@127.0.0.1:{wire.port}"))
        catalogue = Catalogue(url, application_name="wired")
        clock, wall = asyncio.get_running_loop().time, Wall()
        quick = replace(settings, dead_after_seconds=30.0, retry_first_seconds=0.05, retry_longest_seconds=0.1)
        lives = Lives(quick, catalogue, store, clock=clock, wall=wall)
        lives.ledger.start()
        node = Node(Publishing(catalogue, lives, wall=wall), lives, wire, straight, wall)
        node.publishing.ready.set()
        yield node
        await lives.ledger.stop()
        lives.close()
        await catalogue.close()


@pytest.fixture
async def node(
    settings: IngestSettings, catalogue_urls: CatalogueUrls, catalogue: Catalogue, store: ObjectStore
) -> AsyncIterator[Node]:
    async with started(settings, catalogue_urls, catalogue, store) as made:
        yield made


async def dropped(node: Node, told: Lesson) -> Take:
    """The take of an encoder that was let in, sent something, and lost its line."""
    take = await node.publish(told.key)
    for packet in lecture(3):
        take.packet(packet)
    take.ended("disconnected")
    return take


@pytest.mark.parametrize("protocol", Protocol)
async def test_who_was_let_in_comes_back_and_its_take_is_written_in_order(node: Node, protocol: Protocol) -> None:
    told = await lesson(node.catalogue)
    first = await dropped(node, told)
    await node.wire.cut()
    began = now()
    second = await node.publish(told.key, protocol, encoder="OBS \0 Studio \ud800")
    for packet in lecture(3):
        second.packet(packet)
    assert second.number == 2
    segments = node.lives.sessions[told.session_id].window.segments
    assert [one.discontinuity for one in segments].count(True) == 1, "the drop is said where it was"
    about = msgspec.json.decode((second.spool.folder / ABOUT).read_bytes(), type=TakeAbout)
    assert about.late is not None
    second.ended("unpublished")
    third = await node.publish(told.key)
    assert await node.written(told) == [
        (1, "ended", "disconnected"),
        (2, "ended", "unpublished"),
        (3, "publishing", None),
    ]
    rows = await node.rows(told)
    assert [row.id for row in rows] == [first.id, second.id, third.id]
    assert len({row.recording_id for row in rows} | {first.spool.about.recording_id}) == 1
    assert (rows[1].protocol, rows[1].encoder, rows[1].video_codec) == (protocol, "OBS  Studio ?", "h264")
    assert began <= rows[1].started_at <= rows[2].started_at
    fourth_key_says = await node.refused(told.key)
    assert fourth_key_says == RefusalCode.key_in_use, "by the rows again"


async def test_a_catalogue_that_says_nothing_is_not_waited_for(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "RETURN_SECONDS", 0.2)
    monkeypatch.setattr(publishing, "ANSWER_SECONDS", 0.4)
    told, stranger = await lesson(node.catalogue), await lesson(node.catalogue)
    await dropped(node, told)
    node.wire.hold()
    assert (await node.publish(told.key)).number == 2
    assert await node.refused(stranger.key) == RefusalCode.catalogue_away
    node.wire.let_go()
    await node.lives.ledger.drain(5)
    assert [(row.number, row.state) for row in await node.rows(told)] == [(1, "ended"), (2, "publishing")]
    assert await node.rows(stranger) == []


async def test_a_row_whose_answer_was_lost_is_written_once(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "RETURN_SECONDS", 0.2)
    told = await lesson(node.catalogue)
    await dropped(node, told)
    await node.lives.ledger.drain(5)
    begin = begun_takes.begin

    async def begin_and_fall_silent(*arguments: object) -> object:
        found = await begin(*arguments)  # type: ignore[arg-type]
        node.wire.hold()  # before the commit
        return found

    monkeypatch.setattr(begun_takes, "begin", begin_and_fall_silent)
    take = await node.publish(told.key)
    node.wire.let_go()
    await node.lives.ledger.drain(5)

    async def settled() -> bool:
        return [(row.id, row.state) for row in await node.rows(told)][1:] == [(take.id, TakeState.publishing)]

    await until(settled)


async def test_a_publish_that_is_given_up_while_its_row_is_written_publishes_no_more(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, written, begin = await lesson(node.catalogue), asyncio.Event(), begun_takes.begin

    async def begin_and_fall_silent(tx: Transaction, *arguments: object) -> object:
        await begin(tx, *arguments)  # type: ignore[arg-type]
        await tx.session.commit()
        written.set()
        return await asyncio.Event().wait()

    monkeypatch.setattr(begun_takes, "begin", begin_and_fall_silent)
    trying = asyncio.create_task(node.publish(told.key))
    await written.wait()
    trying.cancel()
    await asyncio.wait([trying])
    await node.lives.ledger.drain(5)
    assert [(row.state, row.end_reason) for row in await node.rows(told)] == [("ended", "failed")]


async def until(ready: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await ready():  # noqa: ASYNC110 - what is waited for is in rows
            await asyncio.sleep(0.02)


async def test_others_are_told_to_try_again(node: Node) -> None:
    told, stranger = await lesson(node.catalogue), await lesson(node.catalogue)
    refusals: list[tuple[object, str]] = []
    node.publishing.refused = lambda session_id, refusal: refusals.append((session_id, refusal.code))
    await dropped(node, told)
    await node.wire.cut()
    assert await node.refused(stranger.key) == RefusalCode.catalogue_away
    assert await node.refused("AAAA") == RefusalCode.catalogue_away
    second = await node.publish(told.key)
    second.packet(lecture(1)[0])
    assert await node.refused(told.key) == RefusalCode.key_in_use
    assert refusals == [(None, "catalogue_away")] * 2 + [(told.session_id, "key_in_use")]


async def test_what_the_catalogue_said_before_it_went_holds(node: Node) -> None:
    told, over = await lesson(node.catalogue), await lesson(node.catalogue)
    await dropped(node, told)
    await dropped(node, over)
    async with node.catalogue.transaction() as tx:
        await credentials.revoke(tx, told.session_id, Slot.main, now())
    await order(node.catalogue, over.session_id, "end")
    await node.publishing.known.read()
    await node.wire.cut()
    assert await node.refused(told.key) == RefusalCode.key_revoked
    assert await node.refused(over.key) == RefusalCode.session_over


async def test_the_windows_end_for_who_comes_back_too(node: Node) -> None:
    told = await lesson(node.catalogue)
    await dropped(node, told)
    await node.wire.cut()
    node.wall.later = timedelta(hours=1, minutes=29)
    (await node.publish(told.key)).ended("disconnected")
    node.wall.later = timedelta(hours=1, minutes=30, seconds=1)
    assert await node.refused(told.key) == RefusalCode.outside_window
    node.wall.later = timedelta(hours=2)
    assert await node.refused(told.key) == RefusalCode.key_expired


async def test_a_session_that_is_over_or_gone_from_here_lets_nobody_back(node: Node) -> None:
    told, gone = await lesson(node.catalogue), await lesson(node.catalogue)
    await dropped(node, told)
    await dropped(node, gone)
    node.lives.drop(node.lives.sessions[gone.session_id])
    node.lives.sessions[told.session_id].end("ended", "", "")  # said by an order, which needs no rows
    await node.wire.cut()
    assert await node.refused(told.key) == RefusalCode.session_over
    assert await node.refused(gone.key) == RefusalCode.catalogue_away


async def test_who_hears_of_a_newer_owner_lets_go(node: Node) -> None:
    told = await lesson(node.catalogue)
    await dropped(node, told)
    asked: list[int] = []

    async def is_newer(_: object, epoch: int) -> bool:
        asked.append(epoch)
        return True

    node.publishing.newer_owner = is_newer
    await node.wire.cut()
    assert await node.refused(told.key) == RefusalCode.catalogue_away
    assert asked == [1]
    assert told.session_id not in node.lives.sessions


async def test_an_owner_that_could_not_hear_that_it_is_one_no_more_ends_no_take_of_the_next(node: Node) -> None:
    told = await lesson(node.catalogue)
    await dropped(node, told)
    await node.lives.ledger.drain(5)
    await node.wire.cut()
    take = await node.publish(told.key)
    async with node.catalogue.transaction() as tx:
        epoch = await live_owner.claim(tx, told.session_id, "b", "http://b", now())
        await takes.end_older(tx, told.session_id, epoch, now())
        new = takes.NewTake(told.session_id, told.session_id, Slot.main, Protocol.rtmp, epoch)
        await takes.start(tx, new, now())
    assert await node.written(told) == [
        (1, "ended", "disconnected"),
        (2, "publishing", None),
        (3, "ended", "owner_lost"),
    ]
    assert (await node.rows(told))[2].id == take.id


async def test_a_crash_forgets_no_take_that_is_not_written_yet(
    node: Node, settings: IngestSettings, catalogue_urls: CatalogueUrls, store: ObjectStore
) -> None:
    told = await lesson(node.catalogue)
    await dropped(node, told)
    await node.lives.ledger.drain(5)
    await node.wire.cut()
    take = await node.publish(told.key)
    for packet in lecture(3):
        take.packet(packet)
    async with started(settings, catalogue_urls, node.catalogue, store) as again:  # the first says no more
        found = recovery.read_spools(again.lives)
        assert len(found) == 2
        await recovery.finish(again.lives._catalogue, again.lives, found, now())
        await again.lives.ledger.drain(5)
        rows = await again.rows(told)
        assert [(row.id == take.id, row.state, row.end_reason) for row in rows] == [
            (False, "ended", "disconnected"),
            (True, "ended", "owner_lost"),
        ]
