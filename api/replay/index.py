"""What a recording can be played from: its source reels at once, its ladder when that is whole.

A pure reading of the catalogue's rows: which renditions are listed, which segments each has and where they lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from domain.states import RecordingState
from media.counting import frame_rate
from media.sound import has_sound_beside_pictures
from storage.catalogue import evidence, ladder, recordings, reels
from storage.catalogue.reels import Placed
from storage.catalogue.tables.rendition_reel import RenditionReel
from storage.catalogue.transaction import Transaction

SOURCE = "source"
GROWING = (RecordingState.capturing,)
GONE = (RecordingState.purging, RecordingState.purged)
PLAYABLE = (RecordingState.capturing, RecordingState.stored, RecordingState.promoted)


@dataclass(frozen=True)
class ReelFile:
    """One reel of one rendition: its number in the recording, its object, its init segment, its segments' places."""

    number: int
    object_key: str
    init_key: str
    starts_at: datetime
    discontinuity: bool
    segments: Sequence[dict[str, Any]]
    width: int
    height: int
    frame_rate: float | None
    captured_under: str
    """The source's init: reels that share it have the same formats in every rendition."""
    has_sound_beside: bool = False
    """Whether it has sound beside its pictures."""


@dataclass(frozen=True)
class ReplayIndex:
    """The renditions of a recording in the order of play; `whole` when no more reels will come.

    The source stays playable for whoever began with it, but is not listed once the ladder is whole.
    """

    recording_id: UUID
    renditions: dict[str, list[ReelFile]]
    whole: bool

    @property
    def listed(self) -> list[str]:
        """What a player that begins now may choose from."""
        ladder = [name for name in self.renditions if name != SOURCE]
        return ladder or [SOURCE]

    def inits(self, rendition: str) -> list[str]:
        """Init segments of the rendition, of which one at least has every format that it has."""
        first = {one.captured_under: one.init_key for one in reversed(self.renditions[rendition])}
        return list(reversed(first.values()))

    def reel(self, rendition: str, number: int) -> ReelFile | None:
        """The rendition's reel of that number."""
        return self._by_number.get((rendition, number))

    @cached_property
    def _by_number(self) -> dict[tuple[str, int], ReelFile]:
        return {(name, one.number): one for name, files in self.renditions.items() for one in files}


async def read_index(tx: Transaction, recording_id: UUID) -> ReplayIndex | None:
    """The index as it stands; None for what is purged, being purged, or was never there."""
    recording = (await recordings.by_id(tx, [recording_id])).get(recording_id)
    if recording is None or recording.state not in PLAYABLE:
        return None
    placed = await reels.of_recording(tx, recording_id)
    whole = recording.state not in GROWING
    made: dict[str, dict[UUID, RenditionReel]] = {}
    for one in await ladder.of_recording(tx, recording_id):
        made.setdefault(one.rendition, {})[one.reel_id] = one
    renditions = {
        name: [_encoded(one, rows[one.reel.id]) for one in placed]
        for name, rows in made.items()
        if whole and placed and all(one.reel.id in rows for one in placed)
    }
    renditions[SOURCE] = [_captured(one) for one in placed]
    return ReplayIndex(recording_id, renditions, whole)


async def read_evidence(tx: Transaction, recording_id: UUID) -> ReplayIndex | None:
    """What cuts kept from the recording's audience, as it was captured; None where there is none, or no longer."""
    recording = (await recordings.by_id(tx, [recording_id])).get(recording_id)
    kept = await evidence.of_recording(tx, recording_id)
    if recording is None or recording.state in GONE or not kept:
        return None
    files = [
        ReelFile(number, one.object_key, one.init_key, one.starts_at, True, one.segments, 0, 0, None, one.init_key)
        for number, one in enumerate(kept, 1)
    ]
    return ReplayIndex(recording_id, {SOURCE: files}, whole=recording.state not in GROWING)


def _captured(placed: Placed) -> ReelFile:
    video = next((one for one in placed.init.tracks if one["kind"] == "video"), {})
    return ReelFile(
        number=placed.reel.number,
        object_key=placed.reel.object_key,
        init_key=placed.init.object_key,
        starts_at=placed.reel.starts_at,
        discontinuity=placed.reel.discontinuity,
        segments=placed.reel.segments,
        width=video.get("width", 0),
        height=video.get("height", 0),
        frame_rate=_frame_rate(placed),
        captured_under=placed.init.object_key,
        has_sound_beside=has_sound_beside_pictures([one["kind"] for one in placed.init.tracks]),
    )


def _encoded(placed: Placed, row: RenditionReel) -> ReelFile:
    return ReelFile(
        number=placed.reel.number,
        object_key=row.object_key,
        init_key=row.init_key,
        starts_at=placed.reel.starts_at,
        discontinuity=placed.reel.discontinuity,
        segments=row.segments,
        width=row.width,
        height=row.height,
        frame_rate=_frame_rate(placed),  # renditions keep the source's times
        captured_under=placed.init.object_key,
    )


def _frame_rate(placed: Placed) -> float | None:
    """Pictures a second, as they were counted at capture; None where there are none, or too few to tell."""
    for track in placed.reel.tracks or ():
        seconds = (track["end"] - track["start"]) / track["timescale"]
        if track["kind"] == "video" and seconds >= 1:
            return frame_rate(track["frames"], seconds)
    return None
