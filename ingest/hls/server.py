"""LL-HLS to viewers: a bare ASGI callable. Everything at the live edge is answered from memory, made once for all.

`/live/{session}/{token}/NAME`, where NAME is index.m3u8, main.m3u8, audio.m3u8, init-N.mp4, seg-MSN.m4s, part-
MSN.N.m4s, or the audio rendition's with `audio-` before. The token is all that differs between viewers; it is checked
without I/O, again after a wait. A finished segment has one address, wherever it lies at the time. A session of another
node is asked for there, unless another node asks here.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from uuid import UUID

import structlog

from domain.playback_token import PlaybackClaim
from domain.refusals import Refusal, RefusalCode
from ingest.hls import answers
from ingest.hls.answers import Answer, Scope, Send
from ingest.hls.by_nginx import ByNginx
from ingest.hls.contents import Contents, Shown
from ingest.hls.familiar import Familiar, Known
from ingest.hls.found import Fetching, Filed, Found, Held, There, Waiting
from ingest.hls.names import NAME
from ingest.hls.shared import Same, Shared
from ingest.hls.sources import SegmentReader
from ingest.hls.viewers import Viewers
from ingest.nodes.elsewhere import Elsewhere, Request
from ingest.nodes.passes import HEADER as PASSED_ON
from ingest.nodes.passes import MISDIRECTED
from storage.objects.faults import ObjectMissing, ObjectStoreFault

log = structlog.get_logger()

_NOT_MINE = Answer(MISDIRECTED, b"Another node has this class.\n")
_WHOLE: Scope = {"method": "HEAD", "headers": ()}
"""Of a request without a range."""
_KEPT = (answers.IMMUTABLE, answers.REVALIDATE)
_OWN = (b"range", PASSED_ON)


class Viewing(NamedTuple):
    """One viewer's request: who, of which session, what they ask for as others do; `again` looks at it anew."""

    claim: PlaybackClaim
    session: Shown
    same: Same | None
    again: Callable[[], Found]


class Delivery:
    """`find` gives the live session of an id, if it is here; `elsewhere` answers for those of other nodes; `by_nginx`
    where that sends finished segments.
    """

    def __init__(
        self,
        find: Callable[[UUID], Shown | None],
        viewers: Viewers,
        reader: SegmentReader,
        elsewhere: Elsewhere | None = None,
        by_nginx: ByNginx | None = None,
    ) -> None:
        self._find = find
        self._viewers = viewers
        self._contents = Contents(reader, by_nginx)
        self._elsewhere = elsewhere
        self._shared: Shared[Answer | Held] = Shared()
        self.to_spool = reader.to_spool
        self.familiar = Familiar()

    async def __call__(self, scope: Scope, send: Send) -> None:
        """Answers one request; the body of a request is never read."""
        method = scope["method"]
        if method == "OPTIONS":
            answer = answers.PREFLIGHT
        elif method not in ("GET", "HEAD"):
            answer = answers.NOT_ALLOWED
        else:
            answer = await self.answer(scope)
        await answers.send(answer, send, head=method == "HEAD")

    async def answer(self, scope: Scope) -> Answer:
        """The answer to a GET, or to a HEAD as if it were one, however long it has to be waited for."""
        found = self.look(scope)
        while isinstance(found, Waiting):
            found = found.then() if await found.bell.until(found.ready, found.limit_seconds) else found.late
        return found if isinstance(found, Answer) else await self.fetched(found)

    def look(self, scope: Scope) -> Found:
        """The answer where it is known now, or how to get it."""
        pieces = scope["path"].split("/")
        if len(pieces) != 5:
            return answers.NOT_FOUND
        _, _, session_text, token, name = pieces
        try:
            session_id = UUID(session_text)
            claim = self._viewers.admit(token, session_id)
        except ValueError:
            return answers.NOT_FOUND
        except Refusal as refusal:
            return answers.GONE_TOKEN if refusal.code is RefusalCode.token_expired else answers.FORBIDDEN
        if self._viewers.is_revoked(claim):
            return answers.FORBIDDEN
        again = partial(self.look, scope)
        session = self._find(session_id)
        passed_on = answers.header(scope, PASSED_ON)
        if name.endswith(".m3u8"):
            if passed_on is None:
                self._viewers.saw(claim)
            else:
                self._viewers.told(session_id, scope["path"], passed_on)
        if session is not None and not session.window.left:
            viewing = Viewing(claim, session, _same(name, scope), again)
            return self._found(viewing, partial(self._contents.find, session, name, scope))
        if passed_on is not None:
            return _NOT_MINE
        if self._elsewhere is None:
            return answers.NOT_FOUND
        stand_in = self._elsewhere.stand_in(session_id)
        if stand_in is not None:
            viewing = Viewing(claim, stand_in, None, again)
            return self._found(viewing, partial(self._contents.find, stand_in, name, scope))
        return self._elsewhere.look(Request(claim, token, name, scope, _same(name, scope), again))

    def known(self, asked: Known, again: Callable[[], Found]) -> Answer | Waiting | None:
        """The answer to a request that was read before, where others have asked for the same; None: `look`."""
        claim, name, fields = asked
        if not self._viewers.counts(claim):
            return None
        session = self._find(claim.item_id)
        if session is None or session.window.left:
            return None if self._elsewhere is None else self._elsewhere.known(asked, again)
        same = Same(name, fields.gzip)
        found = self._shared.find(session.window, same)
        if found is None:
            return None
        if b".m3u8" in name:
            self._viewers.saw(claim)
        return found if isinstance(found, Answer) else self._waiting(Viewing(claim, session, same, again), found)

    def learn(self, data: bytes, url: bytes, scope: Scope) -> None:
        """A request of someone who is let in is read sooner next time."""
        try:
            _, _, session_text, token, _ = scope["path"].split("/")
            claim = self._viewers.admit(token, UUID(session_text))
        except (ValueError, Refusal):
            return
        self.familiar.learn(data, url, scope["headers"], claim)

    def _found(self, viewing: Viewing, find: Callable[[], There]) -> Found:
        """What `find` gives, once for all who ask for the same."""
        same, window = viewing.same, viewing.session.window
        kept = self._shared.find(window, same) if same else None
        found = kept or find()
        if isinstance(found, Filed):
            return Fetching(viewing.claim, found.fetch, found)
        if not isinstance(found, Answer | Held):
            return Fetching(viewing.claim, found)
        if same and kept is None and (isinstance(found, Held) or found.headers[0] in _KEPT):
            self._shared.keep(window, same, found)
        return self._waiting(viewing, found) if isinstance(found, Held) else found

    def _waiting(self, viewing: Viewing, held: Held) -> Waiting:
        """Who waits is looked at again afterwards."""
        session = viewing.session

        def then() -> Found:
            if self._viewers.is_revoked(viewing.claim):
                return answers.FORBIDDEN
            return viewing.again() if session.window.left else self._found(viewing, held.then)

        return Waiting(session.bell, held.ready, 3.0 * session.settings.segment_max_seconds, then, held.late)

    async def fetched(self, fetching: "Fetching") -> Answer:
        """What had to be read, or asked of another node."""
        try:
            answer = await fetching.fetch()
        except ObjectMissing:
            answer = answers.NOT_FOUND
        except ObjectStoreFault as fault:
            log.warning("segment_unreadable", error=str(fault))
            answer = answers.STORE_AWAY
        return answers.FORBIDDEN if self._viewers.is_revoked(fetching.claim) else answer

    async def finished(self, session_id: UUID, name: str, *, passed_on: bool) -> Answer:
        """A finished segment, whole, for whoever may ask for any. Raises ObjectMissing, ObjectStoreFault."""
        match = NAME.fullmatch(name)
        if match is None or match["kind"] != "seg":
            return answers.NOT_FOUND
        session = self._find(session_id)
        if session is None or session.window.left:
            if passed_on or self._elsewhere is None:
                return _NOT_MINE
            session = self._elsewhere.stand_in(session_id)
            if session is None:
                answer = await self._elsewhere.finished(session_id, match.string)
                return await self.finished(session_id, name, passed_on=False) if answer is None else answer
        found = self._contents.segment(session, match, _WHOLE)
        if isinstance(found, Answer):
            return found
        return await (found.fetch() if isinstance(found, Filed) else found())


def _same(name: str, scope: Scope) -> Same | None:
    """None where the answer is for this request alone."""
    query, headers = scope["query_string"], scope["headers"]
    if any(one in _OWN for one, _ in headers):
        return None
    text = name.encode("latin-1", "replace")
    return Same(b"%b?%b" % (text, query) if query else text, answers.takes_gzip(headers))
