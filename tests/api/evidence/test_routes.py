"""Evidence of a cut: who opens it, what they see, what is written down of it, and what everybody else gets."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from api.resources import Resources
from domain import playback_token
from domain.kinds import Role
from domain.states import SessionMove
from media.fragments import packets
from media.playlist import parse_media
from retention.purge import purge
from storage.catalogue import audit, recordings, retention, sessions, takes
from storage.catalogue.audit import Wanted
from storage.catalogue.tables.take import Take
from storage.catalogue.transaction import Actor, Catalogue
from storage.objects import keys
from storage.objects.store import ObjectStore
from tests.api.conftest import ORIGIN, Client, Clock, People, School, client_of
from tests.kit.captured import Clip, capture, clip, withhold
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio

REASON = {"reason": "复核"}


@pytest.fixture(scope="module")
def source_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return clip(tmp_path_factory.mktemp("clip") / "source.mp4", size="320x180", rate="200k")


@dataclass
class Cut:
    """A live session of which the first reel was shown and the second was not."""

    session_id: UUID
    recording_id: UUID
    take: Take
    shown_key: str
    withheld_key: str
    withheld: int
    """Access units in what was withheld."""

    @property
    def path(self) -> str:
        return f"/api/v1/recordings/{self.recording_id}/evidence"


@pytest.fixture
async def cut(catalogue: Catalogue, object_store: ObjectStore, school: School, clock: Clock, source_clip: Clip) -> Cut:
    """Reviewed by the publicity office, cut by the teacher after four seconds."""
    async with catalogue.transaction() as tx:
        session = await builders.session(tx, school.place, clock.now, reviewer_id=school.publicity.id)
        take = await builders.take(tx, session, clock.now)
        shown, other = (await capture(tx, object_store, take, source_clip))[:2]
        assert take.recording_id is not None
        kept = await withhold(tx, object_store, take, other)
        init, media = object_store.read(kept.init_key), object_store.read(kept.object_key)
        row = await sessions.lock(tx, session.id)
        await sessions.move(tx, row, SessionMove.cut, clock.now, "误入")
        await tx.audit(Actor.system("t"), "session_cut", "session", session.id, reason="误入")
    return Cut(session.id, take.recording_id, take, shown.object_key, kept.object_key, len(packets(init, media)))


async def opened(client: Client, cut: Cut) -> str:
    """The folder of the evidence's addresses."""
    answer = await client.post(f"{cut.path}/playback", json=REASON)
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["url"]
    return url.removeprefix(ORIGIN).rsplit("/", 1)[0]


async def media_at(client: Client, folder: str) -> list[httpx.Response]:
    """Init and segments of the only rendition, as a player asks for them."""
    master = await client.get(f"{folder}/index.m3u8")
    assert master.status_code == 200, master.text
    playlist = parse_media((await client.get(f"{folder}/source.m3u8")).text)
    names = [playlist.segments[0].map_uri, *(one.uri for one in playlist.segments)]
    return [await client.get(f"{folder}/{name}") for name in names]


async def test_a_reviewer_sees_why_and_plays_what_nobody_saw(
    client: Client, school: School, cut: Cut, catalogue: Catalogue
) -> None:
    await client.sign_in(school.publicity.login)
    assert (await client.get(f"/api/v1/recordings/{cut.recording_id}")).status_code in (403, 404)
    shown = (await client.get(cut.path)).json()
    assert [(one["order"], one["reason"]) for one in shown["cuts"]] == [("cut", "误入")]
    assert [one["duration_ms"] for one in shown["stretches"]] == [4000]
    assert shown["title"] == "教育心理学 3"
    init, *segments = await media_at(client, await opened(client, cut))
    assert len(packets(init.content, b"".join(one.content for one in segments))) == cut.withheld
    async with catalogue.transaction() as tx:
        written = await audit.entries(tx, Wanted(item_kind="recording", item_id=str(cut.recording_id)))
    assert [(one.action, one.actor_id) for one in written[:2]] == [
        ("evidence_opened", school.publicity.id), ("evidence_listed", school.publicity.id)
    ]  # fmt: skip
    assert written[0].details["reason"] == "复核"


async def test_who_may_open_it_and_who_may_not(resources: Resources, school: School, people: People, cut: Cut) -> None:
    inspector, other = await people.with_role(Role.inspector), await people.with_role(Role.publicity_office)
    for account, status in (
        (school.academic, 201), (inspector, 201), (school.manager, 201), (school.publicity, 201),
        (school.teacher, 403), (school.learner, 403), (school.stranger, 403), (other, 404),
    ):  # fmt: skip
        async with client_of(resources) as browser:
            await browser.sign_in(account.login)
            answer = await browser.post(f"{cut.path}/playback", json=REASON)
            assert answer.status_code == status, (account.display_name, answer.text)
            assert (await browser.get(cut.path)).status_code == (200 if status == 201 else status)


async def test_no_other_door_leads_to_it(
    client: Client, school: School, cut: Cut, resources: Resources, clock: Clock
) -> None:
    """The recording's own replay, its index, its numbers, its pictures, and tokens of other kinds."""
    await client.sign_in(school.academic.login)
    url: str = (await client.post(f"/api/v1/recordings/{cut.recording_id}/playback")).json()["url"]
    folder = url.removeprefix(ORIGIN).rsplit("/", 1)[0]
    playlist = parse_media((await client.get(f"{folder}/source.m3u8")).text)
    assert sum(one.duration_seconds for one in playlist.segments) == 4
    for name in ("source/2-0.m4s", "source/init-2.mp4", "evidence.m3u8", "evidence/1-0.m4s", "evidence/2-0.m4s"):
        assert (await client.get(f"{folder}/{name}")).status_code == 404, name
    claim = playback_token.PlaybackClaim(
        "evidence", cut.recording_id, school.academic.id, school.academic.id, clock.now + timedelta(hours=1)
    )
    forged = playback_token.sign(b"x" * 32, claim)
    of_nobody = playback_token.sign(resources.keys.playback, claim)
    other_item = playback_token.sign(resources.keys.playback, replace(claim, item_id=cut.session_id))
    for token in (forged, of_nobody, other_item):
        answer = await client.get(f"/replay/{cut.recording_id}/{token}/index.m3u8")
        assert answer.status_code in (401, 403, 410), answer.text
    live = playback_token.sign(resources.keys.playback, replace(claim, kind="live"))
    assert (await client.get(f"/replay/{cut.recording_id}/{live}/source/1-0.m4s")).status_code in (401, 403)
    shown = (await client.get(f"/api/v1/recordings/{cut.recording_id}")).text
    assert cut.withheld_key not in shown
    assert "evidence" not in (await client.get(f"/api/v1/recordings/{cut.recording_id}/stills")).text


async def test_the_reason_is_for_those_who_answer_for_it(resources: Resources, school: School, cut: Cut) -> None:
    for account, reason in ((school.publicity, "误入"), (school.teacher, "误入"), (school.learner, None)):
        async with client_of(resources) as browser:
            await browser.sign_in(account.login)
            shown = (await browser.get(f"/api/v1/sessions/{cut.session_id}")).json()
            assert (shown["state"], shown["cut_reason"]) == ("cut", reason)


async def test_a_sign_in_that_is_over_opens_nothing_more(
    client: Client, resources: Resources, school: School, cut: Cut, clock: Clock
) -> None:
    await client.sign_in(school.academic.login)
    folder = await opened(client, cut)
    async with client_of(resources) as elsewhere:
        await elsewhere.sign_in(school.academic.login)
    clock.now += timedelta(seconds=2)
    assert (await client.get(f"{folder}/index.m3u8")).status_code == 403


async def test_where_nothing_was_cut_there_is_nothing_to_play(
    client: Client, school: School, catalogue: Catalogue, clock: Clock
) -> None:
    async with catalogue.transaction() as tx:
        recording = await builders.stored_recording(tx, school.place, clock.now)
    await client.sign_in(school.academic.login)
    path = f"/api/v1/recordings/{recording.id}/evidence"
    assert (await client.get(path)).json() == {"title": recording.title, "cuts": [], "stretches": []}
    assert (await client.post(f"{path}/playback", json=REASON)).status_code == 404


async def test_a_purge_takes_it_along(
    client: Client, school: School, cut: Cut, catalogue: Catalogue, object_store: ObjectStore, clock: Clock
) -> None:
    await client.sign_in(school.academic.login)
    folder = await opened(client, cut)
    async with catalogue.transaction() as tx:
        await takes.end(tx, cut.take.id, clock.now, "unpublished")
        await sessions.move(tx, await sessions.lock(tx, cut.session_id), SessionMove.end, clock.now, "end")
        await recordings.capture_ended(tx, cut.recording_id, clock.now)
        await retention.mark(tx, await recordings.lock(tx, cut.recording_id), "test", clock.now)
    assert object_store.read(cut.withheld_key, 0, 3)
    await purge(catalogue, object_store, cut.recording_id, Actor.system("test"), clock)
    assert list(object_store.list_prefix(keys.recording_prefix(cut.recording_id))) == []
    clock.now += timedelta(seconds=2)
    assert (await client.get(f"{folder}/index.m3u8")).status_code == 404
    assert (await client.get(cut.path)).status_code == 410


async def test_the_list_names_what_was_cut_for_who_may_open_it_and_is_audited(
    client: Client, school: School, people: People, cut: Cut, catalogue: Catalogue
) -> None:
    inspector = await people.with_role(Role.inspector)
    for person in (school.publicity, school.academic, school.manager, inspector):
        await client.sign_in(person.login)
        (one,) = (await client.get("/api/v1/evidence")).json()["items"]
        assert (one["recording_id"], one["session_id"]) == (str(cut.recording_id), str(cut.session_id))
        assert (one["reason"], one["stretches"]) == ("误入", 1)
        assert min(one["bytes"], one["duration_ms"]) > 0, person.display_name
    await client.sign_in(school.teacher.login)
    assert (await client.get("/api/v1/evidence")).json()["items"] == [], "who was cut does not review"
    await client.sign_in(school.learner.login)
    assert (await client.get("/api/v1/evidence")).status_code == 403
    async with catalogue.transaction() as tx:
        entries = await audit.entries(tx, Wanted(action="evidence_searched"), limit=9)
    assert [one.details["recordings"] for one in entries] == [0, 1, 1, 1, 1]
