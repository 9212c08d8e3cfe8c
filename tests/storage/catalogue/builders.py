"""Rows to test with, made by the catalogue's own functions where there are any."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.kinds import Interaction, Protocol, Release, SessionKind, Slot
from domain.permissions import Scope
from domain.states import RecordingState, SessionMove, SessionState
from storage.catalogue import accounts, institute, live_owner, recordings, reels, sessions, takes
from storage.catalogue.identifiers import new_id
from storage.catalogue.tables.recording import Recording
from storage.catalogue.tables.reel import Reel
from storage.catalogue.tables.session import Session
from storage.catalogue.tables.take import Take
from storage.catalogue.transaction import Actor, Transaction

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
"""Twelve o'clock in Beijing, a Monday."""
SYSTEM = Actor.system("test")


@dataclass(frozen=True)
class Place:
    """A department with a programme, a cohort, a teacher and a learner."""

    scope: Scope
    teacher_id: UUID
    learner_id: UUID
    cohort_id: UUID


async def place(tx: Transaction, slug: str = "one") -> Place:
    """A place of its own for each slug."""
    department = await institute.put_department(tx, slug, "教务处", "Academic affairs")
    module = await institute.put_module(tx, slug, 1, "国培计划", "National", department.id)
    programme = await institute.put_programme(tx, slug, "Programme", module.id)
    cohort = await institute.put_cohort(tx, programme.id, slug, "Cohort")
    teacher = await accounts.add(tx, f"teacher-{slug}", "王老师", None)
    learner = await accounts.add(tx, f"learner-{slug}", "李同学", None)
    await institute.enrol(tx, cohort.id, [learner.id])
    return Place(Scope(department.id, programme.id, cohort.id), teacher.id, learner.id, cohort.id)


def planned(at: Place, starts_at: datetime = NOON, **changes: Any) -> Session:
    """A scheduled daily class of two hours, not saved yet."""
    values = {
        "id": new_id(),
        "kind": SessionKind.daily,
        "interaction": Interaction.one_way,
        "title": "教育心理学 3",
        "state": SessionState.scheduled,
        "programme_id": at.scope.programme_id,
        "department_id": at.scope.department_id,
        "cohort_id": at.scope.cohort_id,
        "instructor_id": at.teacher_id,
        "responsible_id": at.teacher_id,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=2),
        "release": Release.roster_at_once,
        "retention_class": "ordinary_teaching",
    }
    return Session(**{**values, **changes})


async def session(tx: Transaction, at: Place, starts_at: datetime = NOON, **changes: Any) -> Session:
    """The same, saved."""
    made = planned(at, starts_at, **changes)
    await sessions.add(tx, [made])
    return made


async def take(tx: Transaction, of: Session, now: datetime = NOON, slot: Slot = Slot.main) -> Take:
    """A take of a node that owns the session from now on."""
    epoch = await live_owner.claim(tx, of.id, "node-1", "http://127.0.0.1:8090", now)
    new = takes.NewTake(new_id(), of.id, slot, Protocol.rtmp, epoch, encoder="test", address="127.0.0.1")
    return await takes.start(tx, new, now)


def new_reel(of: Take, init_id: UUID, first_msn: int, **changes: Any) -> reels.NewReel:
    """A reel of 10 s in two segments."""
    assert of.recording_id is not None
    values = {
        "recording_id": of.recording_id,
        "take_id": of.id,
        "init_id": init_id,
        "object_key": f"recordings/{of.recording_id}/source/{of.id}/{first_msn:05}.m4s",
        "bytes": 1_000_000,
        "sha256": first_msn.to_bytes(32, "big"),
        "duration_ms": 10_000,
        "starts_at": of.started_at + timedelta(seconds=5 * first_msn),
        "first_msn": first_msn,
        "segments": [
            {
                "msn": first_msn + n,
                "offset": n * 500_000,
                "bytes": 500_000,
                "duration_ms": 5_000,
                "independent": True,
                "starts_at_ms": 5_000 * (first_msn + n),
            }
            for n in range(2)
        ],
        "discontinuity": first_msn == 0,
        "stored_at": of.started_at + timedelta(seconds=5 * first_msn + 12),
        "verified_at": of.started_at + timedelta(seconds=5 * first_msn + 12),
    }
    return reels.NewReel(**{**values, **changes})


async def reel(tx: Transaction, of: Take, first_msn: int = 0) -> Reel:
    """A stored reel with its init."""
    init = await takes.put_init(tx, of.id, 0, f"{of.id}/init-0.mp4", bytes(32), 800, [{"kind": "video"}])
    return await reels.store(tx, new_reel(of, init.id, first_msn))


async def stored_recording(tx: Transaction, at: Place, ended_at: datetime = NOON) -> Recording:
    """A recording of a session that was live, ended at `ended_at`, with one reel."""
    live = await session(tx, at, ended_at - timedelta(hours=2))
    took = await take(tx, live, ended_at - timedelta(hours=2))
    await reel(tx, took)
    await takes.end(tx, took.id, ended_at, "unpublished")
    await sessions.move(tx, await sessions.lock(tx, live.id), SessionMove.end, ended_at, "button")
    assert took.recording_id is not None
    recording = await recordings.capture_ended(tx, took.recording_id, ended_at)
    assert recording.state == RecordingState.stored
    return recording
