"""Counting by address."""

import pytest

from ingest.rtmp.open_peers import OpenPeers


def test_limits_in_all_and_by_address() -> None:
    peers: OpenPeers[int] = OpenPeers(3, 2)
    assert [peers.join(1, "10.0.0.1"), peers.join(2, "10.0.0.1"), peers.join(3, "10.0.0.1")] == [True, True, False]
    assert [peers.join(4, "10.0.0.2"), peers.join(5, "10.0.0.3")] == [True, False]
    peers.leave(3)  # never joined
    peers.leave(1)
    peers.leave(1)
    assert peers.join(6, "10.0.0.1")
    assert sorted(peers) == [2, 4, 6]


def test_when_all_are_gone_it_is_told() -> None:
    peers: OpenPeers[int] = OpenPeers(3, 2)
    told: list[int] = []
    peers.on_empty = lambda: told.append(len(peers))
    peers.join(1, "10.0.0.1")
    peers.join(2, "10.0.0.1")
    peers.leave(1)
    assert told == []
    peers.leave(2)
    assert told == [0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "", True),
    ],
)
def test_an_ipv6_peer_is_its_64(one: str, other: str, same: bool) -> None:
    peers: OpenPeers[int] = OpenPeers(9, 1)
    assert peers.join(1, one)
    assert peers.join(2, other) is not same
