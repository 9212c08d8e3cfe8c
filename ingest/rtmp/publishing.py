"""What the RTMP server needs from the rest of ingest: somebody who decides publishes, and a sink for each accepted one.

Rule: a sink's methods are called in order, on the event loop, and return at once; after `ended` none is called.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ingest.rtmp.amf0 import Value
from media.packet import Packet, Track


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """Who wants to publish what, and the handle on its connection. Key and address of the stream stay out of repr.

    `close` may be called from anywhere on the loop, also from within a sink's method, at any time, twice, and after the
    end, when it does nothing.
    """

    app: str
    key: str = field(repr=False)
    encoder: str
    """What the encoder calls itself in `connect` (flashVer); onMetaData's `encoder` says it better."""
    address: str
    """The peer's IP address."""
    secure: bool
    """Whether it came by rtmps."""
    tc_url: str = field(repr=False)
    close: Callable[[str, str], None] = field(repr=False)
    """`close(code, description)`: tells the encoder why, ends the publish (`ended` follows) and hangs up."""
    catch_up: Callable[[], None] = field(repr=False)
    """Hands on what has arrived and was not read yet, before it returns: for who is about to close, or to end it. Not
    to be called from within the sink's methods.
    """


class PublishSink(Protocol):
    """Takes what one accepted publish brings."""

    def track(self, track: Track) -> None:
        """A new or changed track; packets that name it follow."""

    def packet(self, packet: Packet) -> None:
        """One access unit. Its data never changes and may be kept."""

    def metadata(self, metadata: Mapping[str, Value]) -> None:
        """onMetaData as sent: nothing in it is to be trusted."""

    def warned(self, code: str, facts: Mapping[str, str | int]) -> None:
        """The encoder was told to change something (`tracks_left_out`, `bit_rate_high`); the publish goes on."""

    def unsupported(self, codec: str, reason: str) -> None:
        """The encoder sent what cannot be packaged, and was told `reason`; `ended` follows."""

    def ended(self, reason: str) -> None:
        """The publish is over, by one of `events.EndReason`."""


class PublishHandler(Protocol):
    """Decides publishes."""

    async def admit(self, request: PublishRequest) -> PublishSink:
        """The sink of an admitted publish. Raises domain.refusals.Refusal. May be cancelled when it takes too long."""
