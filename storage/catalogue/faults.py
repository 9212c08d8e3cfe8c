"""What can go wrong between a process and the catalogue, told apart by PostgreSQL's SQLSTATE (appendix A).

    CatalogueFault
    ├── CatalogueUnavailable   no connection, or it was lost: nothing is known to be saved; try again later
    ├── StaleOwner             a newer ingest node owns the live session: the writer must stop
    ├── RecordingGone          the recording is purged or being purged: what comes late may not stay
    └── UnkeepableValue        a column cannot hold what it was given: text with a NUL, a number too large

A conflict between transactions is no fault: `Catalogue.run` does the work again.
"""

from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

CONFLICTS = frozenset({"40001", "40P01"})
"""serialization_failure, deadlock_detected."""
GOING_AWAY = frozenset({"57P01", "57P02", "57P03", "53300"})
"""admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections."""


class CatalogueFault(Exception):  # noqa: N818 - a tree of faults, each named for what happened
    """The root of this tree."""


class CatalogueUnavailable(CatalogueFault):
    """The catalogue cannot be reached. After a lost COMMIT it is unknown whether the transaction stands."""


class StaleOwner(CatalogueFault):
    """The live session has a newer owner than the writer."""

    def __init__(self, session_id: UUID, epoch: int, current: int | None) -> None:
        super().__init__(f"session {session_id}: epoch {epoch} is over, the owner's is {current}")
        self.session_id = session_id
        self.epoch = epoch
        self.current = current


class RecordingGone(CatalogueFault):
    """Media of a recording that is purged, or being purged."""

    def __init__(self, recording_id: UUID) -> None:
        super().__init__(f"recording {recording_id} is purged")
        self.recording_id = recording_id


class UnkeepableValue(CatalogueFault):
    """A value that its column cannot hold (SQLSTATE class 22), found by the driver or the server; nothing is saved."""


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's code of an error from SQLAlchemy or psycopg, where it has one."""
    original = error.orig if isinstance(error, DBAPIError) else error
    return original.sqlstate if isinstance(original, psycopg.Error) else None


def is_conflict(error: BaseException) -> bool:
    """Whether the same work, done again from its start, may well succeed."""
    return sqlstate(error) in CONFLICTS


def is_loss(error: BaseException) -> bool:
    """Whether `error` says that the catalogue cannot be reached, rather than that it said no."""
    if isinstance(error, PoolTimeout):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    original = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(original, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    state = original.sqlstate
    return state is None or state.startswith("08") or state in GOING_AWAY
