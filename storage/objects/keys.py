"""The name of every object in the store is built here, and read back here.

A recording's prefix holds all of the recording and nothing else: a purge is the deletion of that prefix, and
reconciliation compares prefixes with rows in both directions. So every key that belongs to a recording starts with its
prefix, and `read` knows every key that a function here can build.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

RESERVED = frozenset({"source", "evidence", "stills", "captions"})
"""Folders beside the renditions in a recording's prefix: no rendition may be called so."""

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NUMBER = r"0|[1-9][0-9]*"
_REEL = r"[0-9]{5}|[1-9][0-9]{5,}"
_STILL = r"[0-9]{9}|[1-9][0-9]{9,}"
_RENDITION = r"[a-z0-9][a-z0-9_-]{0,31}"
_LANGUAGE = r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*"  # BCP 47, the shapes that occur


class ObjectKind(StrEnum):
    """What an object is, as its key says."""

    SOURCE_INIT = "source_init"
    SOURCE_REEL = "source_reel"
    RENDITION_INIT = "rendition_init"
    RENDITION_REEL = "rendition_reel"
    EVIDENCE_INIT = "evidence_init"
    EVIDENCE_REEL = "evidence_reel"
    POSTER = "poster"
    STILL = "still"
    CAPTIONS = "captions"
    REPORT = "report"
    COURSE_INIT = "course_init"
    COURSE_REEL = "course_reel"
    COURSE_CAPTIONS = "course_captions"
    AUDIT_ANCHOR = "audit_anchor"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class ObjectName:
    """A key read back; what its kind does not have is None."""

    kind: ObjectKind
    recording_id: UUID | None = None
    course_id: UUID | None = None
    take_id: UUID | None = None
    ladder_plan_id: UUID | None = None
    rendition: str | None = None
    version: int | None = None
    number: int | None = None
    """Of an init segment within its take, of a reel within its recording (or its course's version), of a seal."""
    at_ms: int | None = None
    language: str | None = None
    probe_id: UUID | None = None


def _pattern(text: str) -> re.Pattern[str]:
    """`text` with {names} replaced by the expressions for what stands there."""
    names = {
        "recording_id": _UUID,
        "course_id": _UUID,
        "take_id": _UUID,
        "ladder_plan_id": _UUID,
        "rendition": _RENDITION,
        "version": r"[1-9][0-9]*",
        "probe_id": _UUID,
        "init": _NUMBER,
        "reel": _REEL,
        "at_ms": _STILL,
        "language": _LANGUAGE,
        "seal": r"[0-9]{12}|[1-9][0-9]{12,}",
    }
    pieces = re.split(r"\{(\w+)\}", text)
    groups = {"init": "number", "reel": "number", "seal": "number"}
    written = [
        f"(?P<{groups.get(piece, piece)}>{names[piece]})" if odd else re.escape(piece)
        for odd, piece in ((index % 2, piece) for index, piece in enumerate(pieces))
    ]
    return re.compile("".join(written))


_PATTERNS = {
    ObjectKind.SOURCE_INIT: _pattern("recordings/{recording_id}/source/{take_id}/init-{init}.mp4"),
    ObjectKind.SOURCE_REEL: _pattern("recordings/{recording_id}/source/{take_id}/{reel}.m4s"),
    ObjectKind.EVIDENCE_INIT: _pattern("recordings/{recording_id}/evidence/{take_id}/init-{init}.mp4"),
    ObjectKind.EVIDENCE_REEL: _pattern("recordings/{recording_id}/evidence/{take_id}/{reel}.m4s"),
    ObjectKind.RENDITION_INIT: _pattern(
        "recordings/{recording_id}/{rendition}/{take_id}/{ladder_plan_id}/init-{init}.mp4"
    ),
    ObjectKind.RENDITION_REEL: _pattern("recordings/{recording_id}/{rendition}/{take_id}/{ladder_plan_id}/{reel}.m4s"),
    ObjectKind.POSTER: _pattern("recordings/{recording_id}/stills/poster.jpg"),
    ObjectKind.STILL: _pattern("recordings/{recording_id}/stills/{at_ms}.jpg"),
    ObjectKind.CAPTIONS: _pattern("recordings/{recording_id}/captions/{language}.vtt"),
    ObjectKind.REPORT: _pattern("recordings/{recording_id}/report.json"),
    ObjectKind.COURSE_INIT: _pattern("courses/{course_id}/v{version}/{rendition}/init-{init}.mp4"),
    ObjectKind.COURSE_REEL: _pattern("courses/{course_id}/v{version}/{rendition}/{reel}.m4s"),
    ObjectKind.COURSE_CAPTIONS: _pattern("courses/{course_id}/v{version}/captions/{language}.vtt"),
    ObjectKind.AUDIT_ANCHOR: _pattern("audit/{seal}.json"),
    ObjectKind.PROBE: _pattern("probes/{probe_id}/probe"),
}


def recording_prefix(recording_id: UUID) -> str:
    """All of a recording, and nothing else."""
    return f"recordings/{recording_id}/"


def course_prefix(course_id: UUID) -> str:
    """All of a course, in every version."""
    return f"courses/{course_id}/"


def source_init(recording_id: UUID, take_id: UUID, number: int) -> str:
    return f"{recording_prefix(recording_id)}source/{take_id}/init-{_count(number)}.mp4"


def source_reel(recording_id: UUID, take_id: UUID, reel_number: int) -> str:
    return f"{recording_prefix(recording_id)}source/{take_id}/{_count(reel_number):05}.m4s"


def evidence_init(recording_id: UUID, take_id: UUID, number: int) -> str:
    return f"{recording_prefix(recording_id)}evidence/{take_id}/init-{_count(number)}.mp4"


def evidence_reel(recording_id: UUID, take_id: UUID, reel_number: int) -> str:
    """What a cut kept from the audience; only reviewers open it."""
    return f"{recording_prefix(recording_id)}evidence/{take_id}/{_count(reel_number):05}.m4s"


def rendition_init(recording_id: UUID, rendition: str, take_id: UUID, ladder_plan_id: UUID, number: int) -> str:
    folder = f"{recording_prefix(recording_id)}{_rendition(rendition)}/{take_id}/{ladder_plan_id}"
    return f"{folder}/init-{_count(number)}.mp4"


def rendition_reel(recording_id: UUID, rendition: str, take_id: UUID, ladder_plan_id: UUID, reel_number: int) -> str:
    """The plan's id is part of the key: a changed ladder never overwrites what players hold an address of."""
    folder = f"{recording_prefix(recording_id)}{_rendition(rendition)}/{take_id}/{ladder_plan_id}"
    return f"{folder}/{_count(reel_number):05}.m4s"


def poster(recording_id: UUID) -> str:
    return f"{recording_prefix(recording_id)}stills/poster.jpg"


def still(recording_id: UUID, at_ms: int) -> str:
    return f"{recording_prefix(recording_id)}stills/{_count(at_ms):09}.jpg"


def captions(recording_id: UUID, language: str) -> str:
    return f"{recording_prefix(recording_id)}captions/{_language(language)}.vtt"


def report(recording_id: UUID) -> str:
    """Gaps, hashes and checks of the whole recording."""
    return f"{recording_prefix(recording_id)}report.json"


def course_init(course_id: UUID, version: int, rendition: str, number: int) -> str:
    return f"{course_prefix(course_id)}v{_version(version)}/{_rendition(rendition)}/init-{_count(number)}.mp4"


def course_reel(course_id: UUID, version: int, rendition: str, reel_number: int) -> str:
    return f"{course_prefix(course_id)}v{_version(version)}/{_rendition(rendition)}/{_count(reel_number):05}.m4s"


def course_captions(course_id: UUID, version: int, language: str) -> str:
    return f"{course_prefix(course_id)}v{_version(version)}/captions/{_language(language)}.vtt"


def audit_anchor(seal_number: int) -> str:
    """The head of the audit chain at one seal, kept outside the database."""
    return f"audit/{_count(seal_number):012}.json"


def probe_prefix(probe_id: UUID) -> str:
    """Where a health check writes, so that it can delete what it wrote like anything else."""
    return f"probes/{probe_id}/"


def probe(probe_id: UUID) -> str:
    return f"{probe_prefix(probe_id)}probe"


def read(key: str) -> ObjectName | None:
    """What a key names, or None when no function here can have built it."""
    for kind, pattern in _PATTERNS.items():
        match = pattern.fullmatch(key)
        if match is None or match.groupdict().get("rendition") in RESERVED:
            continue
        found = match.groupdict()
        return ObjectName(
            kind,
            recording_id=_uuid(found.get("recording_id")),
            course_id=_uuid(found.get("course_id")),
            take_id=_uuid(found.get("take_id")),
            ladder_plan_id=_uuid(found.get("ladder_plan_id")),
            rendition=found.get("rendition"),
            version=_int(found.get("version")),
            number=_int(found.get("number")),
            at_ms=_int(found.get("at_ms")),
            language=found.get("language"),
            probe_id=_uuid(found.get("probe_id")),
        )
    return None


def recording_of(key: str) -> UUID | None:
    """The recording in whose prefix `key` lies, whether or not it is a key we would build; reconciliation asks this."""
    match = re.match(f"recordings/({_UUID})/", key)
    return UUID(match[1]) if match else None


def course_of(key: str) -> UUID | None:
    """The course in whose prefix `key` lies."""
    match = re.match(f"courses/({_UUID})/", key)
    return UUID(match[1]) if match else None


def _count(number: int) -> int:
    if number < 0:
        message = f"an object's number cannot be negative: {number}"
        raise ValueError(message)
    return number


def _version(number: int) -> int:
    if number < 1:
        message = f"a course's versions count from 1: {number}"
        raise ValueError(message)
    return number


def _rendition(name: str) -> str:
    if not re.fullmatch(_RENDITION, name) or name in RESERVED:
        message = f"not a rendition's name: {name!r}"
        raise ValueError(message)
    return name


def _language(tag: str) -> str:
    if not re.fullmatch(_LANGUAGE, tag):
        message = f"not a language tag: {tag!r}"
        raise ValueError(message)
    return tag


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text is not None else None


def _int(text: str | None) -> int | None:
    return int(text) if text is not None else None
