"""The command line: one command per process or task, one line per mistake."""

import sys
from pathlib import Path

import click
import structlog

from domain.refusals import Refusal
from lectern.commands.config import config as config_command
from lectern.commands.demo import demo_command
from lectern.commands.migrate import migrate_command
from lectern.commands.processes import api, ingest, scheduler, up, worker
from lectern.commands.retention import retention
from lectern.complaint import Complaint
from lectern.settings import SettingsError

MISTAKE = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
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


for command in (up, api, ingest, worker, scheduler, demo_command, migrate_command, retention, config_command):
    lectern.add_command(command)


def main() -> None:
    """Run, and turn every foreseen error into one line and exit code 2."""
    debug = "--debug" in sys.argv
    try:
        lectern(standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
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
