"""A judge of live playlists that shares no code with what makes them: RFC 8216bis, section by section."""

import itertools
import re
from dataclasses import dataclass, field


@dataclass
class Seen:
    """What a client gathers from a playlist's lines."""

    target: int = 0
    part_target: float = 0.0
    durations: list[float] = field(default_factory=list)
    uris: list[str] = field(default_factory=list)
    parts: list[list[tuple[float, bool]]] = field(default_factory=list)
    open_parts: list[tuple[float, bool]] = field(default_factory=list)
    skipped: int = 0


def read(text: str) -> Seen:
    seen = Seen()
    for line in text.splitlines():
        if line.startswith("#EXT-X-TARGETDURATION:"):
            seen.target = int(line.split(":")[1])
        elif match := re.match(r"#EXT-X-PART-INF:PART-TARGET=([\d.]+)$", line):
            seen.part_target = float(match[1])
        elif match := re.match(r"#EXT-X-SKIP:SKIPPED-SEGMENTS=(\d+)$", line):
            seen.skipped = int(match[1])
        elif match := re.match(r"#EXT-X-PART:DURATION=([\d.]+),(.*)", line):
            seen.open_parts.append((float(match[1]), "INDEPENDENT=YES" in match[2]))
        elif match := re.match(r"#EXTINF:([\d.]+),$", line):
            seen.durations.append(float(match[1]))
        elif not line.startswith("#"):
            seen.uris.append(line)
            seen.parts.append(seen.open_parts)
            seen.open_parts = []
    return seen


def check_playlist(text: str, before: str, delta: str) -> None:
    """A version, the one before it (empty for the first) and its delta update."""
    seen, update = read(text), read(delta)
    assert text.startswith("#EXTM3U\n")
    assert text.endswith("\n")
    _check_lengths(seen)
    _check_control(text, seen)
    if before:
        _check_growth(text, before)
    assert update.durations == seen.durations[update.skipped :]
    assert update.uris == seen.uris[update.skipped :]
    if update.skipped:
        # 4.4.3.8: the skip boundary is at least six target durations from the end.
        assert sum(update.durations) + sum(d for d, _ in update.open_parts) >= 6 * seen.target


def _check_lengths(seen: Seen) -> None:
    for duration in seen.durations:
        assert round(duration) <= seen.target, "4.4.3.1"
    for parts in [*seen.parts, seen.open_parts]:
        for duration, _ in parts:
            assert duration <= seen.part_target + 1e-9, "4.4.4.9: no part longer than the target"
        for (duration, independent), following in itertools.pairwise(parts):
            assert duration >= 0.85 * seen.part_target or independent or following[1], "4.4.4.9: 85 %"
    for duration, parts in zip(seen.durations, seen.parts, strict=True):
        if parts:
            assert abs(duration - sum(length for length, _ in parts)) < 0.002


def _check_control(text: str, seen: Seen) -> None:
    control = re.search(r"#EXT-X-SERVER-CONTROL:(.*)", text)
    assert control is not None
    values = dict(pair.split("=") for pair in control[1].split(","))
    assert values["CAN-BLOCK-RELOAD"] == "YES"
    assert float(values["CAN-SKIP-UNTIL"]) >= 6 * seen.target
    assert float(values["HOLD-BACK"]) >= 3 * seen.target
    assert float(values["PART-HOLD-BACK"]) >= 3 * seen.part_target - 1e-9


def _check_growth(text: str, before: str) -> None:
    """6.2.1: segments are only added, and nothing that is listed changes."""
    old, new = read(before), read(text)
    assert new.target == old.target
    assert new.part_target >= old.part_target
    assert new.uris[: len(old.uris)] == old.uris
    assert new.durations[: len(old.durations)] == old.durations
    assert len(new.uris) - len(old.uris) in (0, 1)
