"""Who publishes at this node now, into whichever slot, and how a publisher that fell silent makes room."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from domain.admission import NodeLoad, Publisher
from domain.kinds import Slot
from ingest.disk import free_bytes
from ingest.lives import Lives
from ingest.rtmp.commands import BAD_NAME
from ingest.side_take import SideTake
from ingest.take import Publish, Take
from storage.catalogue import takes


class Publishers:
    """Main takes are their sessions' own; those of other slots are kept here."""

    def __init__(self, lives: Lives, *, wall: Callable[[], datetime]) -> None:
        self._lives = lives
        self._wall = wall
        self._side: dict[tuple[UUID, Slot], SideTake] = {}
        self._arriving = 0

    @property
    def count(self) -> int:
        """How many they are."""
        return self._lives.publishers + len(self._side)

    @property
    def load(self) -> NodeLoad:
        """What the node carries already."""
        try:
            free = free_bytes(self._lives.settings.spool_folder)
        except OSError:  # a disk that is lost has no room
            free = 0
        return NodeLoad(self.count + self._arriving, free)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Keeps the place of one that was let in until its take has begun, or it has failed: many come at once."""
        self._arriving += 1
        try:
            yield
        finally:
            self._arriving -= 1

    def current(self, session_id: UUID, slot: Slot) -> Publisher | None:
        """Who publishes there now."""
        take = self._sink(session_id, slot)
        return None if take is None else self.heard(take.silent_seconds())

    def heard(self, silent_seconds: float) -> Publisher:
        """One that has sent nothing for so long."""
        return Publisher(active=True, last_media_at=self._wall() - timedelta(seconds=silent_seconds))

    def drop_dead(self, session_id: UUID, slot: Slot) -> None:
        """A publisher that admission found dead makes room."""
        take = self._sink(session_id, slot)
        if take is not None:
            take.hang_up(BAD_NAME, "Another encoder has taken over.", "taken_over")

    def begin_side(self, session_id: UUID, slot: Slot, take_id: UUID, publish: Publish) -> SideTake:
        def ended(reason: str, refusal: str | None) -> None:
            now = self._wall()
            self._side.pop((session_id, slot), None)
            self._lives.ledger.put("take_ended", lambda tx: takes.end(tx, take_id, now, reason, refusal))

        side = self._side[session_id, slot] = SideTake(take_id, publish, self._lives.clock, ended)
        return side

    def _sink(self, session_id: UUID, slot: Slot) -> Take | SideTake | None:
        if slot != Slot.main:
            return self._side.get((session_id, slot))
        live = self._lives.find(session_id)
        return live.take if live else None
