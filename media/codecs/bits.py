"""Bits of a codec's header, most significant first, with the Exp-Golomb numbers of ITU-T H.264 §9.1.

Reading past the end is `MalformedMedia`, so that no parser above has to count.
"""

from media.malformed import MalformedMedia


class Bits:
    """A reader over at most a few hundred bytes of header (it keeps them as one integer)."""

    MAX_BYTES = 4096  # parameter sets are tens of bytes; a kilobyte is already strange

    def __init__(self, data: bytes | memoryview) -> None:
        if len(data) > self.MAX_BYTES:
            message = f"header of {len(data)} bytes is over the limit of {self.MAX_BYTES}"
            raise MalformedMedia(message)
        self._value = int.from_bytes(data, "big")
        self.left = len(data) * 8

    def u(self, count: int) -> int:
        """`count` bits as an unsigned number."""
        if count > self.left:
            message = "header ends in the middle of a field"
            raise MalformedMedia(message)
        self.left -= count
        return (self._value >> self.left) & ((1 << count) - 1)

    def flag(self) -> bool:
        """One bit."""
        return self.u(1) == 1

    def skip(self, count: int) -> None:
        """Passes over `count` bits."""
        self.u(count)

    def ue(self) -> int:
        """An unsigned Exp-Golomb number; more than 32 leading zeros are not allowed by any field."""
        zeros = 0
        while self.u(1) == 0:
            zeros += 1
            if zeros > 32:
                message = "Exp-Golomb number is too long"
                raise MalformedMedia(message)
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """A signed Exp-Golomb number."""
        number = self.ue()
        return (number + 1) // 2 if number % 2 else -(number // 2)
