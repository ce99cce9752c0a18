"""Command line of the download Job: `python -m ttsworker.fetch`."""

import logging
import signal
import sys
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal, NoReturn

import typer

from ttscontract.pods import METRICS_PORT, TERMINATION_LOG, Termination
from ttscontract.reasons import Reason
from ttsworker.fetch.errors import FetchError
from ttsworker.fetch.job import Outcome, fetch_model
from ttsworker.fetch.options import ATTEMPTS, EXIT_FAILED, EXIT_MISUSE, EXIT_UNREACHABLE, sha256_of
from ttsworker.fetch.progress import Progress, reported
from ttsworker.fetch.sources import Request
from ttsworker.observe import logs, termination

EXIT_INTERRUPTED = 143

log = logging.getLogger("ttsworker.fetch")


app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def fetch(
    *,
    source: Annotated[str, typer.Option(metavar="URL", help="URL of the model: https://… or http://…")],
    sha256: Annotated[
        str | None, typer.Option(parser=sha256_of, metavar="HEX", help="SHA-256 of the downloaded file")
    ] = None,
    root: Annotated[Path, typer.Option(help="mount path of the volume")],
    key: Annotated[str, typer.Option(help="name of the model's folder in the root")],
    max_bytes: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="maximum bytes of the download, and of its unpacked content")
    ] = None,
    metrics_port: Annotated[
        int, typer.Option(metavar="N", help="port of the Prometheus metrics; 0: no metrics")
    ] = METRICS_PORT,
    attempts: Annotated[
        int, typer.Option(min=1, help="attempts in a row without progress before the job fails")
    ] = ATTEMPTS,
    backoff_seconds: Annotated[
        float, typer.Option(help="wait after the first failed attempt; it doubles each time")
    ] = 1.0,
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO",
    termination_log: Annotated[Path, typer.Option(metavar="PATH")] = Path(TERMINATION_LOG),
) -> int:
    """Download a model onto a volume. A person uses `ttsworker fetch`."""
    logs.configure(log_level)
    request = Request(source, sha256, max_bytes, attempts, backoff_seconds)
    return _run(request, root, key, metrics_port=metrics_port, termination_log=termination_log)


def _run(request: Request, root: Path, key: str, *, metrics_port: int, termination_log: Path) -> int:
    fail = partial(_fail, termination_log)
    try:
        outcome = _fetch(request, root, key, metrics_port)
    except FetchError as error:
        unreachable = error.reason is Reason.SOURCE_UNREACHABLE
        return fail(EXIT_UNREACHABLE if unreachable else EXIT_FAILED, error.reason, str(error))
    except KeyboardInterrupt:
        return fail(
            EXIT_INTERRUPTED, Reason.INTERRUPTED, "stopped; the next run continues from the bytes downloaded so far"
        )
    except Exception as error:  # a defect too must report a reason to the operator
        log.exception("defect")
        return fail(EXIT_FAILED, Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
    ending: Termination = {
        "reason": outcome.reason,
        "digest": outcome.manifest.digest,
        "bytes": outcome.manifest.bytes,
    }
    log.info("the model is on the volume", extra=ending)
    termination.write(termination_log, ending)
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the job and return its exit code.

    0: success. 75: source unreachable. 143: SIGTERM. 2: invalid command line. 1: any other failure.
    """
    try:
        return int(app(arguments, prog_name="python -m ttsworker.fetch", standalone_mode=False))
    except typer.TyperException as error:
        typer.echo(f"error: {error.format_message()}", err=True)
        sys.exit(EXIT_MISUSE)


def _fetch(request: Request, root: Path, key: str, metrics_port: int) -> Outcome:
    """Fetch the model; SIGTERM interrupts it. After the fetch SIGTERM is ignored, because the job ends at once."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        progress = Progress()
        with reported(progress, metrics_port=metrics_port):
            return fetch_model(request, root, key, progress)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _fail(termination_log: Path, code: int, reason: Reason, message: str) -> int:
    termination.report_failure(reason, message, termination_log, level=logging.ERROR)
    return code


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
