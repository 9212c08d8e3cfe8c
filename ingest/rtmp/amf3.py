"""AMF3 values, which Flash's heirs put into AMF0 (Adobe, "Action Message Format – AMF 3", January 2013). Read only.

Rule: as amf0.py: bounded, and what has no plain shape (externalizable objects) is refused by name. Numbers are floats
and objects dicts, as AMF0's are. A reference costs as many values as what it refers to, so that a message cannot
unfold.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ingest.rtmp.amf_values import Budget, Date, Value
from ingest.rtmp.errors import PeerError

_UNDEFINED, _NULL, _FALSE, _TRUE, _INTEGER, _DOUBLE, _STRING = range(7)
_XML_DOCUMENT, _DATE, _ARRAY, _OBJECT, _XML, _BYTES = range(7, 13)
_INTEGERS, _UNSIGNED, _DOUBLES, _OBJECTS, _DICTIONARY = range(13, 18)

_SINGLES: dict[int, Value] = {_UNDEFINED: None, _NULL: None, _FALSE: False, _TRUE: True}
_NUMBERS = {_INTEGERS: struct.Struct(">i"), _UNSIGNED: struct.Struct(">I"), _DOUBLES: struct.Struct(">d")}
_DOUBLE_FORM = struct.Struct(">d")


@dataclass(frozen=True, slots=True)
class _Traits:
    names: tuple[str, ...]
    dynamic: bool


@dataclass(slots=True)
class _Known:
    """Something that can be referred to; `cost` is 0 while it is being read."""

    value: Value
    cost: int = 0


class Amf3Reader:
    """One value and what it refers to. Methods let struct.error and IndexError out where the bytes end too early."""

    def __init__(self, view: memoryview, position: int, budget: Budget) -> None:
        self.position = position
        self._view = view
        self._budget = budget
        self._texts: list[str] = []
        self._known: list[_Known] = []
        self._traits: list[_Traits] = []

    def value(self, depth: int) -> Value:
        """The value at `position`. Raises PeerError too."""
        self._budget.spend(depth)
        marker = self._byte()
        if marker in _SINGLES:
            return _SINGLES[marker]
        if marker == _INTEGER:
            return float((self._u29() ^ 0x1000_0000) - 0x1000_0000)
        if marker == _DOUBLE:
            return self._double()
        if marker == _STRING:
            return self._text()
        if marker in _NUMBERS:
            return self._referred(depth, partial(self._numbers, _NUMBERS[marker]))
        read = _READ.get(marker)
        if read is not None:
            return self._referred(depth, partial(read, self))
        reason = f"AMF3 marker ({marker:#04x}) is not understood"
        raise PeerError(reason)

    def _referred(self, depth: int, read: Callable[[int, int, _Known], None]) -> Value:
        """What one earlier was, or what `read` makes with the bits behind the flag, which can be referred to later."""
        bits = self._u29()
        if not bits & 1:
            found = self._known[bits >> 1]
            if not found.cost:
                reason = "an AMF3 value that holds itself"
                raise PeerError(reason)
            self._budget.spend(depth, found.cost)
            return found.value
        known = _Known(None)
        self._known.append(known)
        before = self._budget.left
        read(bits >> 1, depth, known)
        known.cost = before - self._budget.left + 1
        return known.value

    def _date(self, bits: int, depth: int, known: _Known) -> None:
        del bits, depth
        known.value = Date(self._double())

    def _array(self, count: int, depth: int, known: _Known) -> None:
        """A list; with names in it, a dict that has the numbered ones by their number, as text."""
        named: dict[str, Value] = {}
        while name := self._text():
            named[name] = self.value(depth + 1)
        numbered = [self.value(depth + 1) for _ in range(count)]
        known.value = named | {str(place): value for place, value in enumerate(numbered)} if named else numbered

    def _object(self, bits: int, depth: int, known: _Known) -> None:
        traits = self._traits_of(bits)
        found: dict[str, Value] = {name: self.value(depth + 1) for name in traits.names}
        while traits.dynamic and (name := self._text()):
            found[name] = self.value(depth + 1)
        known.value = found

    def _traits_of(self, bits: int) -> _Traits:
        if not bits & 1:
            return self._traits[bits >> 1]
        if bits & 2:
            reason = f"AMF3 object of the class {self._text()[:80]!r}, which is externalizable, is not understood"
            raise PeerError(reason)
        self._text()  # the class
        names = []
        for _ in range(bits >> 3):
            self._budget.spend(0)
            names.append(self._text())
        traits = _Traits(tuple(names), bool(bits & 4))
        self._traits.append(traits)
        return traits

    def _dictionary(self, count: int, depth: int, known: _Known) -> None:
        self._byte()  # whether keys are weak
        found: dict[str, Value] = {}
        for _ in range(count):
            key = self.value(depth + 1)
            found[key if isinstance(key, str) else str(key)[:80]] = self.value(depth + 1)
        known.value = found

    def _numbers(self, form: struct.Struct, count: int, depth: int, known: _Known) -> None:
        del depth
        self._byte()  # whether its length is fixed
        self._budget.spend(0, count)
        numbers = [form.unpack_from(self._view, self.position + place * form.size)[0] for place in range(count)]
        self.position += count * form.size
        known.value = [float(number) for number in numbers]

    def _objects(self, count: int, depth: int, known: _Known) -> None:
        self._byte()
        self._text()  # the class
        known.value = [self.value(depth + 1) for _ in range(count)]

    def _long_text(self, size: int, depth: int, known: _Known) -> None:
        """XML and byte arrays: the latter as far as they are text."""
        del depth
        known.value = self._characters(size)

    def _text(self) -> str:
        bits = self._u29()
        if not bits & 1:
            return self._texts[bits >> 1]
        text = self._characters(bits >> 1)
        if text:  # the empty one is never referred to (§1.3.2)
            self._texts.append(text)
        return text

    def _characters(self, size: int) -> str:
        start = self.position
        self.position = start + size
        if self.position > len(self._view):
            raise IndexError
        return str(self._view[start : self.position], "utf-8", "replace")

    def _double(self) -> float:
        (number,) = _DOUBLE_FORM.unpack_from(self._view, self.position)
        self.position += 8
        return float(number)

    def _u29(self) -> int:
        """§1.3.1: seven bits in each of up to three bytes, eight in a fourth."""
        number = 0
        for _ in range(3):
            byte = self._byte()
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                return number
        return number << 8 | self._byte()

    def _byte(self) -> int:
        byte = self._view[self.position]
        self.position += 1
        return byte


_READ: dict[int, Callable[[Amf3Reader, int, int, _Known], None]] = {
    _DATE: Amf3Reader._date,
    _ARRAY: Amf3Reader._array,
    _OBJECT: Amf3Reader._object,
    _DICTIONARY: Amf3Reader._dictionary,
    _OBJECTS: Amf3Reader._objects,
    _XML_DOCUMENT: Amf3Reader._long_text,
    _XML: Amf3Reader._long_text,
    _BYTES: Amf3Reader._long_text,
}
