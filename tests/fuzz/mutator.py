"""Changes seeds at random where no coverage guides: flips, cuts, repeats, splices, and numbers at their edges."""

import random
from collections.abc import Sequence

MAX_BYTES = 16_384
EDGES = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x1_0000,
    0x7F_FFFF,
    0xFF_FFFF,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
)


class Mutator:
    """The same seeds and number give the same inputs."""

    def __init__(self, seeds: Sequence[bytes], number: int) -> None:
        self._seeds = list(seeds)
        self._dice = random.Random(number)

    def next(self) -> bytes:
        """Another input."""
        dice = self._dice
        data = bytearray(dice.choice(self._seeds))
        if dice.random() < 0.3:  # several messages in a row
            for _ in range(dice.randint(1, 4)):
                data += dice.choice(self._seeds)
        if dice.random() < 0.02:
            data = bytearray(dice.randbytes(dice.randint(0, 600)))
        for _ in range(1 << dice.randint(0, 4)):
            self._change(data)
        return bytes(data[:MAX_BYTES])

    def _change(self, data: bytearray) -> None:
        dice = self._dice
        place = dice.randint(0, len(data))
        size = min(1 << dice.randint(0, 7), len(data) - place)
        match dice.randint(0, 6):
            case 0 if place < len(data):
                data[place] ^= 1 << dice.randint(0, 7)
            case 1 if place < len(data):
                data[place] = dice.randint(0, 255)
            case 2:
                del data[place : place + size]
            case 3:
                data[place:place] = data[place : place + size] * dice.randint(1, 3)
            case 4:
                data[place:place] = dice.randbytes(dice.randint(1, 12))
            case 5:
                width = dice.choice((1, 2, 3, 4))
                edge = dice.choice(EDGES) & (1 << 8 * width) - 1
                data[place : place + width] = edge.to_bytes(width, dice.choice(("big", "little")))
            case _:
                other = dice.choice(self._seeds)
                start = dice.randint(0, len(other))
                data[place : place + size] = other[start : start + max(size, 8)]
