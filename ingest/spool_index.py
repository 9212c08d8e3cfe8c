"""The spool's index: one line for each thing that was written, in the order it was. Pure: records to lines and back.

A line is words and, at its end, the CRC-32 of what is before, so a line that a crash or a full disk tore is known for
one and passed over. Nothing in an index is ever changed.
"""

import zlib
from dataclasses import dataclass

from ingest.events import HeldRun


@dataclass(frozen=True, slots=True)
class PartRecord:
    """A part's place in its segment's file (bytes) and on the session's line (ticks of CLOCK)."""

    serial: int
    index: int
    offset: int
    length: int
    start: int
    duration: int
    init_number: int
    independent: bool
    discontinuity: bool
    """Of the segment; said by its first part."""
    checksum: int | None = None
    """Of its bytes as they were captured (`checksums.py`). None in an index of a version that had none."""


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """The segment's file is whole and on the disk, not only in the page cache."""

    serial: int


@dataclass(frozen=True, slots=True)
class CutRecord:
    """From this part on nothing was released…"""

    serial: int
    index: int


@dataclass(frozen=True, slots=True)
class HoldingRecord:
    """…and the holding picture went on with this number, from there on the line (ticks of CLOCK)…"""

    msn: int
    start: int


@dataclass(frozen=True, slots=True)
class NumberedRecord:
    """…until this segment, which was let out as number `msn`, behind what the holding picture had of them; those after
    it follow. Also said where numbers do not go on for another reason.
    """

    serial: int
    msn: int
    held: HeldRun | None


@dataclass(frozen=True, slots=True)
class ReleasedRecord:
    """This part was let out: said of every part of a session whose gate has a delay."""

    serial: int
    index: int


@dataclass(frozen=True, slots=True)
class ReelRecord:
    """This number was given to a reel of the take: it must never be given to another."""

    number: int


Record = PartRecord | SealedRecord | CutRecord | HoldingRecord | NumberedRecord | ReleasedRecord | ReelRecord


def line(record: Record) -> bytes:
    words: tuple[str | int, ...]
    match record:
        case PartRecord():
            numbers = (record.serial, record.index, record.offset, record.length, record.start, record.duration)
            words = ("part", *numbers, record.init_number, int(record.independent), int(record.discontinuity))
            if record.checksum is not None:
                words = (*words, record.checksum)
        case SealedRecord():
            words = ("sealed", record.serial)
        case CutRecord():
            words = ("cut", record.serial, record.index)
        case HoldingRecord():
            words = ("holding", record.msn, record.start)
        case NumberedRecord():
            words = ("numbered", record.serial, record.msn, *(record.held or ()))
        case ReleasedRecord():
            words = ("released", record.serial, record.index)
        case ReelRecord():
            words = ("reel", record.number)
    body = " ".join(map(str, words)).encode()
    return b"%s %08x\n" % (body, zlib.crc32(body))


def read(data: bytes) -> tuple[list[Record], int]:
    """The records of an index, and how many bytes there are up to the end of the last."""
    records: list[Record] = []
    place = good = 0
    for text in data.split(b"\n")[:-1]:  # what is behind the last newline is torn
        place += len(text) + 1
        record = _record(text)
        if record is not None:
            records.append(record)
            good = place
    return records, good


def _record(text: bytes) -> Record | None:
    body, _, check = text.rpartition(b" ")
    if check != b"%08x" % zlib.crc32(body):
        return None
    kind, *words = body.split(b" ")
    numbers = [int(word) for word in words]
    match kind, numbers:
        case b"part", [serial, index, offset, length, start, duration, init_number, independent, discontinuity, *rest]:
            where = (serial, index, offset, length, start, duration, init_number)
            return PartRecord(*where, bool(independent), bool(discontinuity), rest[0] if rest else None)
        case b"sealed", [serial]:
            return SealedRecord(serial)
        case b"cut", [serial, index]:
            return CutRecord(serial, index)
        case b"holding", [msn, start]:
            return HoldingRecord(msn, start)
        case b"numbered", [serial, msn, *held] if len(held) in (0, 3):
            return NumberedRecord(serial, msn, HeldRun(*held) if held else None)
        case b"released", [serial, index]:
            return ReleasedRecord(serial, index)
        case b"reel", [number]:
            return ReelRecord(number)
    return None
