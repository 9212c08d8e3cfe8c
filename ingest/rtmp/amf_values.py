"""What AMF values become in Python, and how many a message may hold; AMF0 and AMF3 share both."""

from dataclasses import dataclass
from typing import TypeAlias

from ingest.rtmp.errors import PeerError
from ingest.rtmp.limits import MAX_AMF_DEPTH, MAX_AMF_VALUES


@dataclass(frozen=True, slots=True)
class Date:
    """Milliseconds since 1970 in UTC. The zone that AMF0 carries is reserved as 0 and dropped (AMF0 §2.13)."""

    milliseconds: float


class EcmaArray(dict[str, "Value"]):
    """A dict to be written as an associative array; onMetaData is one. Reading gives plain dicts."""


Value: TypeAlias = bool | float | str | Date | list["Value"] | dict[str, "Value"] | None


class Budget:
    """Counts a message's values, those of embedded AMF3 too."""

    def __init__(self) -> None:
        self.left = MAX_AMF_VALUES

    def spend(self, depth: int, values: int = 1) -> None:
        """Raises PeerError where it is too deep or too much."""
        self.left -= values
        if depth > MAX_AMF_DEPTH or self.left < 0:
            reason = f"AMF deeper than {MAX_AMF_DEPTH} or of more than {MAX_AMF_VALUES} values"
            raise PeerError(reason)
