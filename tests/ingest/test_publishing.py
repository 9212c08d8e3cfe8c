"""Who may publish, by the catalogue's rows: real rows, requests made by hand, clocks as they are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

import pytest

from domain.kinds import Protocol, Slot
from domain.refusals import Refusal, RefusalCode
from domain.states import SessionState, TakeState
from ingest.live_session import LiveSession
from ingest.lives import Lives
from ingest.publishing import Publishing
from ingest.settings import IngestSettings
from ingest.side_take import SideTake
from ingest.take import Publish, Take
from ingest.wish import Wish
from storage.catalogue import credentials, institute, live_owner, recordings, sessions, takes
from storage.catalogue.tables.department import Department
from storage.catalogue.tables.take import Take as TakeRow
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore
from tests.ingest.classroom import lesson, now, order
from tests.ingest.live_house import lecture
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio


@dataclass
class Request:
    """A publish as RTMP brings it."""

    key: str
    encoder: str = "OBS"
    address: str = "127.0.0.1"
    said: list[str] = field(default_factory=list)

    def close(self, code: str, description: str) -> None:
        self.said.append(f"{code} {description}")

    def catch_up(self) -> None:
        """Nothing waits."""


@pytest.fixture
async def publishing(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore
) -> AsyncIterator[tuple[Publishing, Lives]]:
    clock = asyncio.get_running_loop().time
    lives = Lives(replace(settings, dead_after_seconds=0.3, max_publishers=3), catalogue, store, clock=clock, wall=now)
    lives.ledger.start()
    made = Publishing(catalogue, lives, wall=now)
    made.ready.set()
    yield made, lives
    await lives.ledger.drain(5)
    await lives.ledger.stop()
    lives.close()


async def refused(publishing: Publishing, request: Request) -> RefusalCode:
    with pytest.raises(Refusal) as caught:
        await publishing.admit(request)
    return caught.value.code


async def rows(catalogue: Catalogue, lesson_id: object) -> list[TakeRow]:
    async with catalogue.transaction() as tx:
        return list(await takes.of_session(tx, lesson_id))  # type: ignore[arg-type]


async def test_the_first_main_take_makes_the_session_live_and_its_recording(
    publishing: tuple[Publishing, Lives], catalogue: Catalogue
) -> None:
    publisher, lives = publishing
    told = await lesson(catalogue)
    take = await publisher.admit(Request(told.key))
    assert isinstance(take, Take)
    async with catalogue.transaction() as tx:
        session = await sessions.get(tx, told.session_id)
        recording = await recordings.of_session(tx, told.session_id)
        owner = await live_owner.find(tx, told.session_id)
    assert session.state == SessionState.live
    assert recording is not None
    assert owner is not None
    assert (owner.node, owner.epoch) == ("ingest-1", 1)
    (row,) = await rows(catalogue, told.session_id)
    assert (row.id, row.state, row.encoder, row.recording_id) == (take.id, TakeState.publishing, "OBS", recording.id)
    assert lives.publishers == 1


async def test_what_an_encoder_calls_itself_keeps_no_take_from_its_end(
    publishing: tuple[Publishing, Lives], catalogue: Catalogue
) -> None:
    publisher, lives = publishing
    told = await lesson(catalogue)
    take = await publisher.admit(Request(told.key, encoder="OBS \0 Studio \ud800"))
    for packet in lecture(1):
        take.packet(packet)
    take.metadata({"encoder": "obs\0\udfff"})
    take.ended("unpublished")
    await lives.ledger.drain(5)
    (row,) = await rows(catalogue, told.session_id)
    assert (row.state, row.encoder) == (TakeState.ended, "OBS  Studio ?")


async def test_keys_that_do_not_let_in(publishing: tuple[Publishing, Lives], catalogue: Catalogue) -> None:
    publisher, lives = publishing
    told = await lesson(catalogue)
    assert await refused(publisher, Request("AAAA")) == RefusalCode.unknown_key
    other = await lesson(catalogue)
    publish = Publish(Protocol.whip, "", "127.0.0.1", Request("").close)
    with pytest.raises(Refusal, match="unknown_key"):
        await publisher.admit_wish(Wish(told.key, publish, session_id=other.session_id))
    async with catalogue.transaction() as tx:
        await credentials.revoke(tx, told.session_id, Slot.main, now())
    assert await refused(publisher, Request(told.key)) == RefusalCode.key_revoked
    over = await lesson(catalogue)
    await order(catalogue, over.session_id, "end")
    assert await refused(publisher, Request(over.key)) == RefusalCode.session_over
    assert lives.publishers == 0


async def test_a_second_encoder_is_refused_and_the_first_unharmed(
    publishing: tuple[Publishing, Lives], catalogue: Catalogue
) -> None:
    publisher, _ = publishing
    told = await lesson(catalogue)
    first = Request(told.key)
    take = await publisher.admit(first)
    assert await refused(publisher, Request(told.key)) == RefusalCode.key_in_use
    for packet in lecture(5):
        take.packet(packet)
    assert first.said == []
    assert not take.over


async def test_of_two_that_come_at_once_one_gets_in(publishing: tuple[Publishing, Lives], catalogue: Catalogue) -> None:
    publisher, lives = publishing
    told = await lesson(catalogue)
    results = await asyncio.gather(*(publisher.admit(Request(told.key)) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(result, Take) for result in results) == 1
    assert sum(isinstance(result, Refusal) for result in results) == 3
    assert len(await rows(catalogue, told.session_id)) == 1
    assert lives.publishers == 1


async def test_a_dead_encoder_is_taken_over(publishing: tuple[Publishing, Lives], catalogue: Catalogue) -> None:
    publisher, lives = publishing
    told = await lesson(catalogue)
    first = Request(told.key)
    dead = await publisher.admit(first)
    for packet in lecture(3):
        dead.packet(packet)
    await asyncio.sleep(0.4)  # the silence is the thing tested
    take = await publisher.admit(Request(told.key))
    assert dead.over
    assert "taken over" in first.said[0]
    assert lives.sessions[told.session_id].take is take
    await lives.ledger.drain(5)
    old, new = await rows(catalogue, told.session_id)
    assert (old.state, old.end_reason, new.state, new.number) == (
        TakeState.ended,
        "taken_over",
        TakeState.publishing,
        2,
    )
    assert old.recording_id == new.recording_id


async def test_a_full_node_says_so(publishing: tuple[Publishing, Lives], catalogue: Catalogue) -> None:
    publisher, _ = publishing
    for _ in range(3):
        await publisher.admit(Request((await lesson(catalogue)).key))
    assert await refused(publisher, Request((await lesson(catalogue)).key)) == RefusalCode.node_full


async def test_of_many_that_come_at_once_a_full_node_takes_as_many_as_it_has_places(
    publishing: tuple[Publishing, Lives], catalogue: Catalogue
) -> None:
    publisher, lives = publishing
    keys = [(await lesson(catalogue)).key for _ in range(6)]
    answers = await asyncio.gather(*(publisher.admit(Request(key)) for key in keys), return_exceptions=True)
    assert sum(isinstance(one, Refusal) and one.code == RefusalCode.node_full for one in answers) == 3
    assert lives.publishers == 3
    assert await refused(publisher, Request((await lesson(catalogue)).key)) == RefusalCode.node_full


async def department(catalogue: Catalogue) -> UUID:
    made = uuid4()
    async with catalogue.transaction() as tx:
        tx.session.add(Department(id=made, slug=str(made), name_zh="教务处", name_en="Academic affairs"))
    return made


@asynccontextmanager
async def node(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore, name: str, most: int
) -> AsyncIterator[tuple[Publishing, Lives]]:
    """One of several, which let in `most` of a department."""
    own = replace(settings, node=name, spool_folder=settings.spool_folder / name, max_department_publishers=most)
    lives = Lives(own, catalogue, store, clock=asyncio.get_running_loop().time, wall=now)
    lives.ledger.start()
    made = Publishing(catalogue, lives, wall=now)
    made.ready.set()
    yield made, lives
    await lives.ledger.drain(5)
    await lives.ledger.stop()
    lives.close()


async def test_a_full_department_says_so_on_every_node_and_leaves_the_others_their_room(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore
) -> None:
    ours, theirs = await department(catalogue), await department(catalogue)
    async with (
        node(settings, catalogue, store, "a", 2) as (first, lives),
        node(settings, catalogue, store, "b", 2) as (
            second,
            _,
        ),
    ):
        take = await first.admit(Request((await lesson(catalogue, department_id=ours)).key))
        await second.admit(Request((await lesson(catalogue, department_id=ours, slot=Slot.rehearsal)).key))
        late = await lesson(catalogue, department_id=ours)
        told: list[tuple[UUID | None, Refusal]] = []
        second.refused = lambda session_id, refusal: told.append((session_id, refusal))
        for door in (first, second):
            assert await refused(door, Request(late.key)) == RefusalCode.department_full
        assert [(session_id, refusal.facts) for session_id, refusal in told] == [
            (late.session_id, {"max_publishers": 2, "publishers": 2})
        ]
        assert await rows(catalogue, late.session_id) == []
        async with catalogue.transaction() as tx:
            assert (await sessions.get(tx, late.session_id)).state == SessionState.scheduled
        await second.admit(Request((await lesson(catalogue, department_id=theirs)).key))
        await second.admit(Request((await lesson(catalogue)).key))
        take.ended("unpublished")
        await lives.ledger.drain(5)
        await second.admit(Request(late.key))


async def test_a_departments_own_limit_counts_where_it_has_one(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore
) -> None:
    small, large = await department(catalogue), await department(catalogue)
    async with catalogue.transaction() as tx:
        for department_id, most in ((small, 0), (large, 2)):
            row = await institute.lock_department(tx, department_id)
            await institute.limit_publishers(tx, builders.SYSTEM, row, most)
    async with node(settings, catalogue, store, "a", 1) as (door, _):
        assert await refused(door, Request((await lesson(catalogue, department_id=small)).key)) == "department_full"
        for _ in range(2):
            await door.admit(Request((await lesson(catalogue, department_id=large)).key))
        assert await refused(door, Request((await lesson(catalogue, department_id=large)).key)) == "department_full"


async def test_of_a_departments_last_place_one_of_many_learns(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore
) -> None:
    ours = await department(catalogue)
    lessons = [await lesson(catalogue, department_id=ours) for _ in range(6)]
    async with (
        node(settings, catalogue, store, "a", 1) as (first, _),
        node(settings, catalogue, store, "b", 1) as (
            second,
            _,
        ),
    ):
        doors = [(first, second)[n % 2].admit(Request(one.key)) for n, one in enumerate(lessons)]
        results = await asyncio.gather(*doors, return_exceptions=True)
    assert sum(isinstance(result, Take) for result in results) == 1
    assert [one.code for one in results if isinstance(one, Refusal)] == [RefusalCode.department_full] * 5


async def test_a_departments_dead_encoder_is_replaced_and_a_session_that_is_over_takes_no_place(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore
) -> None:
    ours = await department(catalogue)
    own = replace(settings, dead_after_seconds=0.05)
    async with node(own, catalogue, store, "a", 1) as (publisher, _):
        told = await lesson(catalogue, department_id=ours)
        await publisher.admit(Request(told.key))
        await asyncio.sleep(0.1)  # the silence is the thing tested
        await publisher.admit(Request(told.key))
        await order(catalogue, told.session_id, "end")  # its node does not hear of it: the row still publishes
        await publisher.admit(Request((await lesson(catalogue, department_id=ours)).key))


async def test_a_rehearsal_is_measured_and_leaves_nothing(
    publishing: tuple[Publishing, Lives], catalogue: Catalogue
) -> None:
    publisher, lives = publishing
    told = await lesson(catalogue, slot=Slot.rehearsal)
    side = await publisher.admit(Request(told.key))
    assert isinstance(side, SideTake)
    for packet in lecture(3):
        side.packet(packet)
    assert side.statistics.read(0.0).video_kbps > 0
    assert await refused(publisher, Request(told.key)) == RefusalCode.key_in_use
    side.ended("unpublished")
    await lives.ledger.drain(5)
    async with catalogue.transaction() as tx:
        assert (await sessions.get(tx, told.session_id)).state == SessionState.scheduled
        assert await recordings.of_session(tx, told.session_id) is None
    assert [row.end_reason for row in await rows(catalogue, told.session_id)] == ["unpublished"]
    assert list(lives.settings.spool_folder.iterdir()) == []


async def test_a_session_that_another_node_took_is_claimed_back(
    publishing: tuple[Publishing, Lives], catalogue: Catalogue
) -> None:
    publisher, lives = publishing
    told = await lesson(catalogue)
    take = await publisher.admit(Request(told.key))
    take.ended("disconnected")
    await lives.ledger.drain(5)
    async with catalogue.transaction() as tx:
        assert await live_owner.claim(tx, told.session_id, "ingest-2", "http://elsewhere", now()) == 2
    await publisher.admit(Request(told.key))
    assert lives.sessions[told.session_id].facts.epoch == 3


async def test_a_take_that_cannot_begin_does_not_shut_its_slot(
    publishing: tuple[Publishing, Lives], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, _ = publishing
    told = await lesson(catalogue)

    def fail(*_: object) -> None:
        message = "a fault of ours"
        raise RuntimeError(message)

    with monkeypatch.context() as patched:
        patched.setattr(LiveSession, "begin_take", fail)
        with pytest.raises(RuntimeError, match="a fault of ours"):
            await publisher.admit(Request(told.key))
    assert isinstance(await publisher.admit(Request(told.key)), Take)


async def test_a_take_whose_folder_cannot_be_made_begins_all_the_same(
    publishing: tuple[Publishing, Lives], catalogue: Catalogue
) -> None:
    publisher, lives = publishing
    told = await lesson(catalogue)
    lives.settings.spool_folder.rmdir()
    lives.settings.spool_folder.write_bytes(b"not a folder")
    take = await publisher.admit(Request(told.key))
    assert isinstance(take, Take)
    assert not take.spool.is_made
    take.ended("disconnected")
