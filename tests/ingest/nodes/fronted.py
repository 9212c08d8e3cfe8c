"""Two nodes behind nginx as it is deployed: the owner `a`, and the edge `b`, which takes no encoders; nginx knows `b`
alone. What nginx did is in its access log.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from storage.embedded.ports import free_ports
from tests.house.front.nginx import HOST, Addresses, Front
from tests.ingest.classroom import Lesson
from tests.ingest.nodes.house import Node, node
from tests.ingest.wired import Stores


@dataclass
class Edge:
    owner: Node
    edge: Node
    front: Front
    viewer: httpx.AsyncClient

    async def get(self, told: Lesson, name: str, token: str, **headers: str) -> httpx.Response:
        return await self.viewer.get(f"/live/{told.session_id}/{token}/{name}", headers=headers)

    def caches(self, told: Lesson, name: str, count: int) -> list[str]:
        """How nginx's cache answered for a segment, request by request."""
        return [one["cache"] for one in self.front.logged(count, path=f"/_live/{told.session_id}/{name}")]


@asynccontextmanager
async def behind_nginx(stores: Stores, folder: Path, **owners: Any) -> AsyncIterator[Edge]:
    async with (
        node(stores, "a", accel_redirect=True, **owners) as owner,
        node(stores, "b", accel_redirect=True, edge=True) as edge,
    ):
        nobody, objects = free_ports(2)
        where = Addresses(f"{HOST}:{nobody}", urlsplit(edge.address).netloc, f"{HOST}:{objects}")
        front = Front(folder, where)
        await asyncio.to_thread(front.start)
        context = ssl.create_default_context(cafile=str(front.certificate))
        try:
            async with httpx.AsyncClient(base_url=front.url, verify=context, timeout=20) as viewer:
                yield Edge(owner, edge, front, viewer)
        finally:
            await asyncio.to_thread(front.stop)
