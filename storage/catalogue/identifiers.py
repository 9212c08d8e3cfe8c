"""Row identifiers: UUID version 7 (RFC 9562 §5.7), so that new rows land at the end of every index.

A version 4 key spreads inserts over the whole index; with a million recordings that is a page read for each.
"""

import secrets
import time
from uuid import UUID


def new_id() -> UUID:
    """A new identifier: 48 bits of Unix milliseconds, then 74 random bits. It orders, it does not tell the time."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = secrets.randbits(74)
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (random_bits >> 62) << 64
    value |= 0b10 << 62 | random_bits & (1 << 62) - 1
    return UUID(int=value)
