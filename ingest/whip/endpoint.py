"""WHIP over HTTP (RFC 9725), a bare ASGI callable: `/whip/{session}` to publish, `/whip/{session}/{resource}` to go on.

Rule: HTTP only. Who may publish is the handler's to say, what an offer holds is `offer.py`'s and `choice.py`'s, the
media is the peer's.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import structlog

from domain.kinds import Protocol
from domain.refusals import Refusal, RefusalCode
from ingest.hls.answers import NEVER, Answer, Scope, Send
from ingest.rtmp.commands import DENIED
from ingest.rtmp.events import EndReason
from ingest.take import Publish
from ingest.whip import request
from ingest.whip.choice import Choice, NotAcceptable, UnsupportedCodec, choose
from ingest.whip.offer import BadOffer, read_fragment, read_offer
from ingest.whip.peer import WhipPeer
from ingest.whip.problems import FRAGMENT, RETRY_AFTER, SDP, from_refusal, not_allowed, problem, send
from ingest.whip.settings import WhipSettings
from ingest.whip.sink import PublishHandler, PublishSink
from ingest.whip.transport import NoPort
from ingest.wish import Wish

log = structlog.get_logger()

PREFIX = "/whip/"
DENIED_KEPT = 1000
"""Publishes that were ended by somebody's order are remembered, so that their pages, asking, learn not to come back."""
_PREFLIGHT = (
    (b"access-control-allow-methods", b"POST, PATCH, DELETE, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, if-match"),
    (b"access-control-max-age", b"86400"),
    (b"accept-post", SDP),
    (b"accept-patch", FRAGMENT),
)


@dataclass(frozen=True, slots=True)
class _Resource:
    """One publish's address: its session, whose key it was, and the tag of its ICE session."""

    session_id: UUID
    key_digest: bytes
    tag: str
    peer: WhipPeer
    handles: "_Handles"


class WhipEndpoint:
    """Mounted at PREFIX. `stop` ends every publish and returns when all are closed."""

    def __init__(self, settings: WhipSettings, publishes: PublishHandler) -> None:
        self._settings = settings
        self._publishes = publishes
        self._resources: dict[str, _Resource] = {}
        self._denied: deque[str] = deque(maxlen=DENIED_KEPT)

    @property
    def publishing(self) -> int:
        """Peers now, connected or about to be."""
        return len(self._resources)

    async def stop(self) -> None:
        peers = [resource.peer for resource in self._resources.values()]
        for peer in peers:
            peer.stop(EndReason.CLOSED)
        await asyncio.gather(*(peer.stopped() for peer in peers))

    async def __call__(self, scope: Scope, receive: request.Receive, to: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except request.ClientGone:
            return
        except Refusal as refusal:
            answer = from_refusal(refusal)
        except BadOffer as bad:
            answer = problem(400, "invalid_input", str(bad))
        except TimeoutError:
            answer = problem(503, "busy", "The server is too busy, try again.", headers=(RETRY_AFTER,))
        except Exception:
            log.exception("whip_failed", path_prefix=PREFIX)
            answer = problem(503, "fault", "The server failed; the fault is logged.", headers=(RETRY_AFTER,))
        await send(answer, to)

    async def _answer(self, scope: Scope, receive: request.Receive) -> Answer:
        """Raises Refusal, BadOffer, TimeoutError, ClientGone."""
        pieces = scope["path"].split("/")[2:]
        try:
            session_id = UUID(pieces[0])
        except (IndexError, ValueError):
            raise Refusal(RefusalCode.not_found) from None
        if scope["method"] == "OPTIONS":
            return Answer(204, b"", headers=_PREFLIGHT)
        if len(pieces) == 1:
            if scope["method"] != "POST":
                return not_allowed("POST, OPTIONS")
            return await self._publish(session_id, scope, receive)
        if scope["method"] not in ("PATCH", "DELETE"):
            return not_allowed("PATCH, DELETE, OPTIONS")
        if len(pieces) == 2 and pieces[1] in self._denied:
            return _denied()
        resource = self._resources.get(pieces[1]) if len(pieces) == 2 else None
        if resource is None or resource.session_id != session_id:
            raise Refusal(RefusalCode.not_found)
        if not hmac.compare_digest(resource.key_digest, _digest(_key(scope))):
            raise Refusal(RefusalCode.unknown_key)
        if scope["method"] == "DELETE":
            resource.peer.stop(EndReason.UNPUBLISHED)
            await resource.peer.stopped()
            return _denied() if resource.handles.denied else Answer(200, b"")
        return await self._trickle(resource, scope, receive)

    async def _publish(self, session_id: UUID, scope: Scope, receive: request.Receive) -> Answer:
        key = _key(scope)
        if request.media_type(scope) != SDP:
            return problem(415, "unsupported_media_type", "An offer is application/sdp.")
        offer = read_offer(await request.body(receive, self._settings.max_body_bytes, self._settings.body_seconds))
        handles = _Handles()
        publish = Publish(Protocol.whip, request.encoder(scope), request.address(scope), handles.close)
        async with asyncio.timeout(self._settings.admission_seconds):
            sink = await self._publishes.admit_wish(Wish(key, publish, session_id))
        try:
            choice = choose(offer)
        except NotAcceptable as refused:
            return _not_acceptable(refused, sink)
        return await self._begin(session_id, _digest(key), choice, sink, handles)

    async def _begin(
        self, session_id: UUID, key_digest: bytes, choice: Choice, sink: PublishSink, handles: "_Handles"
    ) -> Answer:
        """The publish is admitted: from here on every way out must tell the sink."""
        name = secrets.token_urlsafe(24)

        def gone() -> None:
            self._resources.pop(name, None)
            if handles.denied:
                self._denied.append(name)

        try:
            peer = WhipPeer(self._settings, choice, sink, gone)
        except BaseException:
            sink.ended(EndReason.CLOSED)
            raise
        tag = f'"{secrets.token_hex(8)}"'
        self._resources[name] = _Resource(session_id, key_digest, tag, peer, handles)
        try:
            answer = await peer.answer()
        except NoPort:
            peer.stop(EndReason.CLOSED)
            return problem(503, "no_port", "No port is free for media, try again.", headers=(RETRY_AFTER,))
        except BaseException:
            peer.stop(EndReason.CLOSED)
            raise
        peer.start()
        handles.belong_to(peer)
        log.info("whip_publish_accepted", session=str(session_id))
        location = f"{PREFIX}{session_id}/{name}".encode()
        headers = ((b"location", location), (b"etag", tag.encode()), (b"accept-patch", FRAGMENT), NEVER)
        return Answer(201, answer.encode(), SDP, headers)

    async def _trickle(self, resource: _Resource, scope: Scope, receive: request.Receive) -> Answer:
        """More candidates (RFC 9725 §4.3.1). A restart of ICE is not offered: 422, and the publish goes on."""
        if request.media_type(scope) != FRAGMENT:
            return problem(415, "unsupported_media_type", "A fragment is application/trickle-ice-sdpfrag.")
        content = await request.body(receive, self._settings.max_body_bytes, self._settings.body_seconds)
        tags = [tag.strip() for tag in request.text(scope, b"if-match").split(",") if tag.strip()]
        if not tags:
            raise Refusal(RefusalCode.precondition_required)
        if "*" not in tags and resource.tag not in tags:
            raise Refusal(RefusalCode.stale_version)
        fragment = read_fragment(content)
        if not resource.peer.is_same_ice(fragment):
            return problem(422, "ice_restart_unsupported", "ICE cannot be restarted here: publish anew.")
        await resource.peer.trickle(fragment)
        return Answer(204, b"")


class _Handles:
    """The publish's `close`, which the handler has before there is a peer."""

    def __init__(self) -> None:
        self._stop: Callable[[EndReason], None] | None = None
        self._wanted = False
        self.denied = False
        """Whether it was ended by an order that means this publish: to come back by itself would go against it."""

    def close(self, code: str, description: str) -> None:
        """WHIP has no words for why: the peer sees its connection end, and may ask its resource."""
        log.info("whip_close", code=code, description=description)
        self._wanted = True
        self.denied = self.denied or code == DENIED
        if self._stop is not None:
            self._stop(EndReason.CLOSED)

    def belong_to(self, peer: WhipPeer) -> None:
        self._stop = peer.stop
        if self._wanted:
            peer.stop(EndReason.CLOSED)


def _key(scope: Scope) -> str:
    """Raises Refusal (unknown_key)."""
    key = request.bearer(scope)
    if key is None:
        raise Refusal(RefusalCode.unknown_key)
    return key


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _denied() -> Answer:
    return problem(410, "publish_ended", "This publish was ended by an order.")


def _not_acceptable(refused: NotAcceptable, sink: PublishSink) -> Answer:
    """Tells the sink, whose page shows it to the instructor, and the encoder."""
    if isinstance(refused, UnsupportedCodec):
        sink.unsupported(refused.codec, refused.reason)
        sink.ended(EndReason.UNSUPPORTED)
        facts: dict[str, str | int] = {"codec": refused.codec}
        return problem(422, RefusalCode.unsupported_codec.value, refused.reason, facts)
    sink.ended(EndReason.BROKE_RULES)
    return problem(422, RefusalCode.invalid_input.value, refused.reason)
