"""What an import did, told to whoever imported and kept beside the file's digest."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from teaching.rows import LONGEST_TITLE, BadRow

MOST_CANCELLED_TOLD = 200
"""Cancelled sessions in a report; `cancelled` counts them all."""


@dataclass(frozen=True, slots=True)
class CancelledSession:
    """A class that the import calls off."""

    id: UUID
    title: str
    starts_at: datetime


@dataclass
class ImportReport:
    """Rows counted by what became of each. `past` are classes that were over and unknown, which make nothing;
    `kept` are sessions that the file no longer has, but that one of its unreadable rows may have meant.
    """

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    cancelled: int = 0
    past: int = 0
    kept: int = 0
    cancelled_sessions: list[CancelledSession] = field(default_factory=list)
    rejected: list[BadRow] = field(default_factory=list)

    def cancel(self, sessions: Collection[CancelledSession]) -> None:
        """Counts what is called off, and keeps the first of it by time."""
        self.cancelled = len(sessions)
        ordered = sorted(sessions, key=lambda one: (one.starts_at, one.title, one.id))
        self.cancelled_sessions = ordered[:MOST_CANCELLED_TOLD]

    def reject(self, rows: Iterable[BadRow]) -> None:
        """Keeps what was not taken, by number."""
        self.rejected = sorted((*self.rejected, *rows), key=lambda row: row.number)

    def counts(self) -> dict[str, int]:
        """The numbers alone."""
        return {
            "created": self.created,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "cancelled": self.cancelled,
            "past": self.past,
            "kept": self.kept,
        }

    def to_json(self) -> dict[str, Any]:
        """As it is kept and sent."""
        cancelled = [
            {"id": str(one.id), "title": one.title, "starts_at": one.starts_at.isoformat()}
            for one in self.cancelled_sessions
        ]
        rejected = [
            {"row": row.number, "title": row.title[:LONGEST_TITLE], "code": row.code.value, "detail": row.detail}
            for row in self.rejected
        ]
        return {**self.counts(), "cancelled_sessions": cancelled, "rejected": rejected}
