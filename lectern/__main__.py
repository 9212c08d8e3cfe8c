"""The command line: one command per process or task, one line per mistake."""

import sys
from pathlib import Path

import click
import structlog

from domain.refusals import Refusal
from lectern.command_group import CommandGroup
from lectern.complaint import Complaint
from lectern.settings import SettingsError

MISTAKE = 2


# Each command lies in `lectern/commands/NAME.py` as `command`, and is imported when it is asked for.
COMMANDS = {
    "demo": "One lecture's story on a house of its own on this machine.",
    "up": "Everything on this machine, with embedded servers where no address is set.",
    "api": "Serve the HTTP API and the pages.",
    "ingest": "Take encoders and browsers in, serve them live, record them.",
    "worker": "Encode recordings and do what else is queued.",
    "scheduler": "Deliver facts, seal the audit trail, end what overran, run retention.",
    "migrate": "Bring the catalogue to this version's form.",
    "retention": "Mark, purge and notify by hand.",
    "recording": "Prove what is stored of a recording.",
    "user": "Add accounts, give roles, set passwords.",
    "capacity": "See and set how many encoders a department may have on the air.",
    "doctor": "What would keep Lectern from working here, a line each.",
    "config": "Every setting, its value and where it came from.",
    "bench": "Measure this house and a peer side by side.",
}


@click.group(
    cls=CommandGroup,
    commands_help=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="TOML file; else LECTERN_CONFIG.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="lectern", prog_name="lectern")
@click.pass_context
def lectern(context: click.Context, config: Path | None, debug: bool) -> None:
    """Lectern (讲台): live classes from the timetable, recordings to a course or a purge.

    Try `lectern demo`. In production run api, ingest, worker and scheduler, each with its settings from LECTERN_…
    variables or one TOML file (`lectern config` shows them).
    """
    context.obj = {"config": config, "debug": debug}


def main() -> None:
    """Run, and turn every foreseen error into one line and exit code 2."""
    debug = "--debug" in sys.argv
    try:
        lectern(standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message(), err=True)
        sys.exit(MISTAKE)
    except click.ClickException as mistake:
        _say(mistake.format_message())
    except click.Abort:
        sys.exit(130)
    except (SettingsError, Complaint, Refusal, OSError) as mistake:
        if debug:
            raise
        _say(str(mistake))
    except Exception as error:
        if debug:
            raise
        structlog.get_logger().debug("unforeseen error", exc_info=True)
        _say(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no text'} (--debug shows where)")


def _say(line: str) -> None:
    click.echo(f"lectern: {line}", err=True)
    sys.exit(MISTAKE)


if __name__ == "__main__":
    main()
