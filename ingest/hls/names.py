"""The names below a live session's address: playlists, initialisation segments, segments, parts."""

import re

PREFIX = "/live/"
INDEX = "index.m3u8"
MAIN = "main.m3u8"
AUDIO = "audio.m3u8"
PLAYLISTS = frozenset((INDEX, MAIN, AUDIO))
NAME = re.compile(
    r"(?P<audio>audio-)?"
    r"(?:(?P<kind>init|seg)-(?P<number>\d{1,9})\.(?:mp4|m4s)|part-(?P<msn>\d{1,9})\.(?P<part>\d{1,6})\.m4s)"
)
"""All but playlists."""


def segment_name(match: re.Match[str]) -> str:
    """The one spelling of a segment's name, for whoever keeps it by its name."""
    return f"{match['audio'] or ''}seg-{int(match['number'])}.m4s"


def part_name(msn: int, index: int, *, audio: bool) -> str:
    return f"{'audio-' if audio else ''}part-{msn}.{index}.m4s"
