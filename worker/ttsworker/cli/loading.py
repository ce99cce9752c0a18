"""Load an engine in this process, for the commands that need no server."""

import logging
from collections.abc import Mapping
from typing import Any

import typer

from ttsworker.engines import Engine, EngineOptions, find_engine
from ttsworker.engines.cpu import cpu_limit
from ttsworker.settings import InvalidSettings, Settings, load_settings


def configure_logs() -> None:
    """Show only errors of libraries; these commands print their own messages."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s", force=True)
    logging.captureWarnings(capture=True)


def settings_for(options: Mapping[str, Any]) -> Settings:
    """Return the settings; if they are invalid, print one line and exit with code 2."""
    try:
        return load_settings(options=options)
    except InvalidSettings as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


def load_engine(settings: Settings) -> Engine:
    """Load the engine that the settings name, without verifying its model; raises ModelError."""
    threads = settings.threads or cpu_limit()
    engine = find_engine(settings.engine)(EngineOptions(settings.model_dir, threads, settings.precision))
    engine.load()
    return engine
