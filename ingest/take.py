"""A take: one publish, from its encoder's packets to its session. The sink that RTMP and WHIP hand their media to.

Rule: called on the event loop, in order, and never waits. What can go wrong here ends this take alone.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import structlog

from domain import kinds
from ingest.events import Event
from ingest.packager import Packager
from ingest.rtmp.commands import FAILED
from ingest.spool import TakeSpool
from ingest.take_statistics import TakeStatistics
from ingest.timeline import Timeline
from media.malformed import MalformedMedia
from media.packet import Packet, Track

log = structlog.get_logger()

MOST_CHANGES = 20
"""Each is a new init for all viewers, kept as long as the session is here. A browser that adapts its picture's size to
a bad line makes some."""
CHANGES_SECONDS = 60.0
CHANGES_TOO_OFTEN = f"The encoder's settings change more than {MOST_CHANGES} times a minute."


def keepable(text: str) -> str:
    """What an encoder calls itself, as rows and JSON can keep it: without NUL and halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


@dataclass(frozen=True, slots=True)
class Publish:
    """Who publishes, whatever the protocol: what a take's row and its page say, and how to hang up."""

    protocol: kinds.Protocol
    encoder: str
    address: str
    close: Callable[[str, str], None] = field(repr=False)
    """`close(code, description)`; may be called twice, and after the end."""
    catch_up: Callable[[], None] = field(default=lambda: None, repr=False)
    """Takes at once what has arrived and was not looked at yet; likewise."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "encoder", keepable(self.encoder))


class TakeSession(Protocol):
    """What a take needs of its session."""

    def accept(self, take: "Take", events: list[Event]) -> None:
        """Media that the take's packager made."""

    def take_described(self, take: "Take") -> None:
        """The take's tracks are known, or changed."""

    def take_ended(self, take: "Take", reason: str, refusal: str | None) -> None:
        """The take is over; its last media has been accepted."""


class Take:
    """`base` gives the place on the session's line for a first packet that comes now; `clock` is the loop's."""

    def __init__(
        self,
        publish: Publish,
        session: TakeSession,
        spool: TakeSpool,
        packager: Packager,
        *,
        base: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        self.id: UUID = spool.about.take_id
        self.number = spool.about.take_number
        self.publish = publish
        self.spool = spool
        self.packager = packager
        self.statistics = TakeStatistics()
        self.encoder = publish.encoder
        self.heard_at = clock()
        """When the last packet came, by the same clock; before one, when the take began."""
        self.over = False
        self.malformed = 0
        """Packets that could not be used."""
        self.unsupported_codec = ""
        """What it was ended for, where a codec was the reason."""
        self.warning: tuple[str, dict[str, str | int]] | None = None
        """What its encoder was last told to change, as (code, facts)."""
        self.timeline: Timeline | None = None
        self._session = session
        self._base = base
        self._clock = clock
        self._init_number = packager.next_init_number
        self._changes: deque[float] = deque(maxlen=MOST_CHANGES)
        # WHIP's tracks share the browser's clock (RTCP sender reports), and its pictures queue behind its sound.
        self._watches_clocks = publish.protocol == kinds.Protocol.rtmp

    @property
    def end(self) -> int:
        """Where its media ends on the session's line; 0 before any came."""
        return self.timeline.end if self.timeline else 0

    def silent_seconds(self) -> float:
        """How long nothing has come."""
        return self._clock() - self.heard_at

    def track(self, track: Track) -> None:
        """A new or changed track; encoders repeat the one they have, which says nothing."""
        if self.statistics.know(track):
            self._session.take_described(self)

    def packet(self, packet: Packet) -> None:
        if self.over:
            return
        self.heard_at = self._clock()
        if self.timeline is None:
            self.timeline = Timeline(self._base())
        try:
            placed = self.timeline.place(packet, self.heard_at if self._watches_clocks else None)
        except MalformedMedia as error:
            self.malformed += 1
            log.warning("packet_malformed", take=str(self.id), error=str(error))
            return
        self.statistics.packet(placed, self.heard_at)
        if events := self.packager.packet(placed):
            self._session.accept(self, events)
            if self.packager.next_init_number != self._init_number:
                self._init_number = self.packager.next_init_number
                self._changed()

    def _changed(self) -> None:
        """Its media goes on under a new init. An encoder that cannot settle is told, and its publish ended."""
        changes, oldest = self._changes, self.heard_at - CHANGES_SECONDS
        if len(changes) == MOST_CHANGES and changes[0] > oldest:
            log.warning("take_changes_too_often", take=str(self.id))
            self.ended("broke_rules")
            self.publish.close(FAILED, CHANGES_TOO_OFTEN)
        changes.append(self.heard_at)

    def metadata(self, metadata: Mapping[str, Any]) -> None:
        encoder = metadata.get("encoder")
        if isinstance(encoder, str) and encoder:
            self.encoder = keepable(encoder[:200])

    def warned(self, code: str, facts: Mapping[str, str | int]) -> None:
        self.warning = code, dict(facts)

    def unsupported(self, codec: str, reason: str) -> None:
        log.info("codec_unsupported", take=str(self.id), codec=codec)
        self.unsupported_codec = codec[:100]
        self.ended(reason, refusal="unsupported_codec")

    def ended(self, reason: str, refusal: str | None = None) -> None:
        """The publish is over; a second call does nothing."""
        if self.over:
            return
        self.over = True
        try:
            if events := self.packager.flush():
                self._session.accept(self, events)
        finally:  # its slot and its row are not to wait for what cannot be made or kept
            self._session.take_ended(self, str(reason), refusal)

    def hang_up(self, code: str, description: str, reason: str) -> None:
        """Ends it from our side: its media up to now is kept, its encoder told why."""
        self.publish.catch_up()
        self.ended(reason)
        self.publish.close(code, description)
