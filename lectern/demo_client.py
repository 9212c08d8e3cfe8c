"""A person at the HTTP API, as the demo plays them: signs in, asks, and tells what went wrong in one line."""

import re
from typing import Any

import httpx

from api.sign_in_cookie import COOKIE, CSRF_HEADER
from lectern.complaint import Complaint

ANSWER_SECONDS = 20.0


class Person:
    """Signed in with login and password; every call answers with the decoded body."""

    def __init__(self, origin: str) -> None:
        self._client = httpx.AsyncClient(base_url=f"{origin}/api/v1", timeout=ANSWER_SECONDS)
        self._origin = origin

    async def sign_in(self, login: str, password: str) -> None:
        """Begin a sign-in. Browsers send a Secure cookie to 127.0.0.1; a plain client must be told to."""
        answer = await self._client.post("/sign-ins", json={"login": login, "password": password})
        body = self._checked(answer)
        token = re.search(rf"{COOKIE}=([^;]+)", answer.headers["set-cookie"])
        if token is None:
            raise Complaint("signing in gave no cookie")
        self._client.headers["Cookie"] = f"{COOKIE}={token[1]}"
        self._client.headers[CSRF_HEADER] = body["csrf_token"]

    async def get(self, path: str, **query: Any) -> Any:
        """GET under /api/v1."""
        return self._checked(await self._client.get(path, params=query))

    async def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """POST under /api/v1, a JSON body or `files` and `data` of a form."""
        return self._checked(await self._client.post(path, **({"json": body} if body is not None else {}), **more))

    async def fetch(self, url: str) -> bytes:
        """A playlist or a segment, as a player fetches it."""
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as player:
            answer = await player.get(url)
        if not answer.is_success:
            raise Complaint(f"GET …/{url.rsplit('/', 1)[-1]} was answered {answer.status_code}: {answer.text[:200]}")
        return answer.content

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    def _checked(self, answer: httpx.Response) -> Any:
        if answer.is_success:
            return answer.json() if answer.content else None
        told = answer.json().get("detail", "") if "json" in answer.headers.get("content-type", "") else answer.text
        raise Complaint(f"{answer.request.method} {answer.request.url.path} was answered {answer.status_code}: {told}")
