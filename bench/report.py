"""What a benchmark tells: its figures with their goals, as a table for people and as JSON for machines.

The dotted keys of the figures are an interface (design: `by_streams.8.cpu_ratio`): whoever compares runs reads them.
A goal that was missed is said so; nothing here decides whether that is bad.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.measure import machine

HEADINGS = ("figure", "own", "peer", "measured", "goal", "")


@dataclass(frozen=True)
class Figure:
    """One measured value. `value` is None where it could not be measured here; `own` and `peer` say it in words."""

    key: str
    value: float | None
    goal: float | None = None
    at_least: bool = False
    """Whether more is better; else the goal is an upper limit."""
    own: str = ""
    peer: str = ""

    @property
    def missed(self) -> bool:
        """Whether it was measured and is on the wrong side of its goal."""
        if self.value is None or self.goal is None:
            return False
        return self.value < self.goal if self.at_least else self.value > self.goal

    def cells(self) -> tuple[str, ...]:
        """As a row of the table."""
        goal = "" if self.goal is None else f"{'≥' if self.at_least else '≤'} {self.goal:g}"
        measured = "not measured" if self.value is None else f"{self.value:g}"
        verdict = "MISSED" if self.missed else ("" if self.goal is None or self.value is None else "met")
        return (self.key, self.own, self.peer, measured, goal, verdict)


@dataclass(frozen=True)
class Report:
    """All of one run."""

    name: str
    quick: bool
    figures: Sequence[Figure]
    versions: Mapping[str, str]
    notes: Sequence[str] = ()
    raw: Any = None
    machine: Mapping[str, Any] = field(default_factory=machine)

    def to_json(self) -> dict[str, Any]:
        """The figures under their keys, and beside them what they were made of."""
        found: dict[str, Any] = {}
        for one in self.figures:
            *folders, last = one.key.split(".")
            place = found
            for name in folders:
                place = place.setdefault(name, {})
            place[last] = one.value
        about = {
            "name": self.name,
            "quick": self.quick,
            "goals": {one.key: one.goal for one in self.figures if one.goal is not None},
            "missed": [one.key for one in self.figures if one.missed],
            "machine": dict(self.machine),
            "versions": dict(self.versions),
            "notes": list(self.notes),
            "raw": self.raw,
        }
        return found | about

    def text(self) -> str:
        """The table, and under it which goals were missed, the notes, the machine."""
        rows = [HEADINGS, *(one.cells() for one in self.figures)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        missed = [one.key for one in self.figures if one.missed]
        size = "quick" if self.quick else "whole"
        verdict = f"Goals missed: {', '.join(missed)}" if missed else "No measured goal was missed."
        about = " · ".join(f"{name} {value}" for name, value in {**self.machine, **self.versions}.items())
        return "\n".join([f"bench {self.name} ({size})", "", *lines, "", verdict, *self.notes, about])
