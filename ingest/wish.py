"""A wish to publish, as the doors hand it in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol as TypingProtocol
from uuid import UUID

from ingest.take import Publish


class RtmpRequest(TypingProtocol):
    """What RTMP says of a publish; `ingest.rtmp.publishing.PublishRequest` is one."""

    @property
    def key(self) -> str: ...
    @property
    def encoder(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def close(self) -> Callable[[str, str], None]: ...
    @property
    def catch_up(self) -> Callable[[], None]: ...


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish to publish, whatever the protocol. `session_id` is the session that the address names, if it names one."""

    key: str = field(repr=False)
    publish: Publish
    session_id: UUID | None = None
