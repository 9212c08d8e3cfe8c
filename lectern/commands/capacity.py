"""`lectern capacity`: how many encoders each department may have on the air, from the terminal of who runs the machine.

As with `lectern user`, no account's rights are asked; the entry in the audit trail names the operating system's user.
"""

import click
from rich.console import Console
from rich.table import Table

from lectern.complaint import Complaint
from lectern.operator_acts import actor, in_transaction
from storage.catalogue import institute, takes
from storage.catalogue.transaction import Transaction

MOST = 10_000


@click.group("capacity")
def command() -> None:
    """Places on the air: how many encoders each department has there, and may have."""


@command.command("list")
@click.pass_context
def listing(context: click.Context) -> None:
    """List departments with the encoders they have on the air and their limits."""

    async def work(tx: Transaction) -> list[tuple[str, str, str, str]]:
        on_air = await takes.publishing_by_department(tx)
        return [
            (one.slug, one.name_zh, str(on_air.get(one.id, 0)), _shown(one.max_publishers))
            for one in await institute.departments(tx)
        ]

    table = Table("department", "name", "on the air", "limit", box=None, pad_edge=False)
    for row in in_transaction(context, work):
        table.add_row(*row)
    Console(soft_wrap=True).print(table)


@command.command("set")
@click.argument("department")
@click.argument("places", type=click.IntRange(0, MOST), required=False)
@click.option("--general", is_flag=True, help="No limit of its own: max_department_publishers counts again.")
@click.pass_context
def limit(context: click.Context, department: str, places: int | None, general: bool) -> None:
    """Give a department a limit of its own, or with --general none. Who is on the air already stays."""
    if (places is None) != general:
        raise Complaint("say how many PLACES, or --general")

    async def work(tx: Transaction) -> str:
        ids = [one.id for one in await institute.departments(tx) if department in (one.slug, str(one.id))]
        if not ids:
            raise Complaint(f"there is no department called {department} (`lectern capacity list` shows them)")
        row = await institute.lock_department(tx, ids[0])
        await institute.limit_publishers(tx, actor(), row, places)
        return f"{row.slug} has {'the general limit' if places is None else f'a limit of {places}'}"

    click.echo(in_transaction(context, work))


def _shown(most: int | None) -> str:
    return "general" if most is None else str(most)
