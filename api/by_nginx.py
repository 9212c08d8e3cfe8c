"""Objects by way of nginx: an answer only names one (X-Accel-Redirect), and nginx, which keeps it by the object's key
and the stretch, fetches it with the presigned query that stands there.

Rule: whether the viewer may have it is decided at each request, by whoever answers; no viewer ever sees the query. A
query is given out again for a third of its time: nginx asks the store within that, or has the object already.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

from storage.objects.store import ObjectStore

HEADER = "X-Accel-Redirect"
PRESIGNED_SECONDS = 300
RENEWED = timedelta(seconds=PRESIGNED_SECONDS / 3)
REMEMBERED = 4096
"""Objects: a reel is about a minute of a recording."""

Stretch = tuple[int, int]
"""First and last byte, both included."""


@dataclass(eq=False)
class ByNginx:
    """What one process has named lately."""

    _found: dict[str, tuple[datetime, str]] = field(default_factory=dict)

    def known(self, key: str, stretch: Stretch | None, now: datetime) -> str | None:
        """Where nginx finds the object, or that stretch of it, if it was asked for lately."""
        made_at, address = self._found.get(key, (None, ""))
        return _place(address, stretch) if made_at is not None and abs(now - made_at) < RENEWED else None

    async def place(self, objects: ObjectStore, key: str, stretch: Stretch | None, now: datetime) -> str:
        """The same, whoever asked. Raises ObjectStoreUnavailable."""
        known = self.known(key, stretch, now)
        if known is not None:
            return known
        query = await asyncio.to_thread(objects.presigned_query, key, PRESIGNED_SECONDS)
        if len(self._found) >= REMEMBERED:
            self._found.clear()
        address = f"{quote(key)}?{query}"
        self._found[key] = now, address
        return _place(address, stretch)


def _place(address: str, stretch: Stretch | None) -> str:
    return f"/_objects/{stretch[0]}-{stretch[1]}/{address}" if stretch else f"/_objects/{address}"
