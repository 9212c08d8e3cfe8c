"""Blocking playlist reload and its rules (RFC 8216bis 6.2.5.2).

A request names the segment, and perhaps the part, that the answer must show. It is held until the playlist has it; it
is wrong when it asks further ahead than could come next, and given up after three target durations.
"""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs

from ingest.hls.window import LiveWindow


class BadDirectives(Exception):  # noqa: N818 - the client's fault, answered by 400
    """What a client asked for breaks the rules; the text says which."""


@dataclass(frozen=True, slots=True)
class Directives:
    """Delivery directives of a playlist request (§6.2.5)."""

    msn: int | None = None
    part: int | None = None
    skip: bool = False

    @property
    def query(self) -> str:
        """The directives alone, always written alike."""
        said = {"_HLS_msn": self.msn, "_HLS_part": self.part, "_HLS_skip": "YES" if self.skip else None}
        return "&".join(f"{name}={value}" for name, value in said.items() if value is not None)


_NONE = Directives()
_MAX_DIGITS = 12


@lru_cache(maxsize=4096)  # all who watch ask for the same
def directives(query: bytes) -> Directives:
    """Reads a query string. Parameters of others are passed over. Raises BadDirectives."""
    if b"_HLS_" not in query:
        return _NONE
    fields = parse_qs(query.decode("latin-1"))
    msn, part = (_number(fields, name) for name in ("_HLS_msn", "_HLS_part"))
    if part is not None and msn is None:
        raise BadDirectives("_HLS_part needs _HLS_msn")
    return Directives(msn, part, fields.get("_HLS_skip", [""])[0] in ("YES", "v2"))


def wanted(window: LiveWindow, asked: Directives) -> tuple[int, int | None] | None:
    """What to hold the request for; None when nothing is. Raises BadDirectives when it is too far ahead."""
    if asked.msn is None or window.ended or window.frozen:
        return None
    msn, part = asked.msn, asked.part
    if msn > max(window.closed_count - 1, 0) + 2:
        raise BadDirectives("_HLS_msn is too far ahead")
    next_msn, next_part = window.next_part
    if part is not None and msn >= next_msn:
        ahead = part - next_part if msn == next_msn else part
        if ahead >= advance_part_limit(window.part_target_seconds):
            raise BadDirectives("_HLS_part is too far ahead")
    segment = window.find(msn)
    if part is not None and segment is not None and segment.closed and part >= len(segment.parts) and segment.in_memory:
        # A part behind the segment's last means the first of the next segment. Who waits while a cut ends the segment
        # is told of that at once instead.
        return msn + 1, 0
    return msn, part


def advance_part_limit(part_target_seconds: float) -> int:
    """How many parts ahead of the newest a client may ask for."""
    return int(-(-3 // part_target_seconds)) if part_target_seconds < 1 else 3


def _number(fields: dict[str, list[str]], name: str) -> int | None:
    text = fields.get(name, [None])[0]
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise BadDirectives(f"{name} is not a decimal number")
    return int(text)
