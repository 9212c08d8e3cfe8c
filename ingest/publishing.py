"""May this encoder publish, and if so, into what: the one door for every protocol, decided by `domain.admission`.

In order: the key's credential and session from the catalogue, who publishes there now, the rule; then, in one
transaction, ownership, the take's row (and with the first main take the session's going live and its recording).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol as TypingProtocol
from uuid import UUID, uuid4

import structlog

from domain.admission import AdmissionLimits, NodeLoad, Publisher, admit, require_department_room
from domain.broadcast_delay import held_seconds, is_reviewed
from domain.ingest_key import key_hash
from domain.kinds import Protocol, Slot
from domain.refusals import Refusal, RefusalCode
from domain.states import SessionState
from ingest import orders
from ingest.disk import free_bytes
from ingest.live_session import LiveSession
from ingest.lives import Lives
from ingest.rtmp.commands import BAD_NAME
from ingest.side_take import SideTake
from ingest.spool import TakeSpool
from ingest.take import Publish, Take
from storage.catalogue import credentials, institute, live_owner, recordings, sessions, takes
from storage.catalogue.credentials import Presented
from storage.catalogue.faults import StaleOwner
from storage.catalogue.live_owner import Owner
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Catalogue, Transaction

log = structlog.get_logger()


class RtmpRequest(TypingProtocol):
    """What RTMP says of a publish; `ingest.rtmp.publishing.PublishRequest` is one."""

    @property
    def key(self) -> str: ...
    @property
    def encoder(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def close(self) -> Callable[[str, str], None]: ...
    @property
    def catch_up(self) -> Callable[[], None]: ...


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish to publish, whatever the protocol. `session_id` is the session that the address names, if it names one."""

    key: str = field(repr=False)
    publish: Publish
    session_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the catalogue says of a take that it let begin."""

    epoch: int
    number: int
    recording_id: UUID | None
    recording_started_at: datetime | None
    delay_seconds: int
    reviewed: bool
    cut: bool
    previous: Owner | None
    """Who owned the session until this claimed it."""


class Publishing:
    """The publish handler of RTMP (`admit`) and of WHIP (`admit_wish`)."""

    def __init__(self, catalogue: Catalogue, lives: Lives, *, wall: Callable[[], datetime]) -> None:
        settings = lives.settings
        self._catalogue = catalogue
        self._lives = lives
        self._wall = wall
        self._limits = AdmissionLimits(
            early_seconds=settings.early_seconds,
            overrun_seconds=settings.overrun_seconds,
            dead_after_seconds=settings.dead_after_seconds,
            max_publishers=settings.max_publishers,
            max_department_publishers=settings.max_department_publishers or None,
            min_free_bytes=settings.disk_full_bytes,
        )
        self._side: dict[tuple[UUID, Slot], SideTake] = {}
        self._doors: dict[UUID, asyncio.Lock] = {}
        self.refused: Callable[[UUID | None, Refusal], None] | None = None
        """Told of every no, with the session that the key was for, if it was for one."""
        self.silent_elsewhere: Callable[[UUID], Awaitable[float | None]] | None = None
        """For how long a session's encoder has been silent at the node that owns it; None where none publishes there.
        """
        self.ready = asyncio.Event()
        """Set when what an earlier process left is known: before that a session could not go on where it was."""

    async def admit(self, request: RtmpRequest) -> Take | SideTake:
        """RTMP's publishes. Raises Refusal, CatalogueUnavailable, ObjectStoreFault."""
        publish = Publish(Protocol.rtmp, request.encoder, request.address, request.close, request.catch_up)
        return await self.admit_wish(Wish(request.key, publish))

    async def admit_wish(self, wish: Wish) -> Take | SideTake:
        """The sink of an admitted publish. Raises Refusal, CatalogueUnavailable, ObjectStoreFault."""
        await self.ready.wait()
        presented = await self._present(wish.key)
        session_id = presented.row.session_id if presented else None
        try:
            if session_id is None:
                self._decide(wish, None)
            assert session_id is not None
            return await self._through_the_door(wish, session_id)
        except Refusal as refusal:
            if self.refused:
                self.refused(session_id, refusal)
            raise

    async def _through_the_door(self, wish: Wish, session_id: UUID) -> Take | SideTake:
        door = self._doors.setdefault(session_id, asyncio.Lock())
        async with door:  # two that come at once: the second sees the first
            presented = await self._present(wish.key)
            self._decide(wish, presented)
            assert presented is not None
            if presented.row.slot == Slot.main and self._lives.find(session_id) is None:
                self._decide(wish, presented, await self._publisher_elsewhere(session_id))
            self._drop_dead(session_id, presented.row.slot)
            return await self._begin(wish, presented)

    async def _present(self, key: str) -> Presented | None:
        return await self._catalogue.run(lambda tx: credentials.present(tx, key_hash(key)))

    async def _publisher_elsewhere(self, session_id: UUID) -> Publisher | None:
        """Who publishes into the session at the node that owns it."""
        ask = self.silent_elsewhere
        silent = await ask(session_id) if ask is not None else None
        return None if silent is None else Publisher(True, self._wall() - timedelta(seconds=silent))

    def _decide(self, wish: Wish, presented: Presented | None, elsewhere: Publisher | None = None) -> None:
        """Raises Refusal."""
        current = elsewhere or (self._current(presented.row.session_id, presented.row.slot) if presented else None)
        admit(
            presented.credential() if presented else None,
            presented.facts() if presented else None,
            current,
            now=self._wall(),
            limits=self._limits,
            load=NodeLoad(self._lives.publishers + len(self._side), free_bytes(self._lives.settings.spool_folder)),
            session_id=wish.session_id,
        )

    def _current(self, session_id: UUID, slot: Slot) -> Publisher | None:
        """Who publishes there now."""
        take = self._sink(session_id, slot)
        if take is None:
            return None
        silent = take.silent_seconds()
        return Publisher(active=True, last_media_at=self._wall() - timedelta(seconds=silent))

    def _sink(self, session_id: UUID, slot: Slot) -> Take | SideTake | None:
        if slot != Slot.main:
            return self._side.get((session_id, slot))
        live = self._lives.find(session_id)
        return live.take if live else None

    def _drop_dead(self, session_id: UUID, slot: Slot) -> None:
        """A publisher that admission found dead makes room."""
        take = self._sink(session_id, slot)
        if take is not None:
            take.hang_up(BAD_NAME, "Another encoder has taken over.", "taken_over")

    async def _begin(self, wish: Wish, presented: Presented) -> Take | SideTake:
        row, publish, take_id = presented.row, wish.publish, uuid4()
        begun = await self._written(presented, publish, take_id)
        log.info("take_began", session=str(row.session_id), take=str(take_id), slot=row.slot, protocol=publish.protocol)
        if row.slot != Slot.main or begun.recording_id is None or begun.recording_started_at is None:
            return self._begin_side(row.session_id, row.slot, take_id, publish)
        try:
            live = await self._opened(row.session_id, begun, begun.recording_id, begun.recording_started_at)
            about = live.about_take(take_id, begun.number)
            spool = await asyncio.to_thread(TakeSpool.create, self._lives.settings.spool_folder, about)
            if live.ending:  # while the disk was waited for
                spool.remove()
                raise Refusal(RefusalCode.session_over)
            return live.begin_take(publish, spool)
        except BaseException:
            # The row says that a take publishes: whatever kept it from doing so must not shut the slot.
            now = self._wall()
            self._lives.ledger.put("take_failed", lambda tx: takes.end(tx, take_id, now, "failed"))
            raise

    async def _written(self, presented: Presented, publish: Publish, take_id: UUID) -> _Begun:
        """The take's row stands. A session that another node claimed meanwhile is dropped here, and claimed back."""
        live = self._lives.find(presented.row.session_id)
        if live is not None:
            epoch = live.facts.epoch
            try:
                return await self._catalogue.run(lambda tx: self._write(tx, presented, publish, take_id, epoch))
            except StaleOwner:
                self._lives.drop(live)
        return await self._catalogue.run(lambda tx: self._write(tx, presented, publish, take_id, None))

    async def _opened(self, session_id: UUID, begun: _Begun, recording_id: UUID, started_at: datetime) -> LiveSession:
        live = await self._lives.open(
            session_id,
            recording_id,
            started_at,
            delay_seconds=begun.delay_seconds,
            reviewed=begun.reviewed,
            epoch=begun.epoch,
            cut=begun.cut,
            previous=begun.previous,
        )
        # Orders that came while it was being opened found nobody here; from here on they do.
        await orders.reconcile(self._catalogue, self._lives, [session_id])
        return live

    def _begin_side(self, session_id: UUID, slot: Slot, take_id: UUID, publish: Publish) -> SideTake:
        def ended(reason: str, refusal: str | None) -> None:
            now = self._wall()
            self._side.pop((session_id, slot), None)
            self._lives.ledger.put("take_ended", lambda tx: takes.end(tx, take_id, now, reason, refusal))

        side = self._side[session_id, slot] = SideTake(take_id, publish, self._lives.clock, ended)
        return side

    async def _require_department_room(self, tx: Transaction, session: Session, slot: Slot) -> None:
        """Raises Refusal. Of a department's last place only one encoder can come to know, on whatever node."""
        if session.department_id is None:
            return
        own_limit = await institute.max_publishers(tx, session.department_id)
        if own_limit is None and self._limits.max_department_publishers is None:
            return
        await tx.lock(f"department_publishers:{session.department_id}")
        beside = await takes.publishing_in_department(tx, session.department_id, beside=(session.id, slot))
        require_department_room(beside, own_limit, self._limits)

    async def _write(
        self, tx: Transaction, presented: Presented, publish: Publish, take_id: UUID, epoch: int | None
    ) -> _Begun:
        """The take's row. A session that is not here yet is claimed, and takes that its last owner left are ended."""
        row, now, settings = presented.row, self._wall(), self._lives.settings
        session = await sessions.lock(tx, row.session_id)
        await self._require_department_room(tx, session, row.slot)
        previous = await live_owner.find(tx, row.session_id) if epoch is None else None
        if epoch is None:
            epoch = await live_owner.claim(tx, row.session_id, settings.node, settings.control_url, now)
            await takes.end_older(tx, row.session_id, epoch, now)
        new = takes.NewTake(
            take_id, row.session_id, row.slot, publish.protocol, epoch, publish.encoder, publish.address, row.id
        )
        take = await takes.start(tx, new, now)
        recording = await recordings.of_session(tx, row.session_id) if take.recording_id else None
        return _Begun(
            epoch,
            take.number,
            take.recording_id,
            recording.started_at if recording else None,
            held_seconds(session.reviewer_id, session.delay_seconds),
            is_reviewed(session.reviewer_id, session.delay_seconds),
            session.state == SessionState.cut,
            previous,
        )
