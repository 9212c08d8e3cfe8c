"""Who may come back while the catalogue does not answer: nobody who would not be let in if it did."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.admission import Admission, Credential, Publisher, SessionFacts, readmit
from domain.kinds import Slot
from domain.refusals import Refusal
from domain.states import SessionState
from tests.domain.test_admission import CLASS, END, KEY, LIMITS, START


def _no_return(
    credential: Credential | None = KEY,
    session: SessionFacts | None = CLASS,
    current: Publisher | None = None,
    *,
    owned: bool = True,
    now: datetime = START,
    session_id: UUID | None = None,
) -> Refusal:
    with pytest.raises(Refusal) as no:
        readmit(credential, session, current, owned=owned, now=now, limits=LIMITS, session_id=session_id)
    return no.value


def test_without_the_catalogue_who_was_let_in_before_comes_back_to_a_session_that_is_here() -> None:
    live = replace(CLASS, state=SessionState.live)
    assert readmit(KEY, live, None, owned=True, now=START, limits=LIMITS) == Admission(takes_over=False)
    dead = Publisher(active=True, last_media_at=START - timedelta(seconds=3))
    assert readmit(KEY, live, dead, owned=True, now=START, limits=LIMITS).takes_over


def test_without_the_catalogue_everybody_else_waits() -> None:
    assert _no_return(None, None).code == "catalogue_away", "a key that was never let in may be right all the same"
    assert _no_return(owned=False).code == "catalogue_away"
    for slot in (Slot.backup, Slot.rehearsal, Slot.stage):
        assert _no_return(replace(KEY, slot=slot)).code == "catalogue_away"


def test_without_the_catalogue_what_it_said_last_holds() -> None:
    assert _no_return(replace(KEY, revoked_at=START)).code == "key_revoked"
    assert _no_return(now=KEY.not_after).code == "key_expired"
    assert _no_return(now=END + timedelta(minutes=30)).code == "outside_window"
    assert _no_return(session=replace(CLASS, state=SessionState.ended)).code == "session_over"
    assert _no_return(current=Publisher(active=True, last_media_at=START)).code == "key_in_use"
    assert _no_return(session_id=UUID(int=2)).code == "unknown_key"
