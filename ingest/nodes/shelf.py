"""Answers of other nodes that are kept for the next who asks: what never changes for minutes, playlists for a moment.

Bounded in bytes; what came first goes first, as it is asked for first. Pure: `now` is an argument.
"""

from typing import Generic, TypeVar

from ingest.hls.answers import Answer

Key = TypeVar("Key")


class Shelf(Generic[Key]):
    """`max_bytes` bounds the bodies."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: dict[Key, tuple[float, Answer]] = {}
        self.bytes = 0

    def find(self, key: Key, now: float) -> Answer | None:
        """What is kept under the key and not too old."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept[0] <= now:
            self._drop(key)
            return None
        return kept[1]

    def put(self, key: Key, answer: Answer, until: float) -> None:
        """Keeps an answer; one that is larger than a quarter of the shelf is not worth what it would push off."""
        self._drop(key)
        if len(answer.body) > self._max_bytes // 4:
            return
        self._kept[key] = (until, answer)
        self.bytes += len(answer.body)
        while self.bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def expire(self, now: float) -> None:
        """Drops what is too old; now and then."""
        for key in [one for one, (until, _) in self._kept.items() if until <= now]:
            self._drop(key)

    def _drop(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.bytes -= len(kept[1].body)
