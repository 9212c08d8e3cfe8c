"""The table of errors in docs/api.md, made from `api/problems.py`: `python -m api.problems_docs` prints it."""

from http import HTTPStatus

from api.problems import STATUS


def table() -> str:
    """Every code under its status, in Markdown."""
    by_status: dict[int, list[str]] = {}
    for code, status in STATUS.items():
        by_status.setdefault(status, []).append(f"`{code.value}`")
    rows = [
        f"| {status} {HTTPStatus(status).phrase} | {', '.join(by_status[status])} |" for status in sorted(by_status)
    ]
    return "\n".join(["| status | `code` |", "|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    print(table(), end="")  # noqa: T201 - what this is for
