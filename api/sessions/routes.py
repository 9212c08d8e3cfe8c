"""/api/v1/sessions: the timetable as people see it, and what they do with a session."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.params import Parameter

from api import permit
from api.playback_tokens import playback
from api.resources import Resources
from api.sessions import actions, reviewer, viewers
from api.sessions.schemas import IngestShape, ReviewerChange, SessionChange, SessionCommand, SessionShape, View
from api.sessions.viewers import ViewersShape
from api.shapes import Cursor, Limit, Namesake, PageShape, PlaybackShape, ReasonGiven, Word, aware, page_size
from api.versions import etag, seen
from domain.permissions import Action
from domain.states import SessionState
from storage.catalogue import sessions
from storage.catalogue.sessions import Wanted
from storage.catalogue.sign_ins import Known
from storage.catalogue.transaction import Actor
from storage.live_state import LiveState, read, read_refusal

Since = Annotated[datetime | None, Parameter(query="from")]
Until = Annotated[datetime | None, Parameter(query="to")]


@get("/sessions", opt=permit.action(Action.session_read))
async def listing(
    resources: Resources, known: Known, since: Since = None, until: Until = None, mine: bool = False,
    session_state: Annotated[list[SessionState] | None, Parameter(query="state")] = None,
    cursor: Cursor = None, limit: Limit = None,
) -> PageShape[SessionShape]:  # fmt: skip
    """Sessions within reach, by their start; `from` and `to` carry their zone, `mine` narrows to one's own."""
    wanted = Wanted(aware(since, "from"), aware(until, "to"), session_state or (), known.account.id if mine else None)
    size = page_size(resources.settings, limit)
    async with resources.catalogue.transaction() as tx:
        reach = permit.reach_of(known, Action.session_read)
        page = await sessions.listing(tx, reach, known.account.id, wanted, cursor=cursor, limit=size)
        return PageShape(await actions.shapes(tx, known, page.items), page.next_cursor)


@get("/sessions/{session_id:uuid}", opt=permit.action(Action.session_read))
async def one(resources: Resources, known: Known, session_id: UUID) -> Response[SessionShape]:
    """One session, with its version as ETag."""
    async with resources.catalogue.transaction() as tx:
        (shape,) = await actions.shapes(tx, known, [await actions.readable(tx, known, session_id)])
    return Response(shape, headers=etag(shape.version))


@patch("/sessions/{session_id:uuid}", opt=permit.action(Action.session_edit))
async def change(
    request: Request[Any, Any, Any], resources: Resources, known: Known, actor: Actor, session_id: UUID,
    data: SessionChange,
) -> Response[SessionShape]:  # fmt: skip
    """Change a session's title, its room, or before it was live its delay; needs If-Match."""
    async with resources.catalogue.transaction() as tx:
        session = await actions.change(tx, known, actor, session_id, data, seen(request))
        (shape,) = await actions.shapes(tx, known, [session])
    return Response(shape, headers=etag(shape.version))


@get("/sessions/{session_id:uuid}/reviewers", opt=permit.action(Action.session_name_reviewer))
async def reviewers(resources: Resources, known: Known, session_id: UUID, q: Word = None) -> PageShape[Namesake]:
    """Who could review the session, by their names, twenty at most; `q` is found anywhere in login or name."""
    async with resources.catalogue.transaction() as tx:
        return PageShape(await reviewer.candidates(tx, known, session_id, q or ""), None)


@patch("/sessions/{session_id:uuid}/reviewer", opt=permit.action(Action.session_name_reviewer))
async def name_reviewer(
    request: Request[Any, Any, Any], resources: Resources, known: Known, actor: Actor, session_id: UUID,
    data: ReviewerChange,
) -> Response[SessionShape]:  # fmt: skip
    """Name who reviews the session, or nobody; needs If-Match. While it is live only another for the one it has."""
    now = resources.clock()
    async with resources.catalogue.transaction() as tx:
        session = await reviewer.name(tx, known, actor, session_id, data.account_id, seen(request), now)
        (shape,) = await actions.shapes(tx, known, [session])
    return Response(shape, headers=etag(shape.version))


@get("/sessions/{session_id:uuid}/ingest", opt=permit.action(Action.session_publish))
async def ingest(resources: Resources, known: Known, actor: Actor, session_id: UUID) -> IngestShape:
    """Server address and key for an encoder, and the WHIP address for a browser."""
    async with resources.catalogue.transaction() as tx:
        return await actions.ingest_address(tx, resources, known, actor, session_id, renew=False)


@post("/sessions/{session_id:uuid}/ingest/renewal", opt=permit.action(Action.session_publish))
async def renewal(resources: Resources, known: Known, actor: Actor, session_id: UUID) -> IngestShape:
    """A new key; the old one is refused from now on."""
    async with resources.catalogue.transaction() as tx:
        return await actions.ingest_address(tx, resources, known, actor, session_id, renew=True)


@get("/sessions/{session_id:uuid}/live", opt=permit.action(Action.session_read))
async def live(resources: Resources, known: Known, session_id: UUID) -> LiveState:
    """What the session's encoder does now, for who publishes or controls it; without an encoder, and for others, only
    the state.
    """
    async with resources.catalogue.transaction() as tx:
        session = await actions.readable(tx, known, session_id)
    found = await read(resources.valkey, session_id)
    if found is None or found.take_id is None:
        found = actions.why_nobody_publishes(
            found or LiveState(session_id=session_id, node="", state=session.state, at=resources.clock()),
            await read_refusal(resources.valkey, session_id),
        )
    return actions.shown_live(known, session, found)


def _command(order: SessionCommand, says: str) -> HTTPRouteHandler:
    @post(
        f"/sessions/{{session_id:uuid}}/{order}",
        status_code=200,
        opt=permit.action(Action.session_control),
        operation_id=f"sessions_{order}",
        summary=order.capitalize(),
        description=f"{says} 202 where the order stands but the server that has the session has not said that it "
        "took it.",
        responses={202: ResponseSpec(SessionShape, generate_examples=False, description="Accepted; not known done")},
    )
    async def command(
        resources: Resources, known: Known, actor: Actor, session_id: UUID, data: ReasonGiven
    ) -> Response[SessionShape]:
        session, done = await actions.command(resources, known, actor, session_id, order, data.reason)
        async with resources.catalogue.transaction() as tx:
            (shape,) = await actions.shapes(tx, known, [session])
        return Response(shape, status_code=200 if done else 202)

    return command


COMMANDS = [
    _command("cut", "Nothing more goes out; the session goes on."),
    _command("resume", "The cut is over."),
    _command("kick", "The encoder's connection is closed; it may come back."),
    _command("end", "The session is over for good."),
]


@post("/sessions/{session_id:uuid}/playback", status_code=201, opt=permit.action(Action.session_read))
async def watch(
    request: Request[Any, Any, Any], resources: Resources, known: Known, session_id: UUID, view: View = "audience"
) -> PlaybackShape:  # fmt: skip
    """An address that plays the session live. For whoever publishes or controls it `preview` plays it before it is
    released to its audience, and on while it is cut; `monitor` what the audience sees. Neither is counted.
    """
    async with resources.catalogue.transaction() as tx:
        session = await actions.require_watchable(tx, known, session_id)
    return playback(request, resources, known, actions.kind_of_watching(known, session, view), session_id)


@get("/sessions/{session_id:uuid}/viewers", opt=permit.action(Action.session_control))
async def watching(resources: Resources, known: Known, session_id: UUID, q: Word = None) -> ViewersShape:
    """Who watches the session now, two hundred by name at most (`q` is found anywhere in login or name), and who was
    sent away. The first answer may know of nobody yet: ask again after two seconds.
    """
    return await viewers.listed(resources, known, session_id, q or "")


_VIEWER = "/sessions/{session_id:uuid}/viewers/{account_id:uuid}"


@post(f"{_VIEWER}/removal", status_code=204, opt=permit.action(Action.session_control))
async def remove_viewer(
    resources: Resources, known: Known, actor: Actor, session_id: UUID, account_id: UUID, data: ReasonGiven
) -> None:  # fmt: skip
    """Send one viewer away for the rest of the session: what was given to watch it by is void within two seconds."""
    async with resources.catalogue.transaction() as tx:
        await viewers.remove(tx, known, actor, session_id, account_id, data.reason, resources.clock())


@post(f"{_VIEWER}/readmission", status_code=204, opt=permit.action(Action.session_control))
async def readmit_viewer(
    resources: Resources, known: Known, actor: Actor, session_id: UUID, account_id: UUID, data: ReasonGiven
) -> None:  # fmt: skip
    """Let a viewer in again who was sent away."""
    async with resources.catalogue.transaction() as tx:
        await viewers.readmit(tx, known, actor, session_id, account_id, data.reason)


SESSION_ROUTES = [
    listing, one, change, reviewers, name_reviewer, ingest, renewal, live, *COMMANDS, watch, watching, remove_viewer,
    readmit_viewer,
]  # fmt: skip
