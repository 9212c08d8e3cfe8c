"""ETag and If-Match (RFC 9110, 8.8.3 and 13.1.1) over the rows' version numbers.

What has a version is changed only by who has seen it: without If-Match the answer is 428, with an old one 412.
"""

import re
from typing import Any

from litestar import Request

from domain.refusals import Refusal, RefusalCode

_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"')


def etag(version: int) -> dict[str, str]:
    """The header that tells a thing's version."""
    return {"ETag": f'"{version}"'}


def required_version(request: Request[Any, Any, Any]) -> int:
    """The version that the caller has seen. Refusals: precondition_required, invalid_input."""
    sent = request.headers.get("if-match")
    if sent is None:
        raise Refusal(RefusalCode.precondition_required, header="If-Match")
    if (found := _ETAG.fullmatch(sent.strip())) is None:
        raise Refusal(RefusalCode.invalid_input, field="If-Match")
    return int(found.group(1))
