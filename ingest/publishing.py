"""May this encoder publish, and if so, into what: the one door for every protocol, decided by `domain.admission`.

In order: the key's credential and session from the catalogue, who publishes there now, the rule; then the take's rows
(`begun_takes.py`). While the catalogue does not answer, who was let in here before may come back to a session that is
live here: its take's row is written later (`late_takes.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4

import msgspec
import structlog

from domain.admission import AdmissionLimits, Publisher, admit, readmit
from domain.ingest_key import key_hash
from domain.kinds import Protocol, Slot
from domain.refusals import Refusal, RefusalCode
from domain.states import SessionState
from ingest import begun_takes, late_takes, orders
from ingest.asking import Asking
from ingest.begun_takes import Begun, NewPublish
from ingest.known_keys import KnownKeys
from ingest.live_session import LiveSession
from ingest.lives import Lives
from ingest.publishers import Publishers
from ingest.reel_plan import TakeAbout
from ingest.side_take import SideTake
from ingest.spool import TakeSpool
from ingest.take import Publish, Take
from ingest.wish import RtmpRequest, Wish
from storage.catalogue import credentials, takes
from storage.catalogue.credentials import Presented
from storage.catalogue.faults import CatalogueUnavailable, StaleOwner
from storage.catalogue.transaction import Catalogue

log = structlog.get_logger()

ANSWER_SECONDS = 8.0
"""How long a publish waits for the catalogue; the doors give it ten in all (`admission_seconds`)."""
RETURN_SECONDS = 2.0
"""The same of an encoder that may come back without it."""


@dataclass(slots=True)
class _Attempt:
    """One wish on its way."""

    wish: Wish
    key: bytes
    """The key's hash."""
    seconds: float
    """How long the catalogue may take over an answer."""
    session_id: UUID | None
    """The session that the key is known to be for."""
    take_id: UUID = field(default_factory=uuid4)
    is_asked: bool = False
    """Whether the catalogue was asked to write the take's row: without an answer nobody can say whether it stands."""


class Publishing:
    """The publish handler of RTMP (`admit`) and of WHIP (`admit_wish`)."""

    def __init__(self, catalogue: Catalogue, lives: Lives, *, wall: Callable[[], datetime]) -> None:
        settings = lives.settings
        self._catalogue = catalogue
        self._asking = Asking(catalogue)
        self._lives = lives
        self._wall = wall
        self.known = KnownKeys(catalogue, lambda session_id: lives.find(session_id) is not None)
        self._limits = AdmissionLimits(
            early_seconds=settings.early_seconds,
            overrun_seconds=settings.overrun_seconds,
            dead_after_seconds=settings.dead_after_seconds,
            max_publishers=settings.max_publishers,
            max_department_publishers=settings.max_department_publishers or None,
            min_free_bytes=settings.disk_full_bytes,
        )
        self._publishers = Publishers(lives, wall=wall)
        self._doors: dict[UUID, asyncio.Lock] = {}
        self.refused: Callable[[UUID | None, Refusal], None] | None = None
        """Told of every no, with the session that the key was for, if it was for one."""
        self.silent_elsewhere: Callable[[UUID], Awaitable[float | None]] | None = None
        """For how long a session's encoder has been silent at the node that owns it; None where none publishes there.
        """
        self.newer_owner: Callable[[UUID, int], Awaitable[bool]] | None = None
        """Whether anybody has said that another node claimed a session after this epoch, the catalogue left aside."""
        self.ready = asyncio.Event()
        """Set when what an earlier process left is known: before that a session could not go on where it was."""

    @property
    def publishers(self) -> int:
        """Who publishes at this node now, rehearsals included."""
        return self._publishers.count

    async def admit(self, request: RtmpRequest) -> Take | SideTake:
        """RTMP's publishes. Raises Refusal, ObjectStoreFault."""
        publish = Publish(Protocol.rtmp, request.encoder, request.address, request.close, request.catch_up)
        return await self.admit_wish(Wish(request.key, publish))

    async def admit_wish(self, wish: Wish) -> Take | SideTake:
        """The sink of an admitted publish. Raises Refusal, ObjectStoreFault."""
        key = key_hash(wish.key)
        known = self.known.find(key)
        seconds, session_id = (RETURN_SECONDS, known.row.session_id) if known else (ANSWER_SECONDS, None)
        attempt = _Attempt(wish, key, seconds, session_id)
        try:
            return await self._by_rows(attempt)
        except CatalogueUnavailable as error:
            log.warning("publish_without_catalogue", known=known is not None, error=str(error))
            unanswered = error
        except Refusal as refusal:
            self._tell(attempt, refusal)
            raise
        except asyncio.CancelledError:
            if attempt.is_asked:
                self._end_failed(attempt.take_id)
            raise
        try:
            return await self._by_memory(attempt)
        except Refusal as refusal:
            if attempt.is_asked:
                self._end_failed(attempt.take_id)
            self._tell(attempt, refusal)
            raise refusal from unanswered

    def _tell(self, attempt: _Attempt, refusal: Refusal) -> None:
        if self.refused:
            self.refused(attempt.session_id, refusal)

    async def _by_rows(self, attempt: _Attempt) -> Take | SideTake:
        """Raises CatalogueUnavailable beside what `admit_wish` does."""
        await self._until_ready()
        presented = await self._present(attempt)
        if presented is None:
            self._decide(attempt.wish, None)
        assert presented is not None
        attempt.session_id = presented.row.session_id
        return await self._through_the_door(attempt, presented.row.session_id)

    async def _until_ready(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.ready.wait()
        except TimeoutError:
            raise CatalogueUnavailable("what was here before the start is not known yet") from None

    def _door(self, session_id: UUID) -> asyncio.Lock:
        """Of two that come at once the second sees the first."""
        return self._doors.setdefault(session_id, asyncio.Lock())

    async def _through_the_door(self, attempt: _Attempt, session_id: UUID) -> Take | SideTake:
        async with self._door(session_id):
            presented = await self._present(attempt)
            self._decide(attempt.wish, presented)
            assert presented is not None
            if presented.row.slot == Slot.main and self._lives.find(session_id) is None:
                self._decide(attempt.wish, presented, await self._publisher_elsewhere(session_id))
            with self._publishers.place():
                self._publishers.drop_dead(session_id, presented.row.slot)
                return await self._begin(attempt, presented)

    async def _present(self, attempt: _Attempt) -> Presented | None:
        presented = await self._asking.run(lambda tx: credentials.present(tx, attempt.key), attempt.seconds)
        self.known.told(attempt.key, presented)
        return presented

    async def _by_memory(self, attempt: _Attempt) -> Take:
        """Without the catalogue. Raises Refusal, OSError."""
        known = self.known.find(attempt.key)
        if known is None:
            raise Refusal(RefusalCode.catalogue_away)
        session_id, slot = known.row.session_id, known.row.slot
        async with self._door(session_id):
            live = self._lives.find(session_id)
            if live is not None and await self._is_overtaken(live):
                self._lives.drop(live)
                live = None
            facts = known.facts()
            readmit(
                known.credential(),
                replace(facts, state=SessionState.ended) if live is not None and live.ending else facts,
                self._publishers.current(session_id, slot),
                owned=live is not None,
                now=self._wall(),
                limits=self._limits,
                load=self._publishers.load,
                session_id=attempt.wish.session_id,
            )
            assert live is not None
            with self._publishers.place():
                self._publishers.drop_dead(session_id, slot)
                return await self._begin_late(attempt, known, live)

    async def _is_overtaken(self, live: LiveSession) -> bool:
        ask = self.newer_owner
        return ask is not None and await ask(live.facts.session_id, live.facts.epoch)

    async def _publisher_elsewhere(self, session_id: UUID) -> Publisher | None:
        """Who publishes into the session at the node that owns it."""
        ask = self.silent_elsewhere
        silent = await ask(session_id) if ask is not None else None
        return None if silent is None else self._publishers.heard(silent)

    def _decide(self, wish: Wish, presented: Presented | None, elsewhere: Publisher | None = None) -> None:
        """Raises Refusal."""
        current = elsewhere or (
            self._publishers.current(presented.row.session_id, presented.row.slot) if presented else None
        )
        admit(
            presented.credential() if presented else None,
            presented.facts() if presented else None,
            current,
            now=self._wall(),
            limits=self._limits,
            load=self._publishers.load,
            session_id=wish.session_id,
        )

    async def _begin(self, attempt: _Attempt, presented: Presented) -> Take | SideTake:
        row, publish, take_id = presented.row, attempt.wish.publish, attempt.take_id
        begun = await self._written(attempt, presented)
        log.info("take_began", session=str(row.session_id), take=str(take_id), slot=row.slot, protocol=publish.protocol)
        if row.slot != Slot.main or begun.recording_id is None or begun.recording_started_at is None:
            return self._publishers.begin_side(row.session_id, row.slot, take_id, publish)
        try:
            live = await self._opened(row.session_id, begun, begun.recording_id, begun.recording_started_at)
            take = await self._spooled(live, live.about_take(take_id, begun.number), publish)
        except BaseException:
            # The row says that a take publishes: whatever kept it from doing so must not shut the slot.
            self._end_failed(take_id)
            attempt.take_id, attempt.is_asked = uuid4(), False
            raise
        self.known.let_in(attempt.key, presented, begun.number)
        return take

    async def _begin_late(self, attempt: _Attempt, known: Presented, live: LiveSession) -> Take:
        """Its row is written when the catalogue is back."""
        row, publish, number = known.row, attempt.wish.publish, self.known.next_number(known.row.session_id)
        late = late_takes.said(publish, row.id, live.facts.epoch, self._wall())
        about = msgspec.structs.replace(live.about_take(attempt.take_id, number), late=late)
        take = await self._spooled(live, about, publish)
        self._lives.ledger.put("take_began", lambda tx: late_takes.write(tx, about, self._wall()))
        self.known.let_in(attempt.key, known, number)
        log.warning("take_began_late", session=str(row.session_id), take=str(take.id), protocol=publish.protocol)
        return take

    async def _spooled(self, live: LiveSession, about: TakeAbout, publish: Publish) -> Take:
        spool = await asyncio.to_thread(TakeSpool.create, self._lives.settings.spool_folder, about)
        if live.ending:  # while the disk was waited for
            spool.remove()
            raise Refusal(RefusalCode.session_over)
        return live.begin_take(publish, spool)

    def _end_failed(self, take_id: UUID) -> None:
        now = self._wall()
        self._lives.ledger.put("take_failed", lambda tx: takes.end(tx, take_id, now, "failed"))

    async def _written(self, attempt: _Attempt, presented: Presented) -> Begun:
        """The take's row stands. A session that another node claimed meanwhile is dropped here, and claimed back."""
        live = self._lives.find(presented.row.session_id)
        if live is not None:
            try:
                return await self._write(attempt, presented, live.facts.epoch)
            except StaleOwner:
                self._lives.drop(live)
        return await self._write(attempt, presented, None)

    async def _write(self, attempt: _Attempt, presented: Presented, epoch: int | None) -> Begun:
        new = NewPublish(presented, attempt.wish.publish, attempt.take_id, epoch)
        settings, now = self._lives.settings, self._wall()
        attempt.is_asked = True
        return await self._asking.run(
            lambda tx: begun_takes.begin(tx, new, settings, self._limits, now), attempt.seconds
        )

    async def _opened(self, session_id: UUID, begun: Begun, recording_id: UUID, started_at: datetime) -> LiveSession:
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
