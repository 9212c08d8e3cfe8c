"""The names of pieces of work: one for each thing to be done, so that it is ordered, counted and found once."""

from uuid import UUID

ENCODE = "encode"
UUID_LENGTH = 36


def encode(reel_id: UUID, ladder_plan_id: UUID) -> str:
    """All renditions and stills of one reel under one plan."""
    return f"{ENCODE}-{reel_id}-{ladder_plan_id}"


def encoded(subject: str) -> tuple[UUID, UUID]:
    """Reel and ladder plan of a piece of work that `encode` named."""
    ids = subject.removeprefix(f"{ENCODE}-")
    return UUID(ids[:UUID_LENGTH]), UUID(ids[UUID_LENGTH + 1 :])


def job(subject: str, tried: int) -> str:
    """The id of the job of a person's new try, after `tried` runs.

    Another than before: the queue takes no id whose job still is on its way to its end.
    """
    return f"{subject}_{tried}"


def of_job(job_id: str) -> str:
    """The piece of work that a job does, whichever try it is."""
    return job_id.partition("_")[0]
