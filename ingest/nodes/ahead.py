"""A preview of a session that another node owns: asked of it for each reviewer, request by request, and not kept."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import structlog

from ingest.hls.answers import NEVER, NOT_FOUND, Answer, Scope, header
from ingest.nodes import passes
from ingest.nodes.owners import Owners
from ingest.nodes.upstream import NodeUnreachable, Upstream

log = structlog.get_logger()

_PASSED = (b"content-encoding", b"content-range", b"vary", b"retry-after")
_AWAY = Answer(503, b"The server of this class does not answer.\n", headers=(NEVER, (b"retry-after", b"1")))


class Ahead:
    """`node` is this one's name; a held request is answered within `hold_seconds`."""

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
        self._timeout_seconds = hold_seconds + 3.0

    async def answer(self, session_id: UUID, scope: Scope) -> Answer:
        """The owner's, which looks at the token again."""
        answer = await self._ask(session_id, scope, doubted=False)
        if answer is None or answer.status == passes.MISDIRECTED:
            answer = await self._ask(session_id, scope, doubted=True)  # it may have moved a moment ago
        return _AWAY if answer is None or answer.status == passes.MISDIRECTED else answer

    async def _ask(self, session_id: UUID, scope: Scope, *, doubted: bool) -> Answer | None:
        """None when it is not reached."""
        owner = await self._owners.find(session_id, doubted=doubted)
        if owner is None or owner.node == self._node:
            return NOT_FOUND
        path, query = scope["path"], scope["query_string"].decode("latin-1")
        headers = [passes.made(self._secret, path, self._node, 0, self._wall())]
        headers += [(name, value) for name in (b"accept-encoding", b"range") if (value := header(scope, name))]
        target = f"{path}?{query}" if query else path
        try:
            reply = await self._upstream.get(owner.url, target, headers, timeout_seconds=self._timeout_seconds)
        except NodeUnreachable as error:
            log.warning("owner_unreachable", session=str(session_id), node=owner.node, error=str(error))
            return None
        passed = tuple((name, reply.headers[name]) for name in _PASSED if name in reply.headers)
        return Answer(reply.status, reply.body, reply.headers.get(b"content-type", b"text/plain"), passed)
