"""Shapes that several resources share."""

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

import msgspec
from litestar.params import Parameter

from api.settings import ApiSettings
from domain.refusals import Refusal, RefusalCode

T = TypeVar("T")

NUL = "\x00"
"""PostgreSQL keeps it in no text: what holds one is refused at the door."""
NO_NUL = r"^[^\x00]*$"
LARGEST_MS = 2**31 - 1
"""What the catalogue's columns of milliseconds hold: 24 days."""
LONGEST_WORD = 100

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Summary = Annotated[str, msgspec.Meta(max_length=4000)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_MS)]

Word = Annotated[str | None, Parameter(pattern=NO_NUL, max_length=LONGEST_WORD)]
Cursor = Annotated[
    str | None, Parameter(pattern=NO_NUL, max_length=LONGEST_WORD, description="`next_cursor` of the page before")
]
Limit = Annotated[
    int | None, Parameter(ge=1, description="Items of the page; more than `page_size_max` (200) gives that many")
]


class Given(msgspec.Struct, forbid_unknown_fields=True):
    """What a caller sends: a field that is not documented is refused, and so is text with a NUL."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            for text in value if isinstance(value, list) else (value,):
                if isinstance(text, str) and NUL in text:
                    raise ValueError(f"`{name}` holds a NUL character")


class PageShape(msgspec.Struct, Generic[T]):
    """One page of a list; `next_cursor` asks for the next one and is null at the end."""

    items: list[T]
    next_cursor: str | None


class Person(msgspec.Struct):
    """A person as others see them."""

    id: UUID
    display_name: str


class Namesake(msgspec.Struct):
    """A person as those see them who must not take one for another of the same name."""

    id: UUID
    display_name: str
    login: str


class Place(msgspec.Struct):
    """A programme or a cohort, by its title."""

    id: UUID
    title: str


class ReasonGiven(Given):
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
    try:
        return None if instant is None else instant.astimezone(UTC)
    except OverflowError as error:
        raise Refusal(RefusalCode.invalid_input, field=field, needs="a year from 1 to 9999 in UTC") from error


def page_size(settings: ApiSettings, limit: int | None) -> int:
    """How many items a page gets."""
    return min(limit or settings.page_size, settings.page_size_max)
