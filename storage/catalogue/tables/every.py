"""Every table of the catalogue; importing this module fills `Table.metadata`. Migrations and tests need them all."""

from storage.catalogue.tables.account import Account
from storage.catalogue.tables.audit_anchor import AuditAnchor
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.tables.audit_horizon import AuditHorizon
from storage.catalogue.tables.audit_seal import AuditSeal
from storage.catalogue.tables.booking import Booking
from storage.catalogue.tables.certificate import Certificate
from storage.catalogue.tables.cohort import Cohort
from storage.catalogue.tables.cohort_member import CohortMember
from storage.catalogue.tables.course import Course
from storage.catalogue.tables.course_chapter import CourseChapter
from storage.catalogue.tables.course_question import CourseQuestion
from storage.catalogue.tables.course_reference import CourseReference
from storage.catalogue.tables.department import Department
from storage.catalogue.tables.evidence_reel import EvidenceReel
from storage.catalogue.tables.fact import FactRow
from storage.catalogue.tables.hold import Hold
from storage.catalogue.tables.idempotency_key import IdempotencyKey
from storage.catalogue.tables.ingest_credential import IngestCredential
from storage.catalogue.tables.ladder_plan import LadderPlan
from storage.catalogue.tables.live_owner import LiveOwner
from storage.catalogue.tables.module import Module
from storage.catalogue.tables.playback_withdrawal import PlaybackWithdrawal
from storage.catalogue.tables.programme import Programme
from storage.catalogue.tables.recording import Recording
from storage.catalogue.tables.reel import Reel
from storage.catalogue.tables.rendition_reel import RenditionReel
from storage.catalogue.tables.retention_class import RetentionClass
from storage.catalogue.tables.retention_notice import RetentionNotice
from storage.catalogue.tables.role_grant import RoleGrant
from storage.catalogue.tables.session import Session
from storage.catalogue.tables.sign_in import SignIn
from storage.catalogue.tables.still import Still
from storage.catalogue.tables.take import Take
from storage.catalogue.tables.take_init import TakeInit
from storage.catalogue.tables.timetable import Timetable
from storage.catalogue.tables.timetable_entry import TimetableEntry
from storage.catalogue.tables.timetable_import import TimetableImport
from storage.catalogue.tables.work import Work

EVERY = (
    Account,
    AuditAnchor,
    AuditEntry,
    AuditHorizon,
    AuditSeal,
    Booking,
    Certificate,
    Cohort,
    CohortMember,
    Course,
    CourseChapter,
    CourseQuestion,
    CourseReference,
    Department,
    EvidenceReel,
    FactRow,
    Hold,
    IdempotencyKey,
    IngestCredential,
    LadderPlan,
    LiveOwner,
    Module,
    PlaybackWithdrawal,
    Programme,
    Recording,
    Reel,
    RenditionReel,
    RetentionClass,
    RetentionNotice,
    RoleGrant,
    Session,
    SignIn,
    Still,
    Take,
    TakeInit,
    Timetable,
    TimetableEntry,
    TimetableImport,
    Work,
)

METADATA = EVERY[0].metadata
"""The whole catalogue, as migrations compare it."""
