"""What is known of an answer at once: the answer itself, what has to be waited for, or what has to be read first."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from domain.playback_token import PlaybackClaim
from ingest.hls.answers import Answer
from ingest.hls.bell import Bell

Fetch = Callable[[], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """For one viewer, who waits at a bell: `then` once `ready`; when that takes too long the answer is `late`."""

    bell: Bell
    ready: Callable[[], bool]
    limit_seconds: float
    then: "Callable[[], Found]"
    late: Answer


@dataclass(frozen=True, slots=True)
class Fetching:
    """To be read, for the one who has this claim."""

    claim: PlaybackClaim
    fetch: Fetch


Found = Answer | Waiting | Fetching
