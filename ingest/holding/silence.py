"""Silence that sounds like a class: AAC frames in which nothing is heard, at the class's rate and with its channels."""

from collections.abc import Iterator

from ingest.events import CLOCK
from media.codecs import aac
from media.packet import Packet, Track, audio_track

_FRAMES = {1: bytes.fromhex("01182007"), 2: bytes.fromhex("211004608c1c")}  # AAC-LC, by channels
_SAMPLES = 1024
USUAL = audio_track("aac", aac.build_config(48_000, 2))


def like(sound: Track) -> Track:
    """The track of silence for a class that has this sound: the same where it is plain AAC, else the usual one."""
    if sound.codec == "aac":
        said = aac.parse_config(sound.config)
        plain = aac.AacConfig(aac.LC, said.sample_rate, said.channels)
        if said == plain and said.channels in _FRAMES:
            return audio_track("aac", aac.build_config(said.sample_rate, said.channels))
    return USUAL


def laid(track: Track, start: int, end: int) -> Iterator[Packet]:
    """The frames that begin within these ticks of the line. All of a line stand on one grid, so that those of one
    segment go on where those of the segment before ended.
    """
    data = _FRAMES[track.channels]
    grid = _SAMPLES * CLOCK
    for number in range(-(-start * track.timescale // grid), -(-end * track.timescale // grid)):
        yield Packet(track, number * _SAMPLES, number * _SAMPLES, keyframe=True, data=data)
