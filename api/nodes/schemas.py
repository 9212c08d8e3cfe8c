"""The shape of an ingest node, as it said itself."""

import msgspec

from storage.node_state import NodeState


class NodeShape(NodeState, frozen=True, kw_only=True):
    """What a node said of itself last, every five seconds, and how long ago that was."""

    silent_seconds: int


class NodesShape(msgspec.Struct):
    """The nodes that were heard in the last day, by their names."""

    items: list[NodeShape]
