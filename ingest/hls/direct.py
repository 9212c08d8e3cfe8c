"""Answers at the live edge straight from the HTTP parser: no task, no ASGI messages, one write each.

A viewer asks four times a second, and what uvicorn and ASGI make of each request costs more than its answer. Here a GET
below /live/ that is answered from memory, or held for the next part, is answered by the connection itself; everything
else (other paths and methods, what is read from a disk or asked of another node, a client that does not read, HTTP/1.0)
goes uvicorn's way, to the very same `Delivery`. Requests behind a held one wait in uvicorn's own queue.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ingest.hls.answers import Answer, Header, Scope, head
from ingest.hls.familiar import Known
from ingest.hls.found import Fetching, Found, Waiting
from ingest.hls.names import PREFIX
from ingest.hls.sending import Outcome, Sending
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


def _scope(url: bytes, headers: Sequence[Header]) -> Scope:
    path, _, query = url.partition(b"?")
    return {"method": "GET", "path": path.decode("latin-1"), "query_string": query, "headers": headers}


class DirectHttp(HttpToolsProtocol):
    """One viewer's connection."""

    def __init__(self, delivery: Delivery, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._delivery = delivery
        self._sending: Sending | None = None
        self._early = self._came = b""
        self._inside = False
        self._quiet_since = 0.0

    def data_received(self, data: bytes) -> None:
        if self._sending is not None:  # the client may have the whole answer before the loop hears of it
            self._early += data
            self.flow.pause_reading()
        elif self._inside or not self._is_known(data):
            self._came = data
            super().data_received(data)
            self._came = b""

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._sending is not None:
            self._sending.stop()

    def _is_known(self, data: bytes) -> bool:
        """Answers, or holds, a request that needs no parser."""
        known = self._delivery.familiar.read(data) if self._is_free() else None
        return known is not None and self._answered(partial(self._find, known, data))

    def _find(self, known: Known, data: bytes) -> Found:
        def look() -> Found:
            return self._delivery.look(_scope(data.split(b" ", 2)[1], known.fields.headers))

        return self._delivery.known(known, look) or look()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._inside = False

    def on_message_begin(self) -> None:
        self._inside = True
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        if self.url.startswith(_PREFIX) and self._is_plain():
            scope = _scope(self.url, self.headers)
            if self._answered(partial(self._delivery.look, scope)):
                self._delivery.learn(self._came, self.url, scope)
                return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.headers += headers
        self.url, self.expect_100_continue = url, expects
        super().on_headers_complete()

    def _is_plain(self) -> bool:
        """Whether the request may be answered from here."""
        parser = self.parser
        return (
            self._is_free()
            and parser.get_method() == b"GET"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and b"%" not in self.url
            and not self.expect_100_continue
        )

    def _is_free(self) -> bool:
        """Whether the one before is answered, and the client reads."""
        return (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused

    def _answered(self, find: Callable[[], Found]) -> bool:
        """Answers, or holds the request. False for what has to be fetched."""
        try:
            found = find()
        except Exception:
            log.exception("live_request_failed")
            return False  # uvicorn answers for it
        if isinstance(found, Answer):
            self.cycle = _ANSWERED  # type: ignore[assignment]
            self._write(_ANSWERED, found)
            return True
        before, cycle = self.cycle, _Cycle(answered=False)
        self.cycle = cycle  # type: ignore[assignment]
        if isinstance(found, Waiting):
            self._hold(cycle, found)
        elif not self._sends(cycle, found):
            self.cycle = before
            return False
        return True

    def _hold(self, cycle: _Cycle, waiting: Waiting) -> None:
        waiting.bell.when(waiting.ready, waiting.limit_seconds, partial(self._go_on, cycle, waiting))

    def _go_on(self, cycle: _Cycle, waiting: Waiting, came: bool) -> None:
        if cycle.disconnected or self.transport.is_closing():
            return
        found = waiting.then() if came else waiting.late
        if isinstance(found, Waiting):
            self._hold(cycle, found)
        elif isinstance(found, Answer):
            self._write(cycle, found)
        elif not self._sends(cycle, found):
            self._fetch_soon(cycle, found)

    def _sends(self, cycle: _Cycle, fetching: Fetching) -> bool:
        """Begins to send from a file, if it is one. False where it is not, or that cannot be done."""
        filed = fetching.filed
        if filed is None or self.scheme != "http" or self.transport.get_write_buffer_size():
            return False
        head = b"".join((filed.head, *self._fields(cycle), b"\r\n"))
        try:
            self._sending = Sending(
                self.transport, self._delivery.to_spool, head, filed.body, partial(self._sent, cycle)
            )
        except OSError:  # the spool has just let go of it, or no descriptor is left
            return False
        self._sending.start()
        return True

    def _sent(self, cycle: _Cycle, outcome: Outcome) -> None:
        self._sending = None
        if cycle.disconnected or self.transport.is_closing():
            return
        if outcome is Outcome.broken:
            self.transport.abort()
            return
        self._complete(cycle)
        early, self._early = self._early, b""
        if early:
            self.data_received(early)

    def _fetch_soon(self, cycle: _Cycle, fetching: Fetching) -> None:
        task = self.loop.create_task(self._fetch(cycle, fetching))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _fetch(self, cycle: _Cycle, fetching: Fetching) -> None:
        answer = await self._delivery.fetched(fetching)
        if not cycle.disconnected and not self.transport.is_closing():
            self._write(cycle, answer)

    def _write(self, cycle: _Cycle, answer: Answer) -> None:
        # Two buffers, one system call: a part is never copied into its answer.
        self.transport.writelines([b"".join((head(answer), *self._fields(cycle), b"\r\n")), answer.body])
        self._complete(cycle)

    def _fields(self, cycle: _Cycle) -> list[bytes]:
        """What uvicorn says in every answer."""
        fields = [b"%b: %b\r\n" % field for field in self.server_state.default_headers]
        return fields if cycle.keep_alive else [*fields, b"connection: close\r\n"]

    def _complete(self, cycle: _Cycle) -> None:
        cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        if self.pipeline or self.flow.read_paused or self.transport.is_closing():
            self.on_response_complete()
            return
        self.server_state.total_requests += 1
        # One timer runs on, rather than one for each answer.
        self._quiet_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._keep_alive_for(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        if self.transport.is_closing():
            return
        left_seconds = self._quiet_since + self.timeout_keep_alive - self.loop.time()
        if self.cycle is not None and not self.cycle.response_complete:
            self._keep_alive_for(self.timeout_keep_alive)
        elif left_seconds > 0:
            self._keep_alive_for(left_seconds)
        else:
            super().timeout_keep_alive_handler()

    def _keep_alive_for(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)
