"""A take that is not the session's main one: a rehearsal, a backup, a stage. Measured for its page; nothing of it is
kept.

Recording backups and mixing stages build on this; until then a second encoder can be tried out beside the first.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from ingest.take import Publish
from ingest.take_statistics import TakeStatistics
from media.packet import Packet, Track


class SideTake:
    """The sink of such a publish; `ended` is told once."""

    def __init__(
        self,
        take_id: UUID,
        publish: Publish,
        clock: Callable[[], float],
        ended: Callable[[str, str | None], None],
    ) -> None:
        self.id = take_id
        self.publish = publish
        self.statistics = TakeStatistics()
        self.over = False
        self._clock = clock
        self._heard_at = clock()
        self._ended = ended

    def track(self, track: Track) -> None:
        self.statistics.know(track)

    def packet(self, packet: Packet) -> None:
        self._heard_at = self._clock()
        self.statistics.packet(packet, self._heard_at)

    def metadata(self, metadata: Mapping[str, Any]) -> None:
        """Nothing of it is needed."""

    def warned(self, code: str, facts: Mapping[str, str | int]) -> None:
        """The encoder's own screen says it; a side slot has no page."""

    def unsupported(self, codec: str, reason: str) -> None:
        del codec
        self.ended(reason, "unsupported_codec")

    def ended(self, reason: str, refusal: str | None = None) -> None:
        if not self.over:
            self.over = True
            self._ended(str(reason), refusal)

    def hang_up(self, code: str, description: str, reason: str) -> None:
        self.ended(reason)
        self.publish.close(code, description)

    def silent_seconds(self) -> float:
        return self._clock() - self._heard_at
