"""How many peers are connected, in all and from one address. Rule: an IPv6 peer is its /64, which one customer owns."""

from collections import Counter
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Generic, TypeVar

Peer = TypeVar("Peer")


class OpenPeers(Generic[Peer]):
    """The peers that are connected now."""

    def __init__(self, limit: int, limit_per_address: int) -> None:
        self._limit = limit
        self._limit_per_address = limit_per_address
        self._peers: dict[Peer, str] = {}
        self._by_origin: Counter[str] = Counter()
        self.on_empty: Callable[[], None] = lambda: None
        """Called whenever the last one has left."""

    def __len__(self) -> int:
        return len(self._peers)

    def __iter__(self) -> Iterator[Peer]:
        return iter(tuple(self._peers))

    def join(self, peer: Peer, address: str) -> bool:
        """Whether there is room for one more of this address; if so it is counted until it leaves, and once."""
        if peer in self._peers:
            return True
        origin = _origin(address)
        if len(self._peers) >= self._limit or self._by_origin[origin] >= self._limit_per_address:
            return False
        self._peers[peer] = origin
        self._by_origin[origin] += 1
        return True

    def leave(self, peer: Peer) -> None:
        """Also of one that never joined."""
        origin = self._peers.pop(peer, None)
        if origin is not None:
            self._by_origin[origin] -= 1
            if not self._by_origin[origin]:
                del self._by_origin[origin]
            if not self._peers:
                self.on_empty()


def _origin(address: str) -> str:
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((parsed, 64), strict=False))
