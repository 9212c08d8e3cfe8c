"""The ingest nodes as they said of themselves, for who runs the platform and for nobody else."""

import pytest

from api.resources import Resources
from domain.kinds import Role
from storage import node_state
from storage.node_state import NodeState
from tests.api.conftest import Client, Clock, People, School

pytestmark = pytest.mark.anyio


async def test_nodes_are_listed_with_what_they_said_last(
    client: Client, people: People, resources: Resources, clock: Clock
) -> None:
    said = NodeState(
        node="ingest-1", at=clock.now, publishers=3, max_publishers=64, max_department_publishers=8, sessions=4,
        viewers=120, reels_pending=2, uploads_failing_since=clock.now, disk="failing", disk_free_bytes=5, disk_bytes=10,
    )  # fmt: skip
    await node_state.tell(resources.valkey, said)
    await node_state.tell(resources.valkey, NodeState(node="edge-1", at=clock.now, edge=True))
    for role in (Role.network_centre, Role.system_administrator):
        await client.sign_in((await people.with_role(role)).login)
        answer = await client.get("/api/v1/nodes")
        edge, node = answer.json()["items"]
        at = clock.now.isoformat().replace("+00:00", "Z")
        assert node == {
            "node": "ingest-1", "at": at, "edge": False, "publishers": 3, "max_publishers": 64,
            "max_department_publishers": 8, "sessions": 4, "viewers": 120, "stand_ins": 0, "reels_pending": 2,
            "uploads_failing_since": at, "disk": "failing", "disk_free_bytes": 5, "disk_bytes": 10, "silent_seconds": 0,
        }  # fmt: skip
        assert (edge["node"], edge["edge"], edge["max_publishers"]) == ("edge-1", True, 0)


async def test_how_the_house_runs_is_nobody_elses_business(client: Client, people: People, school: School) -> None:
    others = [school.learner, school.teacher, school.manager, school.academic, school.publicity]
    others += [await people.with_role(role) for role in (Role.inspector, Role.security_administrator, Role.auditor)]
    for person in others:
        await client.sign_in(person.login)
        assert (await client.get("/api/v1/nodes")).status_code == 403
