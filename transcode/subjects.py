"""The names of pieces of work: one for each thing to be done, so that it is ordered, counted and found once."""

from uuid import UUID

ENCODE = "encode"


def encode(reel_id: UUID, ladder_plan_id: UUID) -> str:
    """All renditions and stills of one reel under one plan."""
    return f"{ENCODE}-{reel_id}-{ladder_plan_id}"
