"""Where a live session has got to and what of it is in no store yet: all that another node needs to go on with it.

The owner notes it in Valkey with every segment, and says it when it is asked to hand the session over. Without it the
next owner would give numbers again that players have seen. Pure.
"""

from uuid import UUID

import msgspec

from ingest.events import CLOCK, HeldRun
from ingest.hls.sources import ElsewhereSource
from ingest.hls.window import WindowSegment
from ingest.live_session import LiveSession

LONGEST = 1000
"""Segments told at most: the newest. What is older and in no store yet shows as a gap until it is."""
MARGIN = 2


class TailSegment(msgspec.Struct, frozen=True, array_like=True):
    """A segment that only a spool has; `url` is of the node whose spool it is, "" when it is nowhere. Times are ticks
    of the session's line.
    """

    msn: int
    start: int
    duration: int
    init_number: int
    discontinuity: bool
    length: int
    node: str
    url: str
    held: HeldRun | None = None


class TailInit(msgspec.Struct, frozen=True, array_like=True):
    """The init that some of the segments need."""

    number: int
    muxed: bytes


class Tail(msgspec.Struct, frozen=True):
    """`next_msn` and `next_init_number` have not been given to anything."""

    session_id: UUID
    epoch: int
    next_msn: int
    next_init_number: int
    end: int
    segments: list[TailSegment]
    inits: list[TailInit]
    held: tuple[int, HeldRun] | None = None
    """What the holding picture has shown since the class was cut, and its first number; it goes on."""


_decoder = msgspec.json.Decoder(Tail)


def encode(tail: Tail) -> bytes:
    return msgspec.json.encode(tail)


def decode(data: bytes | None) -> Tail | None:
    """What another node wrote; None for what cannot be read: a node of another version may say it otherwise."""
    try:
        return _decoder.decode(data) if data else None
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def with_margin(tail: Tail) -> Tail:
    """As it may be by now, when it was noted a moment before its node fell silent."""
    return msgspec.structs.replace(
        tail, next_msn=tail.next_msn + MARGIN, next_init_number=tail.next_init_number + MARGIN
    )


def tail_of(session: LiveSession, node: str, url: str) -> Tail:
    """The session's as it is now at `node`, which answers at `url`."""
    window = session.window
    unstored = [window.segments[msn] for msn in sorted(window.unstored)[-LONGEST:]]
    needed = {segment.init_number for segment in unstored}
    newest = next((segment for segment in reversed(window.segments) if not segment.holding), None)
    held = window.held_before(window.next_msn)
    return Tail(
        session_id=session.facts.session_id,
        epoch=session.facts.epoch,
        next_msn=len(window.segments),
        next_init_number=window.newest_init.number + 1 if window.newest_init else 1,
        end=newest.end if newest else 0,
        segments=[_said(segment, node, url, window.held_before(segment.msn)) for segment in unstored],
        inits=[TailInit(number, init.muxed) for number, init in window.inits.items() if number in needed],
        held=(window.next_msn - held.segments, held) if held else None,
    )


def _said(segment: WindowSegment, node: str, url: str, held: HeldRun | None) -> TailSegment:
    if isinstance(segment.source, ElsewhereSource):
        node, url = segment.source.node, segment.source.url
    elif segment.closed and segment.source is None:
        url = ""
    return TailSegment(
        segment.msn,
        segment.start,
        segment.duration or CLOCK,
        segment.init_number,
        segment.discontinuity,
        segment.length,
        node,
        url,
        held,
    )
