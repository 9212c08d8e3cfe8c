"""Proves a stored recording whole: every object is read back from the store and held against the report, frame by
frame.

What the report says was counted at capture, and hashed when the bytes that had been captured, by their checksums, were
read back: it is not asked whether the store agrees with itself. What the spool's disk had spoilt by then is said there.
Checks come one by one, as they are made: a recording of hours takes minutes.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from media.counting import count
from media.malformed import MalformedMedia
from retention.report import VERSION, Row, gaps, stored_frames
from storage.catalogue.tables.evidence_reel import EvidenceReel
from storage.objects import keys
from storage.objects.faults import ObjectMissing, ObjectStoreFault
from storage.objects.store import ObjectStore


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, and what was found."""

    what: str
    found: str
    passed: bool

    def __str__(self) -> str:
        return f"{'ok  ' if self.passed else 'FAIL'}  {self.what}: {self.found}"


def examine(objects: ObjectStore, recording_id: UUID, now: Row, kept: Sequence[EvidenceReel] = ()) -> Iterator[Check]:
    """All checks of a recording of whose report the rows say `now`, and of what cuts kept back of it. Raises
    ObjectStoreUnavailable.
    """
    try:
        report = json.loads(objects.read(keys.report(recording_id)))
    except ObjectMissing:
        yield Check("report", "there is none", passed=False)
        return
    yield _report(report, now)
    if report.get("version") != VERSION or report.get("recording_id") != str(recording_id):
        return
    inits: dict[str, bytes] = {}
    for init in report["inits"]:
        content, check = _read(objects, init, f"init {init['object_key'].removeprefix(_prefix(recording_id))}")
        inits[init["object_key"]] = content
        yield check
    counted = []
    for reel in report["reels"]:
        content, check = _read(objects, reel, f"reel {reel['number']:05}")
        tracks, check = _count(reel, inits.get(reel["init"], b""), content, check)
        counted.append(reel | {"tracks": tracks})
        yield check
    for number, one in enumerate(kept, 1):
        yield _evidence(objects, one, number)
    if report["spoilt"]:
        yield _spoilt(report["spoilt"])
    yield _times(report, counted)
    stored = stored_frames(counted)
    for take in report["takes"]:
        yield _account(take, dict(stored.get(take["id"], {})))


def _prefix(recording_id: UUID) -> str:
    return f"{keys.recording_prefix(recording_id)}source/"


def _report(report: Row, now: Row) -> Check:
    """The report that lies in the store is the one that would be written now."""
    differing = [name for name, value in json.loads(json.dumps(now)).items() if report.get(name) != value]
    if differing:
        return Check("report", f"the catalogue says something else of: {', '.join(differing)}", passed=False)
    listed = {name: len(report[name]) for name in ("takes", "inits", "reels", "gaps")}
    return Check("report", ", ".join(f"{many} {name}" for name, many in listed.items()), passed=True)


def _read(objects: ObjectStore, said: Row, what: str) -> tuple[bytes, Check]:
    """An object's bytes, empty where they are not those that were captured."""
    try:
        content = objects.read(said["object_key"])
    except ObjectStoreFault as fault:
        if not isinstance(fault, ObjectMissing):
            raise
        return b"", Check(what, "is not in the store", passed=False)
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != said["sha256"] or len(content) != said["bytes"]:
        return b"", Check(what, f"{len(content)} bytes, SHA-256 {sha256}: not what was captured", passed=False)
    return content, Check(what, f"{len(content)} bytes, SHA-256 {sha256}", passed=True)


def _count(reel: Row, init: bytes, content: bytes, read: Check) -> tuple[list[Row] | None, Check]:
    """The frames of a reel that was read, and the check with them."""
    if not read.passed or not init:
        return None, read if not read.passed else Check(read.what, "its init could not be read", passed=False)
    try:
        tracks = [track.as_row() for track in count(init, [content])]
    except MalformedMedia as error:
        return None, Check(read.what, f"cannot be read: {error}", passed=False)
    found = f"{len(content)} bytes, {_frames({one['kind']: one['frames'] for one in tracks})}"
    if reel["tracks"] is None:
        return tracks, Check(read.what, f"{found}; not counted at capture", passed=True)
    if tracks != reel["tracks"]:
        return tracks, Check(read.what, f"{found}; other frames or times than were captured", passed=False)
    pauses = [f"{track['kind']} pauses {len(track['pauses'])} times" for track in tracks if track["pauses"]]
    return tracks, Check(read.what, "; ".join([found, *pauses]), passed=True)


def _evidence(objects: ObjectStore, kept: EvidenceReel, number: int) -> Check:
    """What was withheld is to be there as long as the recording is, byte for byte."""
    said = {"object_key": kept.object_key, "sha256": kept.sha256.hex(), "bytes": kept.bytes, "tracks": kept.tracks}
    content, check = _read(objects, said, f"evidence {number:05}")
    if not check.passed:
        return check
    try:
        init = objects.read(kept.init_key)
    except ObjectMissing:
        init = b""
    return _count(said, init, content, check)[1]


def _times(report: Row, counted: list[Row]) -> Check:
    """Each track goes on from reel to reel, but for the gaps that were reported."""
    wanted = [{name: value for name, value in gap.items() if name != "reasons"} for gap in report["gaps"]]
    found = [
        {name: value for name, value in gap.items() if name != "reasons"} for gap in gaps(counted, report["takes"])
    ]
    if found != wanted:
        return Check("times", f"{len(found)} gaps, not the {len(wanted)} that were reported", passed=False)
    gone = sum(gap["duration_ms"] for gap in wanted) / 1000
    gaps_said = f", but for {len(wanted)} reported {'gap' if len(wanted) == 1 else 'gaps'} of {gone:.3f} s"
    return Check("times", f"continuous{gaps_said if wanted else ''}", passed=True)


def _spoilt(stretches: list[Row]) -> Check:
    """Not as it was captured, and told so: as a gap is."""
    seconds = sum(one["duration_ms"] for one in stretches) / 1000
    harms = " or ".join(sorted({one["harm"] for one in stretches}))
    return Check(
        "spool", f"{harms} before it could be stored: {seconds:.3f} s, in {len(stretches)} places", passed=True
    )


def _account(take: Row, stored: dict[str, int]) -> Check:
    """What came of a take is stored, or was said to be of no use to anybody."""
    what, findings = f"take {take['number']}", take["findings"]
    if findings is None:
        return Check(what, f"{_frames(stored)}; how many came is not known", passed=True)
    came, dropped = findings["frames"], findings["dropped"]
    unrecorded, withheld = findings["unrecorded"]["frames"], take["withheld"] or {}
    explained = [dropped, unrecorded, withheld, stored]
    lacking = {kind: lacks for kind in came if (lacks := came[kind] - sum(one.get(kind, 0) for one in explained))}
    found = f"{_frames(came)} came, {_frames(stored)} stored"
    for frames, why in ((dropped, "before a key frame"), (withheld, "withheld"), (unrecorded, "not recorded")):
        if any(frames.values()):
            found += f", {_frames(frames)} {why}"
    if not lacking:
        return Check(what, found, passed=True)
    if take["spoilt_ms"] and all(lacks > 0 for lacks in lacking.values()):
        return Check(what, f"{found}, {_frames(lacking)} lost in the spool", passed=True)
    if take["withheld"] is None and all(lacks > 0 for lacks in lacking.values()):
        return Check(what, f"{found}, {_frames(lacking)} more: not all that was withheld has been counted", passed=True)
    return Check(what, f"{found}, {_frames(lacking)} lost", passed=False)


def _frames(by_kind: dict[str, int]) -> str:
    kinds = " and ".join(f"{many} {kind}" for kind, many in sorted(by_kind.items(), reverse=True))
    return f"{kinds} {'frame' if sum(by_kind.values()) == 1 else 'frames'}" if kinds else "no frames"
