"""What a major event must have filed (报备) before it has a place in the schedule.

Rule of this file (articles 6, 14, 15; mission R3, R13, R15): a major event runs on a task from academic affairs; its
organiser files it, and names who answers for it, who watches its content live (somebody other than who speaks), and
how long its recording is kept. Daily teaching files nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.kinds import SessionKind
from domain.refusals import Refusal, RefusalCode


@dataclass(frozen=True)
class Filing:
    """A major event as its organiser reports it; what is not said yet is None or empty."""

    title: str = ""
    summary: str = ""
    organiser: str = ""
    districts: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()
    expected_audience: int | None = None
    instructor_id: UUID | None = None
    responsible_id: UUID | None = None
    reviewer_id: UUID | None = None
    retention_class: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


_WORDS = ("title", "summary", "organiser")
_MANY = ("districts", "equipment")
_GIVEN = (
    "expected_audience",
    "instructor_id",
    "responsible_id",
    "reviewer_id",
    "retention_class",
    "starts_at",
    "ends_at",
)


def missing(filing: Filing) -> tuple[str, ...]:
    """The names of what the filing does not say yet, in the form's order of kinds."""
    return (
        *(name for name in _WORDS if not getattr(filing, name).strip()),
        *(name for name in _MANY if not any(each.strip() for each in getattr(filing, name))),
        *(name for name in _GIVEN if getattr(filing, name) in (None, "", 0)),
    )


def require_complete(filing: Filing) -> None:
    """Refusal("filing_incomplete", missing=…) or, when the speaker would review himself, Refusal("self_review")."""
    if lacking := missing(filing):
        raise Refusal(RefusalCode.filing_incomplete, missing=",".join(lacking))
    if filing.reviewer_id == filing.instructor_id:
        raise Refusal(RefusalCode.self_review, account_id=filing.reviewer_id)


def require_filed(kind: SessionKind, filing_approved_at: datetime | None) -> None:
    """Refusal("filing_missing") for a major event whose filing is not approved."""
    if kind == SessionKind.major and filing_approved_at is None:
        raise Refusal(RefusalCode.filing_missing)


def require_may_approve(organiser_ids: frozenset[UUID], approver_id: UUID) -> None:
    """Refusal("self_review") when who approves a filing is among those who filed it or answer for it."""
    if approver_id in organiser_ids:
        raise Refusal(RefusalCode.self_review, account_id=approver_id)
