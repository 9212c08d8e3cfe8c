"""Numbers that wrap: RTP's 16-bit sequence numbers and 32-bit timestamps, made to rise for ever. Pure."""


class Unwrapper:
    """Gives each value the extended number nearest to the highest one so far; never negative."""

    __slots__ = ("_half", "_highest", "_modulus")

    def __init__(self, bits: int) -> None:
        self._modulus = 1 << bits
        self._half = 1 << (bits - 1)
        self._highest: int | None = None

    def __call__(self, value: int) -> int:
        highest = self._highest
        if highest is None:
            extended = value + self._modulus  # room for what was sent before, and comes after, the first
        else:
            step = (value - highest) % self._modulus
            extended = highest + (step if step < self._half else step - self._modulus)
            if extended <= highest:
                return extended
        self._highest = extended
        return extended
