"""What a demo made: recordings whose time may be played with, listed in the data folder."""

import json
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from storage.embedded.folder import write_private

NAME = "demo-recordings.json"


def demo_recordings(folder: Path) -> set[UUID]:
    """The recordings that demos on this data folder made."""
    kept = folder / NAME
    return {UUID(one) for one in json.loads(kept.read_text(encoding="utf-8"))} if kept.exists() else set()


def add_demo_recordings(folder: Path, made: Iterable[UUID]) -> None:
    """Remember that the demo made these."""
    known = demo_recordings(folder) | set(made)
    write_private(folder / NAME, json.dumps(sorted(str(one) for one in known)))
