"""Where nginx fetches a finished segment, once for all: `/_live/{session}/{name}?{proof}`; and where one node asks
another for it on nginx's behalf.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import structlog

from ingest.hls.answers import FORBIDDEN, NOT_ALLOWED, NOT_FOUND, STORE_AWAY, Answer, Scope, Send, header, send
from ingest.hls.by_nginx import ByNginx
from ingest.hls.server import Delivery
from ingest.nodes import passes
from storage.objects.faults import ObjectMissing, ObjectStoreFault

log = structlog.get_logger()


class SegmentDoor:
    """`secret` is what nodes sign with."""

    def __init__(self, delivery: Delivery, by_nginx: ByNginx, secret: bytes, *, wall: Callable[[], datetime]) -> None:
        self._delivery = delivery
        self._by_nginx = by_nginx
        self._secret = secret
        self._wall = wall

    async def __call__(self, scope: Scope, _receive: object, to: Send) -> None:
        is_known = scope["method"] in ("GET", "HEAD")
        await send(await self._answer(scope) if is_known else NOT_ALLOWED, to, head=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope) -> Answer:
        path, passed_on = scope["path"], header(scope, passes.HEADER)
        pieces = path.split("/")
        if len(pieces) != 4:
            return NOT_FOUND
        if passed_on is None:
            may_ask = self._by_nginx.is_proven(path, scope["query_string"])
        else:
            may_ask = passes.read(self._secret, path, passed_on, self._wall()) is not None
        if not may_ask:
            return FORBIDDEN
        try:
            return await self._delivery.finished(UUID(pieces[2]), pieces[3], passed_on=passed_on is not None)
        except (ObjectMissing, ValueError):
            return NOT_FOUND
        except ObjectStoreFault as fault:
            log.warning("segment_unreadable", error=str(fault))
            return STORE_AWAY
