"""The door to previews: `/preview/{session}/{token}/NAME`, with the names that `/live/` has, for a preview's token.

Rules of this file: what it answers is kept by nobody, here or on the way, and whoever asks is not counted as audience.
A session of another node is asked for there each time, unless another node asks here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

from domain.playback_token import PlaybackClaim
from domain.refusals import Refusal
from ingest.hls.answers import IMMUTABLE, NEVER, REVALIDATE, Answer, Scope, Send, header
from ingest.hls.preview import Preview
from ingest.hls.server import Delivery
from ingest.hls.sources import SegmentReader
from ingest.hls.viewers import Viewers
from ingest.live_session import LiveSession
from ingest.nodes.passes import HEADER as PASSED_ON

PREFIX = "/preview/"


class _Previewers(Viewers):
    """The same people with the same revocations, let in by previews alone and counted by nobody."""

    def __init__(self, viewers: Viewers) -> None:
        self._viewers = viewers

    def admit(self, token: str, session_id: UUID) -> PlaybackClaim:
        return self._viewers.admit_ahead(token, session_id)

    def is_revoked(self, claim: PlaybackClaim) -> bool:
        return self._viewers.is_revoked(claim)

    def saw(self, claim: PlaybackClaim) -> None:
        pass

    def told(self, session_id: UUID, path: str, passed_on: bytes) -> None:
        pass


class PreviewDoor(Delivery):
    """`find` gives the live session of an id, if it is here; `pass_on` asks the node that has it."""

    def __init__(
        self,
        find: Callable[[UUID], LiveSession | None],
        viewers: Viewers,
        reader: SegmentReader,
        pass_on: Callable[[UUID, Scope], Awaitable[Answer]] | None = None,
    ) -> None:
        self._previewers = _Previewers(viewers)
        super().__init__(self._ahead, self._previewers, reader)
        self._sessions = find
        self._pass_on = pass_on

    async def mounted(self, scope: Scope, _receive: object, to: Send) -> None:
        """The door as `ingest.http.Dispatch` mounts it."""
        await self(scope, to)

    async def answer(self, scope: Scope) -> Answer:
        session_id = self._of_another_node(scope)
        if session_id is not None and self._pass_on is not None:
            answer = await self._pass_on(session_id, scope)
        else:
            answer = await super().answer(scope)
        rest = (field for field in answer.headers if field not in (IMMUTABLE, REVALIDATE, NEVER))
        return replace(answer, headers=(NEVER, *rest))

    def _ahead(self, session_id: UUID) -> Preview | LiveSession | None:
        """What was never held back nor cut is seen when its audience sees it."""
        session = self._sessions(session_id)
        return session if session is None or session.window.left else session.preview or session

    def _of_another_node(self, scope: Scope) -> UUID | None:
        pieces = scope["path"].split("/")
        if len(pieces) != 5 or header(scope, PASSED_ON) is not None:
            return None
        try:
            session_id = UUID(pieces[2])
            claim = self._previewers.admit(pieces[3], session_id)
        except (ValueError, Refusal):
            return None  # said no to in due form
        shown = self._ahead(session_id)
        is_here = shown is not None and not shown.window.left
        return None if is_here or self._previewers.is_revoked(claim) else session_id
