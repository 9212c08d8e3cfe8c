"""What an RTMP connection tells its owner.

Rule: facts only, frozen; the owner decides and calls the connection back.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from ingest.rtmp.amf0 import Value
from media.packet import Packet, Track


class EndReason(StrEnum):
    """Why a publish ended, as the take's row and the instructor's page say it."""

    UNPUBLISHED = "unpublished"  # the encoder said goodbye
    DISCONNECTED = "disconnected"  # its connection went away
    SILENT = "silent"  # the connection stood, but no media came
    UNSUPPORTED = "unsupported"  # it sent what we cannot package
    BROKE_RULES = "broke_rules"  # it broke the protocol or a limit
    CLOSED = "closed"  # we ended it: kick, end, takeover, stop


@dataclass(frozen=True, slots=True)
class PublishRequested:
    """An encoder asks to publish: answer by `accept_publish` or `refuse_publish`. The key is a secret: not in repr."""

    stream_id: int
    app: str
    key: str = field(repr=False)
    encoder: str
    tc_url: str = field(repr=False)  # may hold the key too


@dataclass(frozen=True, slots=True)
class TrackConfigured:
    """A codec configuration came that differs from the one before; packets that follow belong to this track."""

    track: Track


class MediaReceived(NamedTuple):  # a hundred a second of each stream: a frozen dataclass takes thrice as long to make
    """One access unit. Its data is a view into what was received: keep it as long as needed, it never changes."""

    packet: Packet


@dataclass(frozen=True, slots=True)
class MetadataReceived:
    """onMetaData as sent. Nothing in it is to be trusted or needed."""

    metadata: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Warned:
    """The encoder was told, by `description`, what it should change; its publish goes on."""

    code: str
    description: str
    facts: dict[str, str | int]


@dataclass(frozen=True, slots=True)
class UnsupportedCodec:
    """The publish was refused for what it carries; the encoder has been told `reason`, and `PublishEnded` follows."""

    codec: str
    reason: str


@dataclass(frozen=True, slots=True)
class PublishEnded:
    """An accepted publish is over; nothing follows for it."""

    reason: EndReason


Event = PublishRequested | TrackConfigured | MediaReceived | MetadataReceived | Warned | UnsupportedCodec | PublishEnded
