"""A line between this machine and a network namespace: packets take their time on it, some are lost, and it can be dead
without a word.

Two TUN devices, one here and one in the namespace, and a thread that carries IP packets from one to the other: what
`tc netem` does, but not every kernel has that. Root may make them; without, tests that need one are left out.
"""

import contextlib
import ctypes
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from uuid import uuid4

TUN = "/dev/net/tun"
TUNSETIFF = 0x400454CA
TUN_WITHOUT_HEADER = 0x1001
CLONE_NEWNET = 0x40000000
PACKET_BYTES = 65_536
LOOK_SECONDS = 0.1
HERE, THERE = "198.18.77.1", "198.18.77.2"
"""Of the addresses that RFC 2544 sets aside for trying networks out."""


class Link:
    """`delay_seconds` is one way; `loss` the share of packets that never arrive; while `dead` none does."""

    def __init__(self, namespace: str, here: int, there: int) -> None:
        self.delay_seconds = 0.0
        self.loss = 0.0
        self.dead = False
        self.within = ("ip", "netns", "exec", namespace)
        """Before a command that is to run at the other end."""
        self._namespace = namespace
        self._across = {here: there, there: here}
        self._chance = random.Random(8)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._carry, name="link")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def socket(self) -> socket.socket:
        """A TCP socket of the other end, for this process."""
        made: list[socket.socket] = []

        def make() -> None:
            with open(f"/var/run/netns/{self._namespace}") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
                made.append(socket.socket())

        thread = threading.Thread(target=make)  # a namespace is entered by one thread alone, which then ends
        thread.start()
        thread.join()
        made[0].setblocking(False)
        return made[0]

    def _carry(self) -> None:
        due: list[tuple[float, int, int, bytes]] = []
        number = 0
        while not self._over.is_set():
            wait = min(LOOK_SECONDS, max(0.0, due[0][0] - time.monotonic())) if due else LOOK_SECONDS
            for end in select.select(list(self._across), [], [], wait)[0]:
                packet = os.read(end, PACKET_BYTES)
                if not self.dead and self._chance.random() >= self.loss:
                    number += 1
                    heapq.heappush(due, (time.monotonic() + self.delay_seconds, number, self._across[end], packet))
            while due and due[0][0] <= time.monotonic():
                _, _, end, packet = heapq.heappop(due)
                if not self.dead:
                    with contextlib.suppress(OSError):
                        os.write(end, packet)


@contextlib.contextmanager
def link() -> Iterator[Link]:
    """A line that is well at first. Raises OSError where it cannot be made."""
    name = f"lec{uuid4().hex[:8]}"
    with contextlib.ExitStack() as stack:
        _ip("netns", "add", name)
        stack.callback(_ip, "netns", "del", name)
        here, there = (stack.enter_context(_device(f"{name}{end}")) for end in "ab")
        _ip("link", "set", f"{name}b", "netns", name)
        _ip("addr", "add", f"{HERE}/30", "dev", f"{name}a")
        _ip("link", "set", f"{name}a", "up")
        for words in (("addr", "add", f"{THERE}/30", "dev", f"{name}b"), ("link", "set", f"{name}b", "up")):
            _ip("-n", name, *words)
        made = Link(name, here, there)
        made.start()
        stack.callback(made.stop)
        yield made


@contextlib.contextmanager
def _device(name: str) -> Iterator[int]:
    descriptor = os.open(TUN, os.O_RDWR)
    try:
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), TUN_WITHOUT_HEADER))
        yield descriptor
    finally:
        os.close(descriptor)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip())
