"""The names below a live session's address: playlists, initialisation segments, segments, parts."""

import re

PREFIX = "/live/"
INDEX = "index.m3u8"
MAIN = "main.m3u8"
AUDIO = "audio.m3u8"
PLAYLISTS = frozenset((INDEX, MAIN, AUDIO))
_NUMBER = "(?:0|[1-9][0-9]{0,8})"
NAME = re.compile(
    r"(?P<audio>audio-)?"
    rf"(?:(?=init-.*\.mp4$|seg-.*\.m4s$)(?P<kind>init|seg)-(?P<number>{_NUMBER})\.m(?:p4|4s)"
    rf"|part-(?P<msn>{_NUMBER})\.(?P<part>{_NUMBER})\.m4s)"
)
"""All but playlists. Each thing has one spelling: whoever keeps it by its name has it once."""


def part_name(msn: int, index: int, *, audio: bool) -> str:
    return f"{'audio-' if audio else ''}part-{msn}.{index}.m4s"
