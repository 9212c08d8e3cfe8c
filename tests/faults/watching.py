"""A player that watches a live playlist grow while something is away."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from media.playlist import MediaPlaylist, parse_media

HINT = re.compile(r'PRELOAD-HINT:.*URI="part-\d+\.\d+\.m4s')
POLL_SECONDS = 0.1


@dataclass
class Watch:
    """`longest_seconds`: the longest time in which no new part was announced."""

    longest_seconds: float = 0.0
    text: str = ""

    @property
    def playlist(self) -> MediaPlaylist:
        """As it was last read."""
        return parse_media(self.text)

    async def run(self, player: httpx.AsyncClient, url: str) -> None:
        """Until cancelled, or the stream's end."""
        clock = asyncio.get_running_loop().time
        place, moved_at = "", clock()
        while "#EXT-X-ENDLIST" not in self.text:
            self.text = (await player.get(url)).text
            hint = HINT.search(self.text)
            self.longest_seconds = max(self.longest_seconds, clock() - moved_at)
            if hint and hint[0] != place:
                place, moved_at = hint[0], clock()
            await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def watching(url: str) -> AsyncIterator[Watch]:
    """Watch for the block."""
    watch = Watch()
    async with httpx.AsyncClient(timeout=10) as player:
        task = asyncio.create_task(watch.run(player, url))
        try:
            yield watch
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
