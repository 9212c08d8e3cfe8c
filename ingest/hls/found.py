"""What is known of an answer at once: the answer itself, what has to be waited for, or what has to be read first."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from domain.playback_token import PlaybackClaim
from ingest.hls.answers import TOO_LONG, Answer
from ingest.hls.bell import Bell
from ingest.hls.sources import SpoolSource

Fetch = Callable[[], Awaitable[Answer]]


class Held(NamedTuple):
    """Not there yet: `then`, once `ready`; when that takes too long the answer is `late`."""

    ready: Callable[[], bool]
    then: "Callable[[], There]"
    late: Answer = TOO_LONG


class Filed(NamedTuple):
    """An answer whose body is these bytes of a file, for whoever can send it from there; else it is fetched."""

    head: bytes
    body: SpoolSource
    fetch: Fetch


There = Answer | Held | Filed | Fetch


class Waiting(NamedTuple):
    """For one viewer, who waits at a bell: `then` once `ready`; when that takes too long the answer is `late`."""

    bell: Bell
    ready: Callable[[], bool]
    limit_seconds: float
    then: "Callable[[], Found]"
    late: Answer


class Fetching(NamedTuple):
    """To be read, for the one who has this claim."""

    claim: PlaybackClaim
    fetch: Fetch
    filed: Filed | None = None


Found = Answer | Waiting | Fetching
