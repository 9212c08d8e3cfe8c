"""The keys that were let in here and whose sessions are still here: by them an encoder may come back while the
catalogue is away.

Rule: nothing is known of a key but what the catalogue said of it, and that is read again every two seconds while it
answers. So a key that was replaced, or a session that was moved, before an outage is known to have been.
"""

from collections.abc import Callable
from uuid import UUID

from storage.catalogue import credentials
from storage.catalogue.credentials import Presented
from storage.catalogue.transaction import Catalogue

READ_SECONDS = 2.0


class KnownKeys:
    """By their hashes. `is_here` says whether a session is live at this node."""

    def __init__(self, catalogue: Catalogue, is_here: Callable[[UUID], bool]) -> None:
        self._catalogue = catalogue
        self._is_here = is_here
        self._known: dict[bytes, Presented] = {}
        self._numbers: dict[UUID, int] = {}

    def find(self, key_hash: bytes) -> Presented | None:
        return self._known.get(key_hash)

    def let_in(self, key_hash: bytes, presented: Presented, take_number: int) -> None:
        """A main take of this number began with it."""
        self._known[key_hash] = presented
        self._numbers[presented.row.session_id] = take_number

    def next_number(self, session_id: UUID) -> int:
        """The number that a take of the session has which begins now."""
        return self._numbers.get(session_id, 0) + 1

    def told(self, key_hash: bytes, presented: Presented | None) -> None:
        """What the catalogue says of a key now."""
        if key_hash in self._known:
            if presented is None:
                del self._known[key_hash]
            else:
                self._known[key_hash] = presented

    async def read(self) -> None:
        """Every READ_SECONDS. Raises CatalogueUnavailable."""
        gone = [key for key, one in self._known.items() if not self._is_here(one.row.session_id)]
        for key in gone:
            self._numbers.pop(self._known.pop(key).row.session_id, None)
        if not self._known:
            return
        asked = list(self._known)
        async with self._catalogue.glance() as tx:
            found = await credentials.present_many(tx, asked)
        for key in asked:
            self.told(key, found.get(key))
