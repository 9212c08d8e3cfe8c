"""What nodes ask each other for, each request signed as orders are: to hand a session over, and a segment of its spool.

POST /node/sessions/{id}/handover/{epoch}   the session's tail; 404 where it is not here
GET  /node/sessions/{id}/publisher/{epoch}  for how many seconds its encoder has sent nothing; 404 where none publishes
GET  /node/sessions/{id}/shown/{epoch}      200 where this node shows it as its owner, else 404
GET  /node/sessions/{id}/segments/{msn}     a finished segment, muxed
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from domain.control import check
from domain.refusals import Refusal
from ingest.hls.answers import NOT_FOUND, SEGMENT, STORE_AWAY, Answer, Scope, Send, header, send
from ingest.hls.sources import ElsewhereSource, SegmentReader
from ingest.lives import Lives
from ingest.nodes import tail as tails
from ingest.nodes.moves import PREFIX, SIGNATURE, Moves
from storage.objects.faults import ObjectMissing, ObjectStoreFault


class NodeDoor:
    def __init__(
        self, secret: bytes, lives: Lives, moves: Moves, reader: SegmentReader, *, wall: Callable[[], datetime]
    ) -> None:
        self._secret = secret
        self._lives = lives
        self._moves = moves
        self._reader = reader
        self._wall = wall

    async def __call__(self, scope: Scope, _receive: object, to: Send) -> None:
        await send(await self._answer(scope), to)

    async def _answer(self, scope: Scope) -> Answer:
        path, method = scope["path"], scope["method"]
        pieces = path.removeprefix(PREFIX).split("/")
        if len(pieces) != 3 or not (pieces[2].isascii() and pieces[2].isdigit() and len(pieces[2]) < 16):
            return NOT_FOUND
        signature = (header(scope, SIGNATURE) or b"").decode("latin-1")
        try:
            check(self._secret, signature, method, path, b"", now=self._wall())
            session_id = UUID(pieces[0])
        except Refusal as refusal:
            return Answer(403, f"{refusal.code}\n".encode())
        except ValueError:
            return NOT_FOUND
        if (method, pieces[1]) == ("POST", "handover"):
            tail = self._moves.handed_over(session_id, int(pieces[2]))
            return NOT_FOUND if tail is None else Answer(200, tails.encode(tail), b"application/json")
        if (method, pieces[1]) == ("GET", "publisher"):
            return self._publisher(session_id)
        if (method, pieces[1]) == ("GET", "shown"):
            return NOT_FOUND if self._lives.find(session_id) is None else Answer(200, b"")
        if (method, pieces[1]) == ("GET", "segments"):
            return await self._segment(session_id, int(pieces[2]))
        return NOT_FOUND

    def _publisher(self, session_id: UUID) -> Answer:
        session = self._lives.find(session_id)
        if session is None or session.take is None:
            return NOT_FOUND
        return Answer(200, b"%.3f" % session.take.silent_seconds())

    async def _segment(self, session_id: UUID, msn: int) -> Answer:
        for session in (self._lives.left.get(session_id), self._lives.find(session_id)):
            segment = session.window.find(msn) if session is not None else None
            if segment is None or not segment.closed or isinstance(segment.source, ElsewhereSource):
                continue
            try:
                body = await self._reader.muxed(segment)
            except ObjectMissing:
                continue
            except ObjectStoreFault:
                return STORE_AWAY
            if body is not None:
                return Answer(200, body, SEGMENT)
        return NOT_FOUND
