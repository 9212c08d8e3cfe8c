"""Who watches a session now, and sending one of them away: what that person was given to watch it by counts no more, on
any node, and nothing more is given until the person is let in again.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from api.permit import require_for
from api.resources import Resources
from api.sessions.actions import locked, readable, scope_of
from api.shapes import Namesake
from domain.permissions import Action, may
from domain.refusals import Refusal, RefusalCode
from storage import live_viewers
from storage.catalogue import accounts, sessions, withdrawals
from storage.catalogue.sign_ins import Known
from storage.catalogue.tables.account import Account
from storage.catalogue.transaction import Actor, Transaction

MOST_SHOWN = 200


class ViewersShape(msgspec.Struct):
    """Who watches now, by name, and who was sent away. `watching` counts those who are not shown too."""

    watching: int
    viewers: list[Namesake]
    removed: list["RemovedShape"]


class RemovedShape(msgspec.Struct):
    """Somebody who was sent away, and when."""

    viewer: Namesake
    at: datetime


async def listed(resources: Resources, known: Known, session_id: UUID, q: str) -> ViewersShape:
    """The audience at this moment; who asks again every few seconds sees it change."""
    async with resources.catalogue.transaction() as tx:
        session = await readable(tx, known, session_id)
        own = sessions.is_own(session, known.account.id, Action.session_control)
        require_for(known, Action.session_control, scope_of(session), own=own)
    watching = await live_viewers.want(resources.valkey, session_id, resources.clock())
    async with resources.catalogue.transaction() as tx:
        removed = await withdrawals.barred(tx, session_id)
        here = [one for one in watching if one not in removed]
        shown = await accounts.named(tx, here, q=q, limit=MOST_SHOWN)
        sent_away = await accounts.by_id(tx, removed.keys())
    away = [RemovedShape(_shown(one), removed[one.id]) for one in sent_away.values()]
    return ViewersShape(len(here), [_shown(one) for one in shown], sorted(away, key=lambda one: one.at))


async def remove(
    tx: Transaction, known: Known, actor: Actor, session_id: UUID, account_id: UUID, reason: str, now: datetime
) -> None:
    """Sends a viewer away for the rest of the session. Whoever controls the session is no viewer: not_permitted."""
    session = await locked(tx, known, session_id, Action.session_control, None)
    await accounts.get(tx, account_id)
    grants = await accounts.grants_of(tx, account_id)
    own = sessions.is_own(session, account_id, Action.session_control)
    if may(grants, Action.session_control, scope_of(session), own):
        raise Refusal(RefusalCode.not_permitted, action=Action.session_control, account_id=account_id)
    await withdrawals.withdraw(tx, session_id, account_id, now, bars=True)
    await tx.audit(actor, "viewer_removed", "session", session_id, account=str(account_id), reason=reason)


async def readmit(
    tx: Transaction, known: Known, actor: Actor, session_id: UUID, account_id: UUID, reason: str
) -> None:  # fmt: skip
    """Lets the person in again, who has to ask for an address anew. Refusal("not_found") for who was not sent away."""
    await locked(tx, known, session_id, Action.session_control, None)
    if not await withdrawals.readmit(tx, session_id, account_id):
        raise Refusal(RefusalCode.not_found, kind="removed_viewer", id=account_id)
    await tx.audit(actor, "viewer_readmitted", "session", session_id, account=str(account_id), reason=reason)


def _shown(account: Account) -> Namesake:
    return Namesake(account.id, account.display_name, account.login)
