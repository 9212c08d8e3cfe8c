"""A whole Lectern for a test: `lectern up` as a person starts it, on free ports and a data folder of its own.

`house(...)` starts the three stores beside it, so that a test can take one away and bring it back at the same address;
with `started(...)` alone `up` starts its own. Everything is gone when the block ends.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from lectern.clock import now
from lectern.demo_client import Person
from lectern.seed import passwords_in, seed
from lectern.settings import PREFIX, Settings, load
from lectern.supervisor import console_script
from storage.catalogue.transaction import Catalogue
from storage.embedded.ports import LOOPBACK, free_ports
from storage.objects.store import ObjectStore
from tests.kit.servers import server_folder
from tests.kit.stores import Stores, stores

READY_SECONDS = 90.0
STOP_SECONDS = 40.0
POLL_SECONDS = 0.05
# Granian and RQ give their processes titles of their own, once they are at work.
TITLES = {"api": "granian", "worker": "rq:worker"}


@dataclass
class House:
    """A running `lectern up`. `environ` is all that its processes were told; `log` is what they said."""

    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    up: "subprocess.Popen[bytes]"
    stores: Stores | None = field(repr=False)
    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    signed_in: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    @property
    def settings(self) -> Settings:
        """The settings as the processes read them; addresses of stores only where the test started those."""
        return load(self.environ)

    @property
    def origin(self) -> str:
        """Where the pages and the API are."""
        return self.settings.api.public_url

    @property
    def log(self) -> str:
        """What every process has written so far."""
        return (self.folder / "up.log").read_text(encoding="utf-8", errors="replace")

    def process(self, name: str) -> psutil.Process:
        """The process of one kind that runs now; LookupError between an end and a new start."""
        for one in psutil.Process(self.up.pid).children():
            with contextlib.suppress(psutil.Error):
                words = one.cmdline()
                is_it = words[-1:] == [name] or " ".join(words).startswith(TITLES.get(name, "-"))
                if is_it and one.status() != psutil.STATUS_ZOMBIE:
                    return one
        raise LookupError(f"no {name} runs")

    def processes(self) -> list[psutil.Process]:
        """`up` and all that it started, and so on."""
        top = psutil.Process(self.up.pid)
        return [top, *top.children(recursive=True)]

    async def sign_in(self, login: str) -> Person:
        """A person of the seed at the HTTP API, who signs in once for all tests of the house; close it when done."""
        person = Person(self.origin)
        if login not in self.signed_in:
            await person.sign_in(login, self.passwords[login])
            self.signed_in[login] = dict(person._client.headers)
        person._client.headers.update(self.signed_in[login])
        return person

    @contextlib.asynccontextmanager
    async def people(self, *logins: str) -> AsyncIterator[list[Person]]:
        """Several of them, signed in for a block."""
        async with contextlib.AsyncExitStack() as stack:
            signed_in = []
            for login in logins:
                person = await self.sign_in(login)
                stack.push_async_callback(person.close)
                signed_in.append(person)
            yield signed_in

    def catalogue(self) -> Catalogue:
        """The catalogue as the application sees it; close it. Only where the test started the stores."""
        return Catalogue.from_settings(self.settings.storage, "test")

    def objects(self) -> ObjectStore:
        """The object store, as above."""
        return ObjectStore(self.settings.storage)

    def start_again(self) -> None:
        """`up` once more, on the same data and ports; it answers when this returns."""
        self.up = up(self.environ, self.folder / "up.log")
        self.until_ready()

    def until_ready(self) -> None:
        """Wait until `up` says its address."""
        until(lambda: "Lectern is at" in self.log, READY_SECONDS, self)

    def stop(self) -> int:
        """Ctrl-C, and the exit code; AssertionError with the log's end when it does not end."""
        if self.up.poll() is None:
            self.up.send_signal(signal.SIGINT)
        try:
            return self.up.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.up.kill()
            raise AssertionError(f"up did not stop:\n{self.log[-3000:]}") from None


def environment(folder: Path, stores: Stores | None, more: Mapping[str, str]) -> dict[str, str]:
    """What `up` is told: every port a free one, everything in `folder`."""
    api, http, rtmp = free_ports(3)
    told = {
        "DATA_FOLDER": str(folder),
        "LOG_FORMAT": "json",
        "API_PORT": str(api),
        "API_PUBLIC_URL": f"http://{LOOPBACK}:{api}",
        "API_INGEST_PUBLIC_URL": f"http://{LOOPBACK}:{http}",
        "API_RTMP_PUBLIC_URL": f"rtmp://{LOOPBACK}:{rtmp}/live",
        "API_SIGN_IN_ATTEMPTS_PER_MINUTE": "10000",
        "INGEST_HTTP_PORT": str(http),
        "INGEST_CONTROL_URL": f"http://{LOOPBACK}:{http}",
        "INGEST_RTMP_PORT": str(rtmp),
        "INGEST_WHIP_HOSTS": LOOPBACK,
        **(stores.environ() if stores else {}),
        **more,
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**clean, "PYTHONSAFEPATH": "1", **{f"{PREFIX}{name}": value for name, value in told.items()}}


@contextlib.contextmanager
def house(settings: Mapping[str, str]) -> Iterator[House]:
    """Start one, seed its institute, and stop it. Settings are named without their prefix: "INGEST_REEL_SECONDS"."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(server_folder())
        beside = stack.enter_context(stores(folder / "stores"))
        data = folder / "data"
        data.mkdir()
        running = started(data, beside, settings)
        stack.callback(_end, running)
        running.until_ready()
        running.passwords = passwords_in(data)
        asyncio.run(_seed(running))
        yield running


def started(folder: Path, beside: Stores | None, settings: Mapping[str, str]) -> House:
    """`lectern up` the moment after it was started."""
    environ = environment(folder, beside, settings)
    return House(folder, environ, up(environ, folder / "up.log"), beside)


def up(environ: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """`lectern up` in a session of its own, as a terminal would give it."""
    with log.open("wb") as out:
        return subprocess.Popen(
            [*console_script(), "up"], env=dict(environ), cwd=log.parent,
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip


def until(holds: Callable[[], bool], seconds: float, running: House | None = None) -> None:
    """Wait for what another process does; AssertionError when it takes too long, or when `up` has ended."""
    give_up = time.monotonic() + seconds
    while not holds():
        ended = running is not None and running.up.poll() is not None
        if ended or time.monotonic() > give_up:
            said = f"\n{running.log[-4000:]}" if running else ""
            raise AssertionError(f"{'up has ended' if ended else f'not within {seconds} s'}{said}")
        time.sleep(POLL_SECONDS)


async def _seed(running: House) -> None:
    catalogue = running.catalogue()
    try:
        async with catalogue.transaction() as tx:
            await seed(tx, running.passwords, now())
    finally:
        await catalogue.close()


def _end(running: House) -> None:
    """Stop `up`; what it may have left behind is killed here and told to nobody: a test of its own looks for that."""
    left = running.processes() if running.up.poll() is None else []
    with contextlib.suppress(ProcessLookupError, psutil.Error):
        for one in left:
            one.resume()
    try:
        running.stop()
    finally:
        for one in left:
            with contextlib.suppress(psutil.Error):
                one.kill()
