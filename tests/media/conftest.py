"""The clips that several tests read, each encoded once."""

from pathlib import Path

import pytest

from tests.media import clips


@pytest.fixture(scope="session")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H.264 with B-frames and AAC, in a plain MP4 without edit lists: the source every comparison is made with."""
    return clips.encode(tmp_path_factory.mktemp("clips") / "lecture.mp4", *clips.H264, *clips.AAC)
