"""What one import may cost, whatever its file says: rows, and seconds of reading.

The file is a stranger's. A limit that is passed refuses the whole file (413 at the API) rather than taking a part.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.refusals import Refusal, RefusalCode

READ_SECONDS = 20.0
"""A term of 20,000 rows is read in about 4 s on a slow core; what takes longer was made to."""


@dataclass
class Budget:
    """Counts what reading a file has used up. `stopwatch` gives seconds from any fixed point."""

    max_rows: int
    max_seconds: float = READ_SECONDS
    stopwatch: Callable[[], float] = time.monotonic
    rows: int = 0
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.stopwatch()

    def spend(self, rows: int = 1) -> None:
        """Count rows; Refusal("too_large") when they are too many or reading has taken too long."""
        self.rows += rows
        if self.rows > self.max_rows:
            raise Refusal(RefusalCode.too_large, field="file", limit="rows", most=self.max_rows)
        if self.stopwatch() - self._began > self.max_seconds:
            raise Refusal(RefusalCode.too_large, field="file", limit="seconds", most=int(self.max_seconds))
