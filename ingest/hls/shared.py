"""What those who watch a session ask for alike, found once for all: the answers of one version of its window.

Rule: nothing in it depends on who asks. Whether they may is for whoever looks here, each time.
"""

from typing import Generic, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from ingest.hls.window import LiveWindow

T = TypeVar("T")
MOST = 256
"""Things of one version: many more than players ask for, and no more than one who makes queries up may fill."""


class Same(NamedTuple):
    """A GET without a range: its name and query as they stood in the request, and whether gzip is taken."""

    name: bytes
    gzip: bool


class _Version(Generic[T]):
    def __init__(self) -> None:
        self.number = -1
        self.found: dict[Same, T] = {}


class Shared(Generic[T]):
    """Of all windows; what is kept goes with its window."""

    def __init__(self) -> None:
        self._versions: WeakKeyDictionary[LiveWindow, _Version[T]] = WeakKeyDictionary()

    def find(self, window: LiveWindow, asked: Same) -> T | None:
        """What was kept since the window changed."""
        version = self._versions.get(window)
        return version.found.get(asked) if version is not None and version.number == window.version else None

    def keep(self, window: LiveWindow, asked: Same, found: T) -> None:
        """For whoever asks the same of the window as it is now."""
        version = self._versions.get(window)
        if version is None:
            version = self._versions[window] = _Version()
        if version.number != window.version:
            version.number = window.version
            version.found.clear()
        if len(version.found) < MOST:
            version.found[asked] = found
