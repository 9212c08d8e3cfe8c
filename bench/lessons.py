"""Scheduled sessions that encoders publish into, made by the catalogue's own functions."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain import ingest_key
from domain.kinds import Interaction, Release, SessionKind, Slot
from domain.states import SessionState
from lectern.clock import now
from lectern.keys import derive
from lectern.settings import Settings
from storage.catalogue import credentials, sessions
from storage.catalogue.identifiers import new_id
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Catalogue, Transaction

HOURS = 6
RETENTION_CLASS = "ordinary_teaching"


@dataclass(frozen=True)
class Lesson:
    """A scheduled session, and the key of its main slot."""

    session_id: UUID
    key: str


async def plan(catalogue: Catalogue, settings: Settings, count: int) -> list[Lesson]:
    """`count` daily sessions that begin now, each with a credential."""
    async with catalogue.transaction() as tx:
        return await add(tx, settings, count)


async def add(tx: Transaction, settings: Settings, count: int) -> list[Lesson]:
    """The same, within a transaction."""
    secret, instant = derive(settings.lectern).ingest, now()
    planned: list[Lesson] = []
    for number in range(count):
        session = Session(
            id=new_id(), kind=SessionKind.daily, interaction=Interaction.one_way, title=f"Bench {number}",
            state=SessionState.scheduled, starts_at=instant, ends_at=instant + timedelta(hours=HOURS),
            release=Release.roster_at_once, retention_class=RETENTION_CLASS,
        )  # fmt: skip
        await sessions.add(tx, [session])
        credential_id = new_id()
        key = ingest_key.derive(secret, credential_id)
        since, until = instant - timedelta(hours=1), instant + timedelta(hours=HOURS)
        new = credentials.NewCredential(credential_id, session.id, Slot.main, ingest_key.key_hash(key), since, until)
        await credentials.issue(tx, new, instant)
        planned.append(Lesson(session.id, key))
    return planned
