"""What an import did, told to whoever imported and kept beside the file's digest."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from teaching.rows import BadRow


@dataclass
class ImportReport:
    """Rows counted by what became of each. `past` are classes that were over and unknown, which make nothing;
    `kept` are sessions that the file no longer has, but that one of its unreadable rows may have meant.
    """

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    cancelled: int = 0
    past: int = 0
    kept: int = 0
    rejected: list[BadRow] = field(default_factory=list)

    def reject(self, rows: Iterable[BadRow]) -> None:
        """Keeps what was not taken, by number."""
        self.rejected = sorted((*self.rejected, *rows), key=lambda row: row.number)

    def counts(self) -> dict[str, int]:
        """The numbers alone."""
        return {
            "created": self.created,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "cancelled": self.cancelled,
            "past": self.past,
            "kept": self.kept,
        }

    def to_json(self) -> dict[str, Any]:
        """As it is kept and sent."""
        rejected = [{"row": row.number, "code": row.code.value, "detail": row.detail} for row in self.rejected]
        return {**self.counts(), "rejected": rejected}
