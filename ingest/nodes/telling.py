"""This node's word of itself for the pages of who runs the house: `storage.node_state`.

Rule: it never disturbs a class. A Valkey that is away is not asked twice, and is complained of by `ingest.statistics`.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import redis.asyncio
from redis.exceptions import RedisError

from ingest.hls.viewers import Viewers
from ingest.lives import Lives
from ingest.nodes.neighbours import Neighbours
from ingest.publishing import Publishing
from ingest.spool_state import spool_state
from storage import node_state
from storage.node_state import NodeState


class Telling:
    """`wall` is the clock on the wall."""

    def __init__(
        self,
        lives: Lives,
        publishing: Publishing,
        viewers: Viewers,
        neighbours: Neighbours,
        valkey: redis.asyncio.Redis,
        *,
        wall: Callable[[], datetime],
    ) -> None:
        self._lives = lives
        self._publishing = publishing
        self._viewers = viewers
        self._neighbours = neighbours
        self._valkey = valkey
        self._wall = wall

    def state(self) -> NodeState:
        """What there is to say now."""
        lives, settings = self._lives, self._lives.settings
        return NodeState(
            node=settings.node,
            at=self._wall(),
            edge=settings.edge,
            publishers=self._publishing.publishers,
            max_publishers=0 if settings.edge else settings.max_publishers,
            max_department_publishers=settings.max_department_publishers or None,
            sessions=len(lives.sessions),
            viewers=sum(self._viewers.here(one) for one in lives.sessions) + self._neighbours.viewers,
            stand_ins=self._neighbours.stand_ins,
            reels_pending=lives.uploader.pending,
            uploads_failing_since=lives.uploader.failing_since,
            disk=spool_state(lives),
            disk_free_bytes=lives.disk.free_bytes,
            disk_bytes=_size(settings.spool_folder),
        )

    async def tell(self) -> None:
        """Every `TELL_SECONDS`."""
        with suppress(RedisError, OSError):
            await node_state.tell(self._valkey, self.state())

    async def leave(self) -> None:
        """The process stops."""
        with suppress(RedisError, OSError):
            await node_state.leave(self._valkey, self._lives.settings.node)


def _size(folder: Path) -> int:
    """Of the folder's disk; 0 where it cannot be looked at."""
    try:
        return shutil.disk_usage(folder).total
    except OSError:
        return 0
