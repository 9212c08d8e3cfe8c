"""`Idempotency-Key` on requests that create: the same request with the same key is answered as the first was."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response

from api.resources import Resources
from storage.catalogue import idempotency
from storage.catalogue.sign_ins import Known
from storage.catalogue.transaction import Transaction

T = TypeVar("T", bound=msgspec.Struct)

HEADER = "Idempotency-Key"
REPLAYED = {"Idempotency-Replayed": "true"}


async def once(
    request: Request[Any, Any, Any],
    resources: Resources,
    known: Known,
    create: Callable[[Transaction], Awaitable[T]],
    headers: Callable[[T], dict[str, str]] = lambda _made: {},
    content: bytes | None = None,
) -> Response[Any]:
    """Run `create` in one transaction with the memory of its answer; 201 with what it made.

    Without the header it simply runs. After a deadlock it runs again, so that `create` touches nothing beside `tx`.
    Refusal("idempotency_conflict") where the key came with another request.
    `content` stands for a body that reads otherwise each time it is sent, as a multipart form with its boundary does.
    """
    key = request.headers.get(HEADER)
    sent = await request.body() if content is None else content
    digest = hashlib.sha256(b"\0".join((request.method.encode(), request.url.path.encode(), sent))).digest()

    async def work(tx: Transaction) -> Response[Any]:
        if key is not None:
            answer = await idempotency.begin(tx, known.account.id, key, digest, resources.clock())
            if answer is not None:
                return Response(msgspec.Raw(answer.body), status_code=answer.status, headers=REPLAYED)
        made = await create(tx)
        if key is not None:
            await idempotency.finish(tx, known.account.id, key, 201, msgspec.json.encode(made))
        return Response(made, status_code=201, headers=headers(made))

    return await resources.catalogue.run(work)
