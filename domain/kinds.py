"""The words that classify things, one StrEnum each; the mission's glossary says what they mean.

Rule of this file: a value is stored and sent as it stands here, so it is never renamed, only added to.
"""

from enum import StrEnum, auto


class SessionKind(StrEnum):
    """Article 14: daily teaching by the timetable, or a major event on a task."""

    daily = auto()
    major = auto()


class Interaction(StrEnum):
    """Article 14: live teaching is interactive or not."""

    interactive = auto()
    one_way = auto()


class Slot(StrEnum):
    """Which of a session's inputs a take feeds."""

    main = auto()
    backup = auto()
    rehearsal = auto()
    stage = auto()


class Release(StrEnum):
    """When a recording may reach its audience."""

    roster_at_once = auto()
    after_review = auto()
    never = auto()


class Audience(StrEnum):
    """Article 13: a course for everyone, or for those of its department or programme."""

    open = auto()
    scoped = auto()


class Protocol(StrEnum):
    """How a take came in."""

    rtmp = auto()
    whip = auto()


class BookingKind(StrEnum):
    """What a session occupies while it lasts."""

    room = auto()
    instructor = auto()
    cohort = auto()
    equipment = auto()


class Role(StrEnum):
    """What an account is for the institute; the permission table says what each may do."""

    learner = auto()
    teacher = auto()
    programme_lead = auto()
    department_manager = auto()
    academic_affairs = auto()
    publicity_office = auto()
    network_centre = auto()
    inspector = auto()
    system_administrator = auto()
    security_administrator = auto()
    auditor = auto()


class ScopeKind(StrEnum):
    """How far a grant of a role reaches, widest first."""

    institute = auto()
    department = auto()
    programme = auto()
    cohort = auto()
