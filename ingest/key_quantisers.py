"""How coarse a take's key frames are: the mean of the last few, so that one hard picture blames nobody. Pure.

Rule: what cannot be read is not known, and then nothing is said; a take is never disturbed by it.
"""

from collections import deque
from contextlib import suppress

from media.codecs.h264_quantiser import KeyFrameQuantiser
from media.malformed import MalformedMedia
from media.packet import Packet, Track

KEY_FRAMES = 3
"""Some six seconds of an encoder that is set as advised."""


class KeyQuantisers:
    """Fed with a take's key frames. Of H.264 alone: other codecs' are on scales of their own."""

    def __init__(self) -> None:
        self._track: Track | None = None
        self._reader: KeyFrameQuantiser | None = None
        self._last: deque[int] = deque(maxlen=KEY_FRAMES)

    @property
    def mean(self) -> float | None:
        """Of the last `KEY_FRAMES`; None before there were so many."""
        return sum(self._last) / KEY_FRAMES if len(self._last) == KEY_FRAMES else None

    def see(self, packet: Packet) -> None:
        if packet.track is not self._track:
            self._begin(packet.track)
        if self._reader is None:
            return
        try:
            found = self._reader.read(packet.data)
        except MalformedMedia:
            found = None
        if found is None:
            self._last.clear()
        else:
            self._last.append(found)

    def _begin(self, track: Track) -> None:
        self._track, self._reader = track, None
        self._last.clear()
        if track.codec == "h264":
            with suppress(MalformedMedia):
                self._reader = KeyFrameQuantiser(track.config)
