"""When the garbage collector looks at an ingest process: seldom by its own counting, every few seconds at what is new.

A look holds up the loop, and what a request leaves behind has no cycles: the collector counts to so much that a
process with few lectures would go ten minutes without one. But the statements that every reel is written with leave
cycles (SQLAlchemy's), and what is freed around them cannot be given back.
"""

import gc

YOUNG_OBJECTS = 50_000
"""Between two looks of the collector's own: a thousand requests come a second."""
LOOK_SECONDS = 10.0
"""Half a millisecond's work for what four lectures made meanwhile."""
OLDER_LOOKS = 6
"""Every so many looks what was in use at the last ones is looked at again."""


class Collector:
    def __init__(self) -> None:
        self._looks = 0

    def settle(self) -> None:
        """What is loaded by now lives to the end: the collector, which holds up the loop, need not look at it again."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS, 20, 100)

    async def look(self) -> None:
        """Every LOOK_SECONDS. The oldest, which are a long day's segments, are left to the collector's own counting."""
        self._looks += 1
        gc.collect(1 if self._looks % OLDER_LOOKS == 0 else 0)
