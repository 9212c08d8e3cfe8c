"""The owner of a session that is not here, asked for something of it; and asked again when it says that it is none.

A request that was passed on is never passed on again: its header says so (`passes.py`).
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

import structlog

from ingest.nodes import passes
from ingest.nodes.owners import Owners
from ingest.nodes.upstream import NodeUnreachable, Reply, Upstream
from storage.live_hints import LiveHint

log = structlog.get_logger()

AGAIN_SECONDS = (0.0, 0.25, 0.5, 1.0)
"""A new owner is known before it has opened the session, and says until then that it has none."""


class OwnerAsked:
    """`node` is this one's name; who holds a request answers it within `hold_seconds`."""

    def __init__(
        self,
        node: str,
        secret: bytes,
        owners: Owners,
        upstream: Upstream,
        *,
        wall: Callable[[], datetime],
        hold_seconds: float,
    ) -> None:
        self._node = node
        self._secret = secret
        self._owners = owners
        self._upstream = upstream
        self._wall = wall
        self.timeout_seconds = hold_seconds + 3.0
        self.requests = 0
        """Asked of other nodes so far."""

    async def ask(
        self, session_id: UUID, path: str, query: str, headers: Iterable[tuple[bytes, bytes]], *, watching: int
    ) -> tuple[LiveHint | None, Reply | None]:
        """Whom it came to at last, None where no other node is known to own the session; and what that said, None when
        it is not reached. An owner that says it is none was asked about again in vain.
        """
        owner = await self._owners.find(session_id)
        reply = await self._ask_at(owner, session_id, path, query, headers, watching)
        for wait_seconds in AGAIN_SECONDS:
            is_opening = reply is not None and reply.status == passes.MISDIRECTED
            if reply is not None and not is_opening:
                break
            await asyncio.sleep(wait_seconds)
            newest = await self._owners.find(session_id, doubted=True)  # it may have moved a moment ago
            if newest == owner and not is_opening:
                break
            owner, reply = newest, await self._ask_at(newest, session_id, path, query, headers, watching)
        return (None if owner is None or owner.node == self._node else owner), reply

    async def _ask_at(
        self,
        owner: LiveHint | None,
        session_id: UUID,
        path: str,
        query: str,
        headers: Iterable[tuple[bytes, bytes]],
        watching: int,
    ) -> Reply | None:
        if owner is None or owner.node == self._node:
            return None
        target = f"{path}?{query}" if query else path
        passed_on = passes.made(self._secret, path, self._node, watching, self._wall())
        self.requests += 1
        try:
            return await self._upstream.get(
                owner.url, target, (passed_on, *headers), timeout_seconds=self.timeout_seconds
            )
        except NodeUnreachable as error:
            log.warning("owner_unreachable", session=str(session_id), node=owner.node, error=str(error))
            return None
