"""Shapes that several resources share."""

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

import msgspec

from domain.refusals import Refusal, RefusalCode

T = TypeVar("T")

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class PageShape(msgspec.Struct, Generic[T]):
    """One page of a list; `next_cursor` asks for the next one and is null at the end."""

    items: list[T]
    next_cursor: str | None


class Person(msgspec.Struct):
    """A person as others see them."""

    id: UUID
    display_name: str


class Place(msgspec.Struct):
    """A programme or a cohort, by its title."""

    id: UUID
    title: str


class ReasonGiven(msgspec.Struct):
    """Why somebody does what must be answered for."""

    reason: Reason


class PlaybackShape(msgspec.Struct):
    """Where to play something, and until when; the token in the path belongs to this sign-in alone."""

    url: str
    expires_at: datetime
    live: bool


def aware(instant: datetime | None, field: str) -> datetime | None:
    """An instant of a query in UTC; Refusal("invalid_input") for one without its zone."""
    if instant is not None and instant.tzinfo is None:
        raise Refusal(RefusalCode.invalid_input, field=field, needs="a time zone")
    return None if instant is None else instant.astimezone(UTC)
