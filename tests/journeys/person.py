"""A person at a browser of their own: a signed-in page that keeps what it complained of.

Every console error, uncaught exception, failed request and refused answer is a complaint, and a test that leaves one
fails, unless it said before that it expects it.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, expect

# The first question of a page that nobody is signed in to.
NOBODY_YET = r"401 GET /api/v1/sign-ins/current"
# A player that leaves, or seeks away, drops what it had asked for.
LEFT = r"net::ERR_ABORTED GET "
# Chromium says of each refused answer what `_answered` says with its address.
SAID_TWICE = "Failed to load resource"


@dataclass
class Person:
    """One browser context and its page."""

    login: str
    page: Page
    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=lambda: [NOBODY_YET, LEFT])

    @classmethod
    def arrive(cls, context: BrowserContext, login: str) -> "Person":
        """Open a page and listen to everything that it may complain of."""
        one = cls(login, context.new_page())
        one.page.on("console", one._said)
        one.page.on("pageerror", lambda error: one.complaints.append(f"uncaught: {error}"))
        one.page.on("requestfailed", one._failed)
        one.page.on("response", one._answered)
        return one

    def sign_in(self, password: str, *, path: str = "/sign-in") -> None:
        """Type login and password, and be let in."""
        self.page.goto(path)
        self.type_in(password)
        expect(self.at("account-name")).to_be_visible()

    def type_in(self, password: str) -> None:
        """Fill the sign-in form and send it."""
        self.at("login").fill(self.login)
        self.at("password").fill(password)
        self.at("sign-in").click()

    def at(self, name: str) -> Locator:
        """What the pages call by this name."""
        return self.page.get_by_test_id(name)

    def press(self, name: str) -> None:
        """Click it."""
        self.at(name).click()

    def expect(self, pattern: str) -> None:
        """From now on what matches is no complaint: `403 POST /api/v1/…`, `net::ERR_… GET …` or console words."""
        self.expected.append(pattern)

    def unexpected(self) -> list[str]:
        """What it complained of that nobody expected."""
        return [one for one in self.complaints if not any(re.search(known, one) for known in self.expected)]

    def status_of(self, method: str, path: str, body: Any = None) -> int:
        """What the API answers to this person's own sign-in, asked for past the buttons."""
        current = self.page.request.get("/api/v1/sign-ins/current").json()
        sent = {"X-CSRF-Token": current["csrf_token"], "Origin": "/".join(self.page.url.split("/")[:3])}
        return self.page.request.fetch(f"/api/v1{path}", method=method, data=body, headers=sent).status

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and SAID_TWICE not in message.text:
            self.complaints.append(f"console {message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        self.complaints.append(f"{request.failure} {request.method} {_path(request.url)}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.request.method} {_path(response.url)}")


def _path(url: str) -> str:
    return "/" + url.split("/", 3)[3]
