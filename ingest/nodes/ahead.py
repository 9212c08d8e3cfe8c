"""A preview of a session that another node owns: asked of it for each reviewer, request by request, and not kept."""

from uuid import UUID

from ingest.hls.answers import NEVER, NOT_FOUND, Answer, Scope, header
from ingest.nodes import passes
from ingest.nodes.owner_asked import OwnerAsked

_PASSED = (b"content-encoding", b"content-range", b"vary", b"retry-after")
_AWAY = Answer(503, b"The server of this class does not answer.\n", headers=(NEVER, (b"retry-after", b"1")))


class Ahead:
    def __init__(self, asked: OwnerAsked) -> None:
        self._asked = asked

    async def answer(self, session_id: UUID, scope: Scope) -> Answer:
        """The owner's, which looks at the token again."""
        query = scope["query_string"].decode("latin-1")
        headers = [(name, value) for name in (b"accept-encoding", b"range") if (value := header(scope, name))]
        owner, reply = await self._asked.ask(session_id, scope["path"], query, headers, watching=0)
        if owner is None:
            return NOT_FOUND
        if reply is None or reply.status == passes.MISDIRECTED:
            return _AWAY
        passed = tuple((name, reply.headers[name]) for name in _PASSED if name in reply.headers)
        return Answer(reply.status, reply.body, reply.headers.get(b"content-type", b"text/plain"), passed)
