"""What WHIP needs from the rest of ingest: somebody who decides publishes, and a sink for each accepted one.

Rule: a sink's methods are called in order, on the event loop, and return at once; after `ended` none is called.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ingest.wish import Wish
from media.packet import Packet, Track

Clock = Callable[[], float]


class PublishSink(Protocol):
    """Takes what one accepted publish brings; `ingest.take.Take` is one."""

    def track(self, track: Track) -> None:
        """A new or changed track; packets that name it follow."""

    def packet(self, packet: Packet) -> None:
        """One access unit. Its data never changes and may be kept."""

    def metadata(self, metadata: Mapping[str, Any]) -> None:
        """What the encoder says of itself."""

    def unsupported(self, codec: str, reason: str) -> None:
        """It offers or sends what cannot be packaged, and was told `reason`; `ended` follows."""

    def ended(self, reason: str) -> None:
        """The publish is over, by one of `ingest.rtmp.events.EndReason`."""


class PublishHandler(Protocol):
    """Decides publishes; `ingest.publishing.Publishing` does."""

    async def admit_wish(self, wish: Wish) -> PublishSink:
        """The sink of an admitted publish. Raises domain.refusals.Refusal. May be cancelled when it takes too long."""
