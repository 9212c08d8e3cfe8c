"""Whether a playback token still counts, and what its recording can be played from; each asked of the catalogue once a
second at most, so that a revocation takes effect within two and a segment costs no query.

Who asks while somebody is asking waits for that answer. A recording's index is read again only when its mark changed.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from api.replay.index import ReplayIndex, read_evidence, read_index
from api.resources import Resources
from domain.playback_token import PlaybackClaim, check
from domain.refusals import Refusal, RefusalCode
from media.fragments import read_init
from media.packet import Track
from storage.catalogue import replay_mark, sign_ins
from storage.catalogue.replay_mark import ReplayMark

V = TypeVar("V")

FRESH = timedelta(seconds=1)
REMEMBERED = 2000
"""Sign-ins and inits kept in mind."""
CLAIMS = 20_000
"""Tokens kept in mind, a few hundred bytes each."""
INDEXES = 100
"""Recordings kept in mind; the index of three hours is about 2 MB."""


@dataclass
class Memory(Generic[V]):
    """What was found lately, by key; the oldest goes when there are too many."""

    most: int
    found: OrderedDict[object, tuple[datetime, V]] = field(default_factory=OrderedDict)
    asking: dict[object, "asyncio.Task[V]"] = field(default_factory=dict)

    def fresh(self, key: object, now: datetime) -> V | None:
        """What was found within FRESH; None where that was nothing, too."""
        known = self.found.get(key)
        return known[1] if known is not None and now - known[0] < FRESH else None

    async def get(self, key: object, now: datetime, find: Callable[[], Awaitable[V]]) -> V:
        """What `find` gives, asked again once it is older than FRESH."""
        known = self.found.get(key)
        if known is not None and now - known[0] < FRESH:
            return known[1]
        task = self.asking.get(key)
        if task is None:
            task = self.asking[key] = asyncio.ensure_future(self._ask(key, now, find))
            task.add_done_callback(lambda _done: self.asking.pop(key, None))
        # A viewer who goes away must not take the answer from those who wait for it too.
        return await asyncio.shield(task)

    async def _ask(self, key: object, now: datetime, find: Callable[[], Awaitable[V]]) -> V:
        value = await find()
        self.found[key] = (now, value)
        self.found.move_to_end(key)
        if len(self.found) > self.most:
            self.found.popitem(last=False)
        return value


@dataclass
class Viewing:
    """One API process's view of who may replay what."""

    resources: Resources
    open_sign_ins: Memory[bool] = field(default_factory=lambda: Memory(REMEMBERED))
    marks: Memory[ReplayMark | None] = field(default_factory=lambda: Memory(INDEXES))
    evidence: Memory[ReplayIndex | None] = field(default_factory=lambda: Memory(INDEXES))
    indexes: OrderedDict[UUID, tuple[ReplayMark, ReplayIndex | None]] = field(default_factory=OrderedDict)
    tracks: dict[str, list[Track]] = field(default_factory=dict)
    """By init key: inits never change."""
    claims: dict[tuple[str, str], PlaybackClaim] = field(default_factory=dict)
    """Of tokens that were let in, by recording and text: a check costs more than all else of an answer."""

    async def index(self, recording_id: UUID, token: str) -> ReplayIndex:
        """The recording's index for this token: of what was released, or of what a cut kept back, as the token says.
        Refusals: token_invalid, token_expired, not_found.
        """
        now = self.resources.clock()
        claim = self._claim(token, recording_id, now)
        if not await self.open_sign_ins.get(claim.sign_in_id, now, lambda: self._is_open(claim.sign_in_id, now)):
            raise Refusal(RefusalCode.token_expired)
        if claim.kind == "evidence":
            kept = await self.evidence.get(recording_id, now, lambda: self._read_evidence(recording_id))
            if kept is None:
                raise Refusal(RefusalCode.not_found, kind="evidence", id=recording_id)
            return kept
        await self.marks.get(recording_id, now, lambda: self._look(recording_id))
        _, index = self.indexes.get(recording_id, (None, None))
        if index is None:
            raise Refusal(RefusalCode.not_found, kind="recording", id=recording_id)
        if len(self.claims) >= CLAIMS:
            self.claims.clear()
        self.claims[str(recording_id), token] = claim
        return index

    def known(self, recording: str, token: str) -> ReplayIndex | None:
        """What `index` would say, where all of it was found lately; None where something has to be asked."""
        now, claim = self.resources.clock(), self.claims.get((recording, token))
        if claim is None or claim.expires_at <= now or not self.open_sign_ins.fresh(claim.sign_in_id, now):
            return None
        if self.marks.fresh(claim.item_id, now) is None:
            return None
        return self.indexes.get(claim.item_id, (None, None))[1]

    def tracks_of(self, init_key: str) -> list[Track]:
        """What an init segment says is in its media; read once. Blocks."""
        found = self.tracks.get(init_key)
        if found is None:
            found = read_init(self.resources.objects.read(init_key))
            if len(self.tracks) >= REMEMBERED:
                self.tracks.clear()
            self.tracks[init_key] = found
        return found

    def codecs_of(self, init_key: str) -> str:
        """The codecs that an init segment asks a player for. Blocks."""
        return ",".join(track.codec_string for track in self.tracks_of(init_key))

    def _claim(self, token: str, recording_id: UUID, now: datetime) -> PlaybackClaim:
        secret = self.resources.keys.playback
        try:
            return check(secret, token, kind="replay", item_id=recording_id, now=now)
        except Refusal as refusal:
            if refusal.code != RefusalCode.token_invalid:
                raise
        return check(secret, token, kind="evidence", item_id=recording_id, now=now)

    async def _read_evidence(self, recording_id: UUID) -> ReplayIndex | None:
        async with self.resources.catalogue.transaction() as tx:
            return await read_evidence(tx, recording_id)

    async def _is_open(self, sign_in_id: UUID, now: datetime) -> bool:
        async with self.resources.catalogue.transaction() as tx:
            return await sign_ins.is_open(tx, sign_in_id, now)

    async def _look(self, recording_id: UUID) -> ReplayMark | None:
        """Ask for the recording's mark, and read its index where that is another one than before."""
        async with self.resources.catalogue.transaction() as tx:
            mark = await replay_mark.of_recording(tx, recording_id)
            known = self.indexes.get(recording_id)
            if mark is None:
                self.indexes.pop(recording_id, None)
            elif known is None or known[0] != mark:
                self.indexes[recording_id] = (mark, await read_index(tx, recording_id))
                if len(self.indexes) > INDEXES:
                    self.indexes.popitem(last=False)
        return mark
