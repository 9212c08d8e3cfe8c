"""A rule's typed no.

Rule of this file: a rule says no only by raising `Refusal` with a code from the one list below. A code is an interface:
the edges (problem details in the API, `onStatus` in RTMP, HTTP status in WHIP, the pages' languages) each translate it
once, from a table of their own, so nothing here knows a status or a sentence. Codes are never renamed.
"""

from datetime import UTC, datetime
from enum import StrEnum, auto
from uuid import UUID

FactValue = str | int | bool | datetime | UUID | None


class RefusalCode(StrEnum):
    """Every reason a rule may give for its no."""

    # What was asked for does not hold together
    invalid_input = auto()
    too_large = auto()
    not_found = auto()
    stale_version = auto()
    precondition_required = auto()
    idempotency_conflict = auto()
    confirmation_mismatch = auto()
    move_not_allowed = auto()

    # Who asks
    not_signed_in = auto()
    not_permitted = auto()
    csrf_failed = auto()
    bad_credentials = auto()
    account_locked = auto()
    account_disabled = auto()
    password_too_weak = auto()
    rate_limited = auto()
    self_grant = auto()
    roles_conflict = auto()
    scope_not_allowed = auto()

    # May this encoder publish
    unknown_key = auto()
    key_revoked = auto()
    key_expired = auto()
    outside_window = auto()
    session_over = auto()
    session_cancelled = auto()
    session_not_scheduled = auto()
    filing_missing = auto()
    key_in_use = auto()
    node_full = auto()
    department_full = auto()
    disk_full = auto()
    catalogue_away = auto()
    unsupported_codec = auto()

    # May this person watch
    token_invalid = auto()
    token_expired = auto()
    not_released = auto()
    viewer_removed = auto()
    not_live = auto()

    # Is this order to an ingest node genuine
    control_invalid = auto()
    control_expired = auto()

    # Timetable, filing, review
    window_invalid = auto()
    slot_taken = auto()
    filing_incomplete = auto()
    review_missing = auto()
    wrong_reviewer = auto()
    self_review = auto()

    # The end of a recording
    already_promoted = auto()
    already_purged = auto()
    on_hold = auto()
    not_due = auto()


class Refusal(Exception):  # noqa: N818 - not an error of ours: a rule did its work and said no
    """A rule's no: its code and the facts a person needs to understand or to mend it.

    Facts hold no secret and no sentence: instants are kept as ISO 8601 in UTC, ids and enum members as text.
    An unknown code is a ValueError: a fault of ours, not a refusal.
    """

    code: RefusalCode
    facts: dict[str, str | int]

    def __init__(self, code: RefusalCode | str, /, **facts: FactValue) -> None:
        self.code = RefusalCode(code)
        self.facts = {name: _plain(value) for name, value in facts.items() if value is not None}
        super().__init__(self.code.value)

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.code.value} ({told})" if told else self.code.value


def _plain(value: str | int | datetime | UUID) -> str | int:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a refusal's instants carry their zone")
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, int):
        return value
    return str(value)
