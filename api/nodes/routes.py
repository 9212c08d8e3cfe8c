"""/api/v1/nodes: the ingest nodes, how full they are and what ails them, for who runs the platform."""

import msgspec
from litestar import get

from api import permit
from api.nodes.schemas import NodeShape, NodesShape
from api.resources import Resources
from domain.permissions import Action
from storage import node_state


@get("/nodes", opt=permit.action(Action.metrics_read))
async def listing(resources: Resources) -> NodesShape:
    """The ingest nodes of the last day; one that was not heard for fifteen seconds is silent. A node that was stopped
    as it should is not listed.
    """
    return NodesShape(
        [
            NodeShape(**msgspec.structs.asdict(one.state), silent_seconds=int(one.seconds_ago))
            for one in await node_state.heard(resources.valkey)
        ]
    )


NODE_ROUTES = [listing]
