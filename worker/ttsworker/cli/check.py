"""`ttsworker check`: reports to a person or an init container whether this machine can serve."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import typer

from ttsworker.cli.findings import Finding, findings
from ttsworker.cli.loading import configure_logs
from ttsworker.cli.progress import Progress
from ttsworker.settings import InvalidSettings, load_settings


def check_all(options: Mapping[str, Any], *, as_json: bool) -> int:
    """Print each finding as soon as it is known; return the exit code."""
    configure_logs()
    found = []
    with Progress() as progress:
        for finding in _all(options, progress):
            found.append(finding)
            if not as_json:
                typer.echo(_line(finding))
    failed = any(finding.status == "FAIL" for finding in found)
    if as_json:
        typer.echo(json.dumps({"ok": not failed, "checks": [asdict(finding) for finding in found]}, indent=1))
    return 1 if failed else 0


def _all(options: Mapping[str, Any], progress: Progress) -> Iterator[Finding]:
    try:
        settings = load_settings(options=options)
    except InvalidSettings as error:
        yield Finding("settings", "FAIL", str(error))
        return
    yield Finding("settings", "OK", "valid")
    yield from findings(settings, progress.show)


def _line(finding: Finding) -> str:
    action = f": {finding.action}" if finding.action else ""
    return f"{finding.status:<5} {finding.name:<12} {finding.message}{action}"
