"""The clock in the picture: what is drawn is what a page reads back, square by square."""

import pytest

from bench.burnt_clock import COLUMNS, HEIGHT, SIDE, WIDTH, frame


@pytest.mark.parametrize("stamp", [0, 1, 0xFFFF_FFFF, 1_764_000_000_123])
def test_the_squares_say_the_time(stamp: int) -> None:
    picture = frame(stamp, 7)
    assert len(picture) == WIDTH * HEIGHT * 3 // 2
    read = 0
    for bit in range(32):
        x, y = (bit % COLUMNS) * SIDE + SIDE // 2, (bit // COLUMNS) * SIDE + SIDE // 2
        read = read * 2 + (picture[y * WIDTH + x] > 127)
    assert read == stamp & 0xFFFF_FFFF
