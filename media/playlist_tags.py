"""The pieces a playlist's lines are made of (RFC 8216bis §4.2): attribute lists, numbers, quoted strings, instants.

A text that would break out of its line is refused when written as well as when read.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from media.malformed import MalformedMedia

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')
_INTEGER = re.compile(r"[0-9]{1,18}")
_DECIMAL = re.compile(r"[0-9]{1,10}(?:\.[0-9]{0,18})?")
_BYTE_RANGE = re.compile(r"([0-9]{1,18})(?:@([0-9]{1,18}))?")


def attributes(pairs: Iterable[tuple[str, str | None]]) -> str:
    """An attribute list of the pairs whose value is not None."""
    return ",".join(f"{name}={value}" for name, value in pairs if value is not None)


def parse_attributes(text: str) -> dict[str, str]:
    """An attribute list's values, quotes taken off. Raises MalformedMedia."""
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _ATTRIBUTE.match(text, position)
        if match is None or match[1] in found:
            message = f"attribute list is broken at character {position}"
            raise MalformedMedia(message)
        found[match[1]] = match[2].strip('"')
        position = match.end()
    return found


def quoted(text: str) -> str:
    """A quoted string. Raises MalformedMedia for what it cannot hold."""
    if any(character in text for character in '"\r\n'):
        message = "quote or line break in a quoted string"
        raise MalformedMedia(message)
    return f'"{text}"'


def uri_line(uri: str) -> str:
    """A URI on a line of its own. Raises MalformedMedia for one that is empty, broken, or would be taken for a tag."""
    if not uri or uri[0] == "#" or uri != uri.strip() or "\n" in uri or "\r" in uri:
        message = "URI that is empty, or cannot stand on a line"
        raise MalformedMedia(message)
    return f"{uri}\n"


def seconds(duration: float) -> str:
    """A duration to the microsecond: finer than a tick of any track, so that hours of them do not drift."""
    text = f"{duration:.6f}".rstrip("0")
    return text + "0" if text[-1] == "." else text


def parse_seconds(text: str) -> float:
    """A decimal number of seconds. Raises MalformedMedia."""
    if not _DECIMAL.fullmatch(text):
        message = f"not a number of seconds: {text[:20]!r}"
        raise MalformedMedia(message)
    return float(text)


def parse_integer(text: str) -> int:
    """A decimal integer. Raises MalformedMedia."""
    if not _INTEGER.fullmatch(text):
        message = f"not an integer: {text[:20]!r}"
        raise MalformedMedia(message)
    return int(text)


def parse_byte_range(text: str) -> tuple[int, int | None]:
    """Length and offset of `n[@o]`. Raises MalformedMedia."""
    match = _BYTE_RANGE.fullmatch(text)
    if match is None:
        message = f"not a byte range: {text[:20]!r}"
        raise MalformedMedia(message)
    return int(match[1]), None if match[2] is None else int(match[2])


def date_time(instant: datetime) -> str:
    """An aware instant in UTC, to the millisecond."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_date_time(text: str) -> datetime:
    """An ISO 8601 instant, UTC where it names no zone. Raises MalformedMedia."""
    try:
        instant = datetime.fromisoformat(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = f"not an instant: {text[:40]!r}"
        raise MalformedMedia(message) from error
