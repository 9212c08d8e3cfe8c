"""Inits made again from their rows are those that were captured, or none."""

import hashlib
import json

import pytest

from ingest.kept_init import made_again, track_row
from media.fragments import init_segment, read_init
from media.packet import Track, audio_track, video_track
from tests.ingest.builders import AUDIO, VIDEO


@pytest.mark.parametrize(
    "tracks", [[VIDEO, AUDIO], [VIDEO], [AUDIO], [audio_track("opus", bytes([0, 2, 1, 56, 0, 0, 187, 128, 0, 0, 0]))]]
)
def test_the_row_gives_the_very_bytes(tracks: list[Track]) -> None:
    muxed = init_segment(tracks)
    rows = json.loads(json.dumps([track_row(one) for one in read_init(muxed)]))
    assert made_again(rows, hashlib.sha256(muxed).digest()) == muxed


def test_what_gives_other_bytes_gives_none() -> None:
    muxed = init_segment([VIDEO, AUDIO])
    rows = [track_row(one) for one in (VIDEO, AUDIO)]
    sha256 = hashlib.sha256(muxed).digest()
    assert made_again(rows[:1], sha256) is None
    assert made_again([{"kind": "video", "codec": "avc1.42c01e", "timescale": 90_000}], sha256) is None, "of old"
    assert made_again([rows[0] | {"config": "01"}, rows[1]], sha256) is None
    assert made_again([rows[0] | {"format": "vp9"}, rows[1]], sha256) is None
    assert video_track("h264", VIDEO.config) == VIDEO
