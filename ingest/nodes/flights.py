"""What this node asks another for, and the viewers who wait for the answer: one question, however many they are."""

import re
from typing import NamedTuple
from uuid import UUID

from ingest.hls.answers import Answer
from ingest.hls.bell import Bell
from ingest.hls.by_nginx import PREFIX as BY_NGINX
from ingest.hls.names import AUDIO, part_name
from ingest.hls.names import PREFIX as LIVE

OWN_FAULT = (403, 410)
"""What says no to one viewer, and nothing of the others."""
LOOK_AGAIN = Answer(0, b"")
"""What was asked for is here now."""
_NEXT = re.compile(r"_HLS_msn=(\d+)&_HLS_part=(\d+)")


class Asked(NamedTuple):
    """What is the same for every viewer who asks for it; `query` has the delivery directives alone."""

    session_id: UUID
    name: str
    query: str = ""
    gzip: bool = False
    for_nginx: bool = False
    """A finished segment that nginx fetches for all, with no viewer's token."""

    @property
    def is_playlist(self) -> bool:
        return self.name.endswith(".m3u8")

    def path(self, token: str) -> str:
        """Where the owner has it."""
        if self.for_nginx:
            return f"{BY_NGINX}{self.session_id}/{self.name}"
        return f"{LIVE}{self.session_id}/{token}/{self.name}"

    def next_part(self) -> "Asked | None":
        """The part that a held playlist will name as its newest."""
        found = _NEXT.match(self.query)
        if found is None:
            return None
        return Asked(self.session_id, part_name(int(found[1]), int(found[2]), audio=self.name == AUDIO))


class Flight:
    """A question under way, with one viewer's token. Who waits for its answer waits at its bell."""

    def __init__(self, token: str) -> None:
        self.bell = Bell()
        self._token = token
        self._answer: Answer | None = None

    def landed(self) -> bool:
        return self._answer is not None

    def land(self, answer: Answer) -> None:
        """Everybody is answered, in turns of the loop."""
        self._answer = answer
        self.bell.ring()

    def answer_for(self, token: str) -> Answer | None:
        """None where it has to be asked again: this one is another viewer's alone, or not the last word."""
        answer = self._answer
        if answer is None or answer is LOOK_AGAIN or (answer.status in OWN_FAULT and token != self._token):
            return None
        return answer
