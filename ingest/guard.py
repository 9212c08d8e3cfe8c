"""What is done for many, one after the other: what goes wrong with one of them keeps nobody else from theirs."""

from collections.abc import Callable

import structlog

log = structlog.get_logger()


class Guard:
    """Remembers what fails, so that a duty of every second is told of once."""

    def __init__(self) -> None:
        self._failing: set[tuple[str, str]] = set()

    def run(self, duty: str, act: Callable[[], object], *, of: object = "") -> bool:
        """Whether `act` went well. Where not, it is logged with its traceback, once until it does; `of` says whose it
        is.
        """
        key = duty, str(of)
        try:
            act()
        except Exception:
            if key not in self._failing:
                self._failing.add(key)
                log.exception("duty_failed", duty=duty, of=str(of))
            return False
        if self._failing:
            self._failing.discard(key)
        return True
