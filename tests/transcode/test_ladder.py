"""Rungs for every size of source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.ladder import DEFAULT_RENDITIONS, LONGEST_SIDE, rungs


@pytest.mark.parametrize(
    ("size", "names"),
    [
        ((1920, 1080), ["1080p", "720p", "480p"]),
        ((1280, 720), ["720p", "480p"]),
        ((854, 480), ["480p"]),
        ((640, 360), ["480p"]),
        ((3840, 2160), ["1080p", "720p", "480p"]),
        ((1080, 1920), ["1080p", "720p", "480p"]),
    ],
)
def test_never_above_the_source(size: tuple[int, int], names: list[str]) -> None:
    assert [one.name for one in rungs(DEFAULT_RENDITIONS, *size)] == names


def test_a_small_source_keeps_its_own_size() -> None:
    (rung,) = rungs(DEFAULT_RENDITIONS, 426, 240)
    assert (rung.width, rung.height) == (426, 240)


@given(st.integers(2, LONGEST_SIDE), st.integers(2, LONGEST_SIDE))
def test_every_rung_is_even_within_the_source_and_keeps_its_shape(width: int, height: int) -> None:
    for rung in rungs(DEFAULT_RENDITIONS, width, height):
        assert rung.width % 2 == rung.height % 2 == 0
        assert rung.height <= height
        assert abs(rung.width - width * rung.height / height) <= 2


@pytest.mark.parametrize(("width", "height"), [(0, 720), (1280, 0), (LONGEST_SIDE + 1, 720)])
def test_no_ladder_without_a_picture(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="no ladder"):
        rungs(DEFAULT_RENDITIONS, width, height)


def test_an_empty_plan_is_an_error() -> None:
    with pytest.raises(ValueError, match="no ladder"):
        rungs([], 1280, 720)
