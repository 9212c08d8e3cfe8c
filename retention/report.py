"""A recording's report: its takes and how they ended, its reels with their hashes and frames, its gaps, its repairs.

Made of rows alone, so the same rows give the same bytes. What it says of media was counted at capture, before anything
left for the store; what the spool's disk spoilt in between is said. `lectern recording verify` holds the store's copies
against it. Evidence of a cut is counted, not named.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from storage.catalogue import audit, evidence, reels, takes
from storage.catalogue.reels import Placed
from storage.catalogue.tables.evidence_reel import EvidenceReel
from storage.catalogue.tables.recording import Recording
from storage.catalogue.tables.take import Take
from storage.catalogue.transaction import Transaction

Row = dict[str, Any]
"""JSON, as it stands in the report."""

VERSION = 1
LINE_HZ = 90_000
"""Ticks a second of every time that belongs to no track."""
MEDIA_SPOILT = "media_spoilt"
MOST_TOLD = 1000
"""Entries of it that are looked at."""
LEAST_LOSS_MS = 1000
"""By which a take must have gone on beyond the last reel for something to be missing there: tracks end apart."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Of a take; milliseconds of the session's line."""

    take_id: str
    starts_ms: int
    ends_ms: int


@dataclass(frozen=True, slots=True, order=True)
class Spoilt:
    """A stretch of a take that was lost or damaged before it could be stored; milliseconds likewise."""

    starts_ms: int
    ends_ms: int
    take_id: str
    harm: str


async def report(tx: Transaction, recording: Recording) -> Row:
    """What `report.json` holds. Times are ISO 8601 in UTC, or milliseconds of the session's line."""
    placed = await reels.of_recording(tx, recording.id)
    rows = [_reel(one) for one in placed]
    stored, kept = stored_frames(rows), await evidence.of_recording(tx, recording.id)
    spoilt = await _spoilt(tx, recording)
    told = [
        _take(one, stored, [reel for reel in kept if reel.take_id == one.id], spoilt)
        for one in await takes.of_session(tx, recording.session_id)
        if one.recording_id is not None
    ]
    return {
        "version": VERSION,
        "recording_id": str(recording.id),
        "session_id": str(recording.session_id),
        "started_at": recording.started_at.isoformat(),
        "ended_at": recording.ended_at.isoformat() if recording.ended_at else None,
        "duration_ms": recording.duration_ms,
        "bytes": recording.bytes,
        "takes": told,
        "inits": _inits(placed),
        "reels": rows,
        "gaps": gaps(rows, told, [_withheld(one) for one in kept], spoilt),
        "spoilt": [
            {
                "take_id": one.take_id,
                "harm": one.harm,
                "at_ms": one.starts_ms,
                "duration_ms": one.ends_ms - one.starts_ms,
            }
            for one in spoilt
        ],
    }


def stored_frames(rows: Sequence[Row]) -> dict[str, Counter[str]]:
    """By take, the frames of each kind of track that its reels hold."""
    found: dict[str, Counter[str]] = {}
    for reel in rows:
        found.setdefault(reel["take_id"], Counter()).update(frames_of([reel["tracks"]]))
    return found


def frames_of(counted: Iterable[Sequence[Row] | None]) -> Counter[str]:
    """Of some reels' tracks together, by kind."""
    found: Counter[str] = Counter()
    for tracks in counted:
        for track in tracks or ():
            found[track["kind"]] += track["frames"]
    return found


def gaps(
    rows: Sequence[Row], told: Sequence[Row] = (), withheld: Sequence[Stretch] = (), spoilt: Sequence[Spoilt] = ()
) -> list[Row]:
    """Where something is missing: before the first reel, between two that do not follow each other, behind the last.
    `told` are the report's takes.

    `ticks` says by how much for each kind of track that both have, in 1/90,000 s; less than nothing where what follows
    begins too early. What a track alone lacks within a reel is told with the reel.
    """
    found, unrecorded = [], _unrecorded(told)
    for before, after in zip([None, *rows], rows, strict=False):
        ticks = _ticks_between(before, after) if before else {}
        reasons = _reasons(before, after, withheld, unrecorded)
        reasons += _harms(spoilt, _ends_ms(before), after["starts_at_ms"])
        if any(ticks.values()) or "not_recorded" in reasons:
            found.append(_gap(before, after, after["starts_at_ms"], ticks, reasons or ["pause"]))
    last = rows[-1] if rows else None
    ends_ms = max((one["findings"]["ends_at_ms"] for one in told if one["findings"]), default=0)
    if ends_ms - _ends_ms(last) > LEAST_LOSS_MS:
        kept_back = _meet(withheld, _ends_ms(last), ends_ms)
        reasons = ["not_recorded"] if _meet(unrecorded, _ends_ms(last), ends_ms) or not kept_back else []
        reasons += ["withheld"] if kept_back else []
        reasons += _harms(spoilt, _ends_ms(last), ends_ms)
        found.append(_gap(last, None, ends_ms, {}, reasons))
    return found


def _harms(spoilt: Sequence[Spoilt], starts_ms: int, ends_ms: int) -> list[str]:
    """What became of media that is not there, or not as it was."""
    return sorted({one.harm for one in spoilt if one.starts_ms < ends_ms and starts_ms < one.ends_ms})


def _gap(before: Row | None, after: Row | None, ends_ms: int, ticks: dict[str, int], reasons: list[str]) -> Row:
    at_ms = _ends_ms(before)
    return {
        "after_reel": before["number"] if before else None,
        "before_reel": after["number"] if after else None,
        "at_ms": at_ms,
        "duration_ms": max(0, ends_ms - at_ms),
        "ticks": ticks,
        "reasons": reasons,
    }


def _reasons(before: Row | None, after: Row, withheld: Sequence[Stretch], unrecorded: Sequence[Stretch]) -> list[str]:
    """Why what follows may not go on where the reel before ended; none where it ought to."""
    reasons = []
    starts_ms, ends_ms = _ends_ms(before), after["starts_at_ms"]
    expected = before["first_msn"] + before["segments"] if before else 0
    sides = {after["take_id"], before["take_id"] if before else after["take_id"]}
    theirs = [one for one in unrecorded if one.take_id in sides]
    if after["first_msn"] != expected + after["held_segments"] or _meet(theirs, starts_ms, ends_ms):
        reasons.append("not_recorded")
    if before is None:
        return reasons
    if _meet([one for one in withheld if one.take_id in sides], starts_ms, ends_ms):
        reasons.append("withheld")
    if after["take_id"] != before["take_id"]:
        reasons.append("encoder_away")
    elif after["init"] != before["init"]:
        reasons.append("tracks_changed")
    return reasons


def _ticks_between(before: Row, after: Row) -> dict[str, int]:
    ends = {one["kind"]: (one["end"], one["timescale"]) for one in before["tracks"] or ()}
    found = {}
    for track in after["tracks"] or ():
        end, timescale = ends.get(track["kind"], (None, 1))
        if end is not None and timescale == track["timescale"]:
            found[track["kind"]] = (track["start"] - end) * LINE_HZ // timescale
        elif end is not None:
            found[track["kind"]] = track["start"] * LINE_HZ // track["timescale"] - end * LINE_HZ // timescale
    return found


def _ends_ms(reel: Row | None) -> int:
    """Of none: where the session's line begins."""
    return int(reel["starts_at_ms"] + reel["duration_ms"]) if reel else 0


def _meet(stretches: Sequence[Stretch], starts_ms: int, ends_ms: int) -> bool:
    """Whether any of it lies in what is between."""
    return any(one.starts_ms < ends_ms and starts_ms < one.ends_ms for one in stretches)


def _withheld(reel: EvidenceReel) -> Stretch:
    starts_ms = reel.segments[0]["starts_at_ms"]
    return Stretch(str(reel.take_id), starts_ms, starts_ms + reel.duration_ms)


def _unrecorded(told: Sequence[Row]) -> list[Stretch]:
    """What the disk did not take."""
    return [
        Stretch(take["id"], one["at_ms"], one["at_ms"] + one["duration_ms"])
        for take in told
        if take["findings"]
        for one in take["findings"]["unrecorded"]["stretches"]
    ]


async def _spoilt(tx: Transaction, recording: Recording) -> list[Spoilt]:
    """Each is told once, though a process that died may have told it twice."""
    wanted = audit.Wanted(item_kind="recording", item_id=str(recording.id), action=MEDIA_SPOILT)
    told = [entry.details for entry in await audit.entries(tx, wanted, limit=MOST_TOLD)]
    return sorted(
        {
            Spoilt(one["starts_at_ms"], one["starts_at_ms"] + one["duration_ms"], one["take_id"], one["harm"])
            for one in told
            if not one["evidence"]
        }
    )


def _take(take: Take, stored: dict[str, Counter[str]], kept: Sequence[EvidenceReel], spoilt: Sequence[Spoilt]) -> Row:
    """`kept` is what cuts kept back of it."""
    return {
        "id": str(take.id),
        "number": take.number,
        "slot": take.slot,
        "protocol": take.protocol,
        "encoder": take.encoder,
        "video_codec": take.video_codec,
        "audio_codec": take.audio_codec,
        "width": take.width,
        "height": take.height,
        "frame_rate": take.frame_rate,
        "started_at": take.started_at.isoformat(),
        "ended_at": take.ended_at.isoformat() if take.ended_at else None,
        "end_reason": take.end_reason,
        "refusal": take.refusal,
        "findings": take.findings,
        "stored": dict(stored.get(str(take.id), {})),
        "withheld_ms": sum(one.duration_ms for one in kept),
        "spoilt_ms": sum(one.ends_ms - one.starts_ms for one in spoilt if one.take_id == str(take.id)),
        # None where some of it was not counted when it was captured.
        "withheld": None if any(one.tracks is None for one in kept) else dict(frames_of(one.tracks for one in kept)),
    }


def _inits(placed: Sequence[Placed]) -> list[Row]:
    by_id = {one.init.id: one.init for one in placed}
    return [
        {
            "take_id": str(init.take_id),
            "number": init.number,
            "object_key": init.object_key,
            "bytes": init.bytes,
            "sha256": init.sha256.hex(),
            "tracks": init.tracks,
        }
        for init in by_id.values()
    ]


def _reel(one: Placed) -> Row:
    reel = one.reel
    return {
        "number": reel.number,
        "take_id": str(reel.take_id),
        "init": one.init.object_key,
        "object_key": reel.object_key,
        "bytes": reel.bytes,
        "sha256": reel.sha256.hex(),
        "starts_at": reel.starts_at.isoformat(),
        "starts_at_ms": reel.segments[0]["starts_at_ms"],
        "duration_ms": reel.duration_ms,
        "first_msn": reel.first_msn,
        "segments": len(reel.segments),
        # The numbers before it that the holding picture had in the live playlists: nothing is missing there.
        "held_segments": reel.segments[0].get("held", {}).get("segments", 0),
        "discontinuity": reel.discontinuity,
        "tracks": reel.tracks,
    }
