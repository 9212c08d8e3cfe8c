"""Who reviews a session: found among those who can, named, replaced. Who is replaced sees ahead no longer."""

from datetime import datetime
from uuid import UUID

from api.permit import require_for
from api.sessions.actions import locked, readable, scope_of
from api.shapes import Namesake
from api.versions import Seen
from domain.kinds import Role
from domain.live_review import Reviewed, may_review, require_may_change, require_may_review
from domain.permissions import PERMISSIONS, Action
from domain.refusals import Refusal, RefusalCode
from storage.catalogue import accounts, withdrawals
from storage.catalogue.sign_ins import Known
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Actor, Transaction

MOST_FOUND = 20
MOST_LOOKED_AT = 200
ROLES = frozenset(role for role in Role if Action.session_control in PERMISSIONS[role])


async def candidates(tx: Transaction, known: Known, session_id: UUID, q: str) -> list[Namesake]:
    """Who could review the session, by their names: so few that a word narrows them."""
    session = await readable(tx, known, session_id)
    require_for(known, Action.session_name_reviewer, scope_of(session))
    found = await accounts.with_roles(tx, ROLES, q=q, limit=MOST_LOOKED_AT)
    grants = await accounts.grants_by_account(tx, [one.id for one in found])
    reviewed = _reviewed(session)
    fit = [one for one in found if may_review(grants[one.id], reviewed, one.id)]
    return [Namesake(one.id, one.display_name, one.login) for one in fit[:MOST_FOUND]]


async def name(
    tx: Transaction, known: Known, actor: Actor, session_id: UUID, account_id: UUID | None, seen: Seen, now: datetime
) -> Session:
    """The session with another reviewer, or none. Refusals: those of `domain.live_review`, account_disabled."""
    session = await locked(tx, known, session_id, Action.session_name_reviewer, seen)
    reviewed, before = _reviewed(session), session.reviewer_id
    require_may_change(reviewed, account_id)
    if account_id is not None:
        account = await accounts.get(tx, account_id)
        if account.disabled_at is not None:
            raise Refusal(RefusalCode.account_disabled)
        require_may_review(await accounts.grants_of(tx, account_id), reviewed, account_id)
    if account_id == before:
        return session
    session.reviewer_id = account_id
    await tx.session.flush()
    if before is not None:
        await withdrawals.withdraw(tx, session.id, before, now, previews_only=True)
    said = {"before": str(before) if before else None, "after": str(account_id) if account_id else None}
    await tx.audit(actor, "session_reviewer_named", "session", session.id, **said)
    return session


def _reviewed(session: Session) -> Reviewed:
    return Reviewed(
        session.kind,
        session.state,
        session.delay_seconds,
        session.reviewer_id,
        session.instructor_id,
        scope_of(session),
        was_live=session.went_live_at is not None,
    )
