"""What the demo shows: a step at a time, with a tick and its seconds."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
from rich.console import Console

from lectern.complaint import Complaint
from lectern.seed import ACCOUNTS

T = TypeVar("T")


class StepFailed(Exception):  # noqa: N818 - named for what happened
    """A step of the story did not hold; it was shown."""


class Screen:
    """Writes to the terminal; without one, plain lines."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """A line."""
        self._console.print(text)

    async def step(self, title: str, act: Callable[[], Awaitable[tuple[str, T]]]) -> T:
        """Show `title` while it runs, then a tick with what came of it. StepFailed, shown, when it did not work."""
        started = time.monotonic()
        try:
            with self._console.status(title):
                told, result = await act()
        except (Complaint, TimeoutError, httpx.HTTPError, OSError, KeyError, ValueError) as error:
            self._console.print(f"[red]✗[/] {title} [red]{_line(error)}[/]")
            raise StepFailed(title) from error
        took = f"took {time.monotonic() - started:.1f} s"
        self._console.print(f"[green]✓[/] {title} [dim]({f'{told}; ' if told else ''}{took})[/]")
        return result

    def accounts(self, url: str, passwords: dict[str, str]) -> None:
        """The address, and who may sign in."""
        self._console.print(f"\n[bold]Lectern 讲台 · {url}[/]")
        for one in ACCOUNTS:
            if not one.shown:
                continue
            role = one.role.value.replace("_", " ")
            self._console.print(f"  {one.login:<10} {passwords[one.login]:<20} {one.display_name} [dim]{role}[/]")
        self._console.print()


def _line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
