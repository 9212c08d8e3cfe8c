"""Answers at the live edge straight from the HTTP parser: no task, no ASGI messages, one write each.

A viewer asks four times a second, and what uvicorn and ASGI make of each request costs more than its answer. Here a GET
below /live/ that is answered from memory, or held for the next part, is answered by the connection itself; everything
else (other paths and methods, what is read from a disk or asked of another node, a client that does not read, HTTP/1.0)
goes uvicorn's way, to the very same `Delivery`. Requests behind a held one wait in uvicorn's own queue.
"""

from functools import partial
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ingest.hls.answers import Answer, Scope, head
from ingest.hls.found import Fetching, Waiting
from ingest.hls.names import PREFIX
from ingest.hls.server import Delivery

log = structlog.get_logger()

_PREFIX = PREFIX.encode()


class _Nobody:
    """Stands where uvicorn wakes the task of a request; ours have none."""

    def set(self) -> None:
        pass


class _Cycle:
    """A request of ours, as uvicorn looks at one: is it answered, may the connection stay open, is the client gone?"""

    __slots__ = ("body", "disconnected", "keep_alive", "message_event", "more_body", "response_complete")

    def __init__(self, *, answered: bool) -> None:
        self.response_complete = answered
        self.keep_alive = True
        self.disconnected = False
        self.message_event = _Nobody()
        self.body = b""
        self.more_body = False


_ANSWERED = _Cycle(answered=True)


class DirectHttp(HttpToolsProtocol):
    """One viewer's connection."""

    def __init__(self, delivery: Delivery, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._delivery = delivery

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        if self.url.startswith(_PREFIX) and self._is_plain() and self._answered():
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.headers += headers
        self.url, self.expect_100_continue = url, expects
        super().on_headers_complete()

    def _is_plain(self) -> bool:
        """Whether the request may be answered from here."""
        free = self.cycle is None or self.cycle.response_complete
        parser = self.parser
        return (
            free
            and not self.flow.write_paused
            and parser.get_method() == b"GET"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and b"%" not in self.url
            and not self.expect_100_continue
        )

    def _answered(self) -> bool:
        """Answers, or holds the request. False for what has to be fetched."""
        path, _, query = self.url.partition(b"?")
        scope: Scope = {
            "method": "GET",
            "path": path.decode("latin-1"),
            "query_string": query,
            "headers": self.headers,
        }
        try:
            found = self._delivery.look(scope)
        except Exception:
            log.exception("live_request_failed")
            return False  # uvicorn answers for it
        if isinstance(found, Fetching):
            return False
        if isinstance(found, Waiting):
            self._hold(_Cycle(answered=False), found)
        else:
            self._write(_ANSWERED, found)
        return True

    def _hold(self, cycle: _Cycle, waiting: Waiting) -> None:
        self.cycle = cycle  # type: ignore[assignment]
        waiting.bell.when(waiting.ready, waiting.limit_seconds, partial(self._go_on, cycle, waiting))

    def _go_on(self, cycle: _Cycle, waiting: Waiting, came: bool) -> None:
        if cycle.disconnected or self.transport.is_closing():
            return
        found = waiting.then() if came else waiting.late
        if isinstance(found, Waiting):
            self._hold(cycle, found)
        elif isinstance(found, Fetching):
            task = self.loop.create_task(self._fetch(cycle, found))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        else:
            self._write(cycle, found)

    async def _fetch(self, cycle: _Cycle, fetching: Fetching) -> None:
        answer = await self._delivery.fetched(fetching)
        if not cycle.disconnected and not self.transport.is_closing():
            self._write(cycle, answer)

    def _write(self, cycle: _Cycle, answer: Answer) -> None:
        fields = [b"%b: %b\r\n" % field for field in self.server_state.default_headers]
        if not cycle.keep_alive:
            fields.append(b"connection: close\r\n")
        cycle.response_complete = True
        self.cycle = cycle  # type: ignore[assignment]
        # Two buffers, one system call: a part is never copied into its answer.
        self.transport.writelines([b"".join((head(answer), *fields, b"\r\n")), answer.body])
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()
