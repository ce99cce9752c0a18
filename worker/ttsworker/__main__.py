"""The worker's command line."""

import asyncio
import logging
import os
import sys
import threading

import typer
import uvloop

from ttsworker import logs
from ttsworker.server import report_failure, run
from ttsworker.settings import InvalidSettings, Settings, load_settings

EXIT_INVALID_SETTINGS = 2

cli = typer.Typer(help="Text-to-speech server of tts-operator.", add_completion=False, no_args_is_help=True)


@cli.callback()
def _commands() -> None:
    """Text-to-speech server of tts-operator."""


@cli.command()
def serve() -> None:
    """Serve speech on port 5002 and metrics on 9090.

    Settings come from the JSON file that TTSWORKER_CONFIG names and from TTSWORKER_<NAME>; without any, an embedded
    English voice speaks.
    """
    sys.exit(_serve())


def main() -> None:
    """Run the command line."""
    cli(prog_name="ttsworker")


def _serve() -> int:
    logs.configure()
    try:
        settings = load_settings()
    except InvalidSettings as error:
        report_failure(error.reason, str(error), Settings.model_fields["termination_log"].default)
        return EXIT_INVALID_SETTINGS
    logs.configure(settings.log_level, text_logging=settings.text_logging)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(run(settings))
    except InvalidSettings as error:
        report_failure(error.reason, str(error), settings.termination_log)
        return EXIT_INVALID_SETTINGS
    if any(thread.name.startswith(("engine-", "loader")) for thread in threading.enumerate()):
        # Native code is still running in it and would crash under the interpreter's clean-up.
        logging.shutdown()
        os._exit(code)
    return code


if __name__ == "__main__":
    main()
