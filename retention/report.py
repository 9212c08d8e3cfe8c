"""A recording's report: its takes and how they ended, its reels with their hashes and frames, its gaps, its repairs.

Made of rows alone, so the same rows give the same bytes. What it says of media was counted at capture, before anything
left for the store: `lectern recording verify` holds the store's copies against it. Evidence of a cut is not named here.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.catalogue import audit, reels, takes
from storage.catalogue.reels import Placed
from storage.catalogue.tables.recording import Recording
from storage.catalogue.tables.take import Take
from storage.catalogue.transaction import Transaction
from storage.objects import keys

Row = dict[str, Any]
"""JSON, as it stands in the report."""

VERSION = 1
LINE_HZ = 90_000
"""Ticks a second of every time that belongs to no track."""
EVIDENCE_STORED = "evidence_stored"
MOST_EVIDENCE = 1000
"""Reels of evidence that are looked at: more than 16 hours of a cut session."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A stretch of a take that a cut kept from the audience; milliseconds of the session's line."""

    take_id: str
    starts_ms: int
    ends_ms: int


async def report(tx: Transaction, recording: Recording) -> Row:
    """What `report.json` holds. Times are ISO 8601 in UTC, or milliseconds of the session's line."""
    placed = await reels.of_recording(tx, recording.id)
    rows = [_reel(one) for one in placed]
    stored, withheld = stored_frames(rows), await _withheld(tx, recording)
    return {
        "version": VERSION,
        "recording_id": str(recording.id),
        "session_id": str(recording.session_id),
        "started_at": recording.started_at.isoformat(),
        "ended_at": recording.ended_at.isoformat() if recording.ended_at else None,
        "duration_ms": recording.duration_ms,
        "bytes": recording.bytes,
        "takes": [
            _take(one, stored, withheld)
            for one in await takes.of_session(tx, recording.session_id)
            if one.recording_id is not None
        ],
        "inits": _inits(placed),
        "reels": rows,
        "gaps": gaps(rows, withheld),
    }


def stored_frames(rows: Sequence[Row]) -> dict[str, Counter[str]]:
    """By take, the frames of each kind of track that its reels hold."""
    found: dict[str, Counter[str]] = {}
    for reel in rows:
        counter = found.setdefault(reel["take_id"], Counter())
        for track in reel["tracks"] or ():
            counter[track["kind"]] += track["frames"]
    return found


def gaps(rows: Sequence[Row], withheld: Sequence[Withheld] = ()) -> list[Row]:
    """Between which reels something is missing, or does not go on where the one before ended.

    `ticks` says by how much for each kind of track that both have, in 1/90,000 s; less than nothing where what follows
    begins too early. What a track alone lacks within a reel is told with the reel.
    """
    found = []
    for before, after in zip([None, *rows], rows, strict=False):
        ticks = _ticks_between(before, after) if before else {}
        reasons = _reasons(before, after, withheld)
        if any(ticks.values()) or "not_recorded" in reasons:
            at_ms = _ends_ms(before) if before else after["starts_at_ms"]
            found.append(
                {
                    "after_reel": before["number"] if before else None,
                    "before_reel": after["number"],
                    "at_ms": at_ms,
                    "duration_ms": max(0, after["starts_at_ms"] - at_ms),
                    "ticks": ticks,
                    "reasons": reasons or ["pause"],
                }
            )
    return found


def _reasons(before: Row | None, after: Row, withheld: Sequence[Withheld]) -> list[str]:
    """Why what follows may not go on where the reel before ended; none where it ought to."""
    reasons = []
    expected = before["first_msn"] + before["segments"] if before else 0
    if after["first_msn"] != expected + after["held_segments"]:
        reasons.append("not_recorded")
    if before is None:
        return reasons
    starts_ms, ends_ms = _ends_ms(before), after["starts_at_ms"]
    sides = {before["take_id"], after["take_id"]}
    if any(one.take_id in sides and one.starts_ms < ends_ms and starts_ms < one.ends_ms for one in withheld):
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


def _ends_ms(reel: Row) -> int:
    return int(reel["starts_at_ms"] + reel["duration_ms"])


async def _withheld(tx: Transaction, recording: Recording) -> list[Withheld]:
    wanted = audit.Wanted(item_kind="recording", item_id=str(recording.id), action=EVIDENCE_STORED)
    found = []
    for entry in await audit.entries(tx, wanted, limit=MOST_EVIDENCE):
        name, starts_ms = keys.read(entry.details["object_key"]), entry.details.get("starts_at_ms")
        if name is not None and starts_ms is not None:
            found.append(Withheld(str(name.take_id), starts_ms, starts_ms + entry.details["duration_ms"]))
    return found


def _take(take: Take, stored: dict[str, Counter[str]], withheld: Sequence[Withheld]) -> Row:
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
        "withheld_ms": sum(one.ends_ms - one.starts_ms for one in withheld if one.take_id == str(take.id)),
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
