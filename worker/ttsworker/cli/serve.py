"""`ttsworker serve`: the process around the server."""

import asyncio
import logging
import os
import threading
from collections.abc import Mapping
from typing import Any

import uvloop

from ttsworker.observe import logs
from ttsworker.observe.termination import report_failure
from ttsworker.settings import InvalidSettings, Settings, load_settings
from ttsworker.worker import run

EXIT_INVALID_SETTINGS = 2


def run_server(options: Mapping[str, Any]) -> int:
    """Serve until SIGTERM; returns the exit code. Options win over the environment and the file."""
    logs.configure()
    try:
        settings = load_settings(options=options)
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
        # Native code still runs in a thread and would crash during the interpreter's clean-up.
        logging.shutdown()
        os._exit(code)
    return code
