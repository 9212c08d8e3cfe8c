"""AMF0 values to bytes and back (Adobe, "Action Message Format – AMF 0", December 2007).

Rule: depth and number of values are bounded, and what no encoder sends (references, Flash's own types) is refused by
name rather than half understood. Texts that are not UTF-8 are kept with replacement characters: some
encoder boxes put GBK into onMetaData, and a title must not end a lecture.
"""

import struct
from collections.abc import Iterable

from ingest.rtmp.amf3 import Amf3Reader
from ingest.rtmp.amf_values import Budget
from ingest.rtmp.amf_values import Date as Date
from ingest.rtmp.amf_values import EcmaArray as EcmaArray
from ingest.rtmp.amf_values import Value as Value
from ingest.rtmp.errors import PeerError

_NUMBER, _BOOLEAN, _STRING, _OBJECT, _NULL, _UNDEFINED = 0x00, 0x01, 0x02, 0x03, 0x05, 0x06
_ECMA_ARRAY, _OBJECT_END, _STRICT_ARRAY, _DATE, _LONG_STRING, _XML, _TYPED = 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0F, 0x10
_AMF3 = 0x11
_REFUSED = {0x04: "movie clip", 0x07: "reference", 0x0D: "unsupported", 0x0E: "record set"}

_DOUBLE, _UINT16, _UINT32 = struct.Struct(">d"), struct.Struct(">H"), struct.Struct(">I")


def decode(data: bytes | memoryview) -> list[Value]:
    """All values in `data`, one after the other. Null and undefined both read as None. Raises PeerError."""
    reader = _Reader(data)
    values: list[Value] = []
    try:
        while reader.position < reader.end:
            values.append(reader.value(0))
    except (struct.error, IndexError):
        reason = "an AMF value runs past its message"
        raise PeerError(reason) from None
    return values


def encode(*values: Value) -> bytes:
    """`values` one after the other."""
    pieces: list[bytes] = []
    _write_all(values, pieces)
    return b"".join(pieces)


class _Reader:
    """A place in the bytes. Its methods let struct.error and IndexError out where they end too early."""

    def __init__(self, data: bytes | memoryview) -> None:
        self.view = memoryview(data)
        self.position = 0
        self.end = len(data)
        self._budget = Budget()

    def value(self, depth: int) -> Value:
        self._budget.spend(depth)
        marker = self.view[self.position]
        self.position += 1
        if marker == _NUMBER:
            return self._double()
        if marker == _STRING:
            return self._text(_UINT16)
        if marker == _BOOLEAN:
            self.position += 1
            return self.view[self.position - 1] != 0
        if marker in (_NULL, _UNDEFINED):
            return None
        return self._composite(marker, depth)

    def _composite(self, marker: int, depth: int) -> Value:
        if marker == _OBJECT:
            return self._properties(depth)
        if marker == _ECMA_ARRAY:
            self.position += 4  # the count is a hint that writers get wrong: the end marker counts
            return self._properties(depth, may_end_with_message=True)
        if marker == _STRICT_ARRAY:
            count = self._number(_UINT32)
            return [self.value(depth + 1) for _ in range(count)]
        if marker == _DATE:
            milliseconds = self._double()
            self._number(_UINT16)
            return Date(milliseconds)
        if marker in (_LONG_STRING, _XML):
            return self._text(_UINT32)
        if marker == _TYPED:
            self._text(_UINT16)
            return self._properties(depth)
        if marker == _AMF3:
            reader = Amf3Reader(self.view, self.position, self._budget)
            value = reader.value(depth)
            self.position = reader.position
            return value
        reason = f"AMF0 {_REFUSED.get(marker, 'marker')} ({marker:#04x}) is not understood"
        raise PeerError(reason)

    def _properties(self, depth: int, *, may_end_with_message: bool = False) -> dict[str, Value]:
        """Up to and with the end marker; some encoders leave it out where onMetaData's array ends its message."""
        properties: dict[str, Value] = {}
        while not (may_end_with_message and self.position == self.end):
            key = self._text(_UINT16)
            if not key and self.view[self.position] == _OBJECT_END:
                self.position += 1
                break
            properties[key] = self.value(depth + 1)
        return properties

    def _double(self) -> float:
        (number,) = _DOUBLE.unpack_from(self.view, self.position)
        self.position += 8
        return float(number)

    def _number(self, form: struct.Struct) -> int:
        (number,) = form.unpack_from(self.view, self.position)
        self.position += form.size
        return int(number)

    def _text(self, form: struct.Struct) -> str:
        size = self._number(form)
        start = self.position
        self.position = start + size
        if self.position > self.end:
            raise IndexError
        return str(self.view[start : self.position], "utf-8", "replace")


def _write_all(values: Iterable[Value], pieces: list[bytes]) -> None:
    for value in values:
        _write(value, pieces)


def _write(value: Value, pieces: list[bytes]) -> None:
    if value is None:
        pieces.append(bytes((_NULL,)))
    elif isinstance(value, bool):
        pieces.append(bytes((_BOOLEAN, value)))
    elif isinstance(value, int | float):
        pieces.append(struct.pack(">Bd", _NUMBER, value))
    elif isinstance(value, str):
        _write_text(value, pieces)
    elif isinstance(value, Date):
        pieces.append(struct.pack(">BdH", _DATE, value.milliseconds, 0))
    elif isinstance(value, list):
        pieces.append(struct.pack(">BI", _STRICT_ARRAY, len(value)))
        _write_all(value, pieces)
    else:
        is_array = isinstance(value, EcmaArray)
        pieces.append(struct.pack(">BI", _ECMA_ARRAY, len(value)) if is_array else bytes((_OBJECT,)))
        for key, property_value in value.items():
            text = key.encode()
            pieces += (_UINT16.pack(len(text)), text)
            _write(property_value, pieces)
        pieces.append(bytes((0, 0, _OBJECT_END)))


def _write_text(text: str, pieces: list[bytes]) -> None:
    data = text.encode()
    short = len(data) <= 0xFFFF
    pieces.append(struct.pack(">BH" if short else ">BI", _STRING if short else _LONG_STRING, len(data)))
    pieces.append(data)
