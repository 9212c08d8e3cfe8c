"""Whether a playback token still counts, and what its recording can be played from; each asked of the catalogue once a
second at most, so that a revocation takes effect within two and a segment costs no query.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from api.replay.index import ReplayIndex, read_index
from api.resources import Resources
from domain.playback_token import check
from domain.refusals import Refusal, RefusalCode
from media.fragments import read_init
from storage.catalogue import sign_ins

V = TypeVar("V")

FRESH = timedelta(seconds=1)
REMEMBERED = 2000
"""Recordings, sign-ins or inits kept in mind; a 3 h index is about 2 MB, so few of those are whole lectures at once."""


@dataclass
class Memory(Generic[V]):
    """What was found lately, by key; the oldest goes when there are too many."""

    most: int
    found: OrderedDict[object, tuple[datetime, V]] = field(default_factory=OrderedDict)

    async def get(self, key: object, now: datetime, find: Callable[[], Awaitable[V]]) -> V:
        """What `find` gives, asked again once it is older than FRESH."""
        known = self.found.get(key)
        if known is not None and now - known[0] < FRESH:
            return known[1]
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
    indexes: Memory[ReplayIndex | None] = field(default_factory=lambda: Memory(50))
    codecs: dict[str, str] = field(default_factory=dict)

    async def index(self, recording_id: UUID, token: str) -> ReplayIndex:
        """The recording's index for this token. Refusals: token_invalid, token_expired, not_found."""
        now = self.resources.clock()
        claim = check(self.resources.keys.playback, token, kind="replay", item_id=recording_id, now=now)
        if not await self.open_sign_ins.get(claim.sign_in_id, now, lambda: self._is_open(claim.sign_in_id, now)):
            raise Refusal(RefusalCode.token_expired)
        index = await self.indexes.get(recording_id, now, lambda: self._read(recording_id))
        if index is None:
            raise Refusal(RefusalCode.not_found, kind="recording", id=recording_id)
        return index

    def codecs_of(self, init_key: str) -> str:
        """The codecs that an init segment asks a player for; read once, since inits never change. Blocks."""
        if init_key not in self.codecs:
            tracks = read_init(self.resources.objects.read(init_key))
            if len(self.codecs) >= REMEMBERED:
                self.codecs.clear()
            self.codecs[init_key] = ",".join(track.codec_string for track in tracks)
        return self.codecs[init_key]

    async def _is_open(self, sign_in_id: UUID, now: datetime) -> bool:
        async with self.resources.catalogue.transaction() as tx:
            return await sign_ins.is_open(tx, sign_in_id, now)

    async def _read(self, recording_id: UUID) -> ReplayIndex | None:
        async with self.resources.catalogue.transaction() as tx:
            return await read_index(tx, recording_id)
