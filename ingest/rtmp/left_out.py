"""Which track of a kind a publish takes, and which are left out (Enhanced RTMP v2, multitrack).

Rule: the first that comes stays the one for the whole publish; a message outside of multitrack is track 0. What is left
out is said once a track, and never looked into: a second track that we could not package ends nothing.
"""

from collections.abc import Sequence
from typing import Literal

from ingest.rtmp.enhanced import ExTrack
from ingest.rtmp.events import Warned

Kind = Literal["video", "audio"]
TRACKS_LEFT_OUT = "tracks_left_out"


class LeftOut:
    """Of one publish."""

    def __init__(self) -> None:
        self._taken: dict[Kind, int] = {}
        self._others: dict[Kind, set[int]] = {"video": set(), "audio": set()}
        self.pending: list[Warned] = []
        """What has not been said yet: to be emptied by who says it."""

    def takes(self, kind: Kind, number: int) -> bool:
        """Whether the track is the one."""
        if self._taken.setdefault(kind, number) == number:
            return True
        self._leave_out(kind, number)
        return False

    def first(self, kind: Kind, tracks: Sequence[ExTrack]) -> ExTrack | None:
        """The one among a message's tracks, if it is there."""
        found = None
        for track in tracks:
            if self.takes(kind, track.number):
                found = track
        return found

    def _leave_out(self, kind: Kind, number: int) -> None:
        others = self._others[kind]
        if number in others:
            return
        others.add(number)
        description = f"Only {kind} track {self._taken[kind]} is used; track {number} is left out."
        self.pending.append(Warned(TRACKS_LEFT_OUT, description, {"kind": kind, "tracks": len(others)}))
