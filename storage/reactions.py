"""What a room does when it hears a fact: it changes rows in the pump's transaction and orders jobs.

Facts are delivered at least once, so a reaction must be idempotent: rows by upsert, jobs by their id.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.facts import Fact
from storage.catalogue.transaction import Transaction


@dataclass(frozen=True)
class JobOrder:
    """A job to be put into a queue once the transaction is committed; `job_id` makes it one of its kind."""

    queue: str
    job: str
    arguments: tuple[str, ...]
    job_id: str


Reaction = Callable[[Transaction, Any, datetime], Awaitable[Sequence[JobOrder]]]
Reactions = Mapping[type[Fact], Reaction]
