"""Command line of the download Job: `python -m ttsworker.fetch`."""

import argparse
import json
import logging
import re
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from ttscontract.reasons import Reason
from ttsworker.fetch.errors import FetchError
from ttsworker.fetch.job import fetch_model
from ttsworker.fetch.progress import Progress, reported
from ttsworker.fetch.sources import Request
from ttsworker.observe import logs

EXIT_FAILED = 1
EXIT_UNREACHABLE = 75
EXIT_INTERRUPTED = 143
MAX_MESSAGE_LENGTH = 1000

log = logging.getLogger("ttsworker.fetch")


def main(arguments: list[str] | None = None) -> int:
    """Run the job and return its exit code: 0, 75 (source unreachable), 143 (told to stop), else 1; 2 is misuse."""
    options = _parser().parse_args(arguments)
    logs.configure(options.log_level)
    signal.signal(signal.SIGTERM, _interrupt)
    code, ending = _run(options)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what is left takes no time
    message = ending.get("message", "the model is on the volume")
    extra = {key: value for key, value in ending.items() if key != "message"}
    log.log(logging.INFO if code == 0 else logging.ERROR, message, extra=extra)
    if options.termination_log.exists():  # Kubernetes makes it; elsewhere the log line says the same
        options.termination_log.write_text(json.dumps(ending), encoding="utf-8")
    return code


def _run(options: argparse.Namespace) -> tuple[int, dict[str, str | int]]:
    request = Request(options.source, options.sha256, options.max_bytes, options.attempts, options.backoff_seconds)
    progress = Progress()
    try:
        with reported(progress, metrics_port=options.metrics_port):
            outcome = fetch_model(request, options.root, options.key, progress)
    except FetchError as error:
        code = EXIT_UNREACHABLE if error.reason is Reason.SOURCE_UNREACHABLE else EXIT_FAILED
        return code, _failure(error.reason, str(error))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED, _failure(Reason.INTERRUPTED, "stopped; what is downloaded is kept for the next run")
    except Exception as error:  # the operator reads the reason of every ending, a defect's too
        log.exception("defect")
        return EXIT_FAILED, _failure(Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
    manifest = outcome.manifest
    return 0, {"reason": outcome.reason.value, "digest": manifest.digest, "bytes": manifest.bytes}


def _failure(reason: Reason, message: str) -> dict[str, str | int]:
    return {"reason": reason.value, "message": message[:MAX_MESSAGE_LENGTH]}


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m ttsworker.fetch", description="Download a model onto a volume.")
    parser.add_argument("--source", required=True, metavar="URL", help="where the model is: https://… or http://…")
    parser.add_argument("--sha256", type=_sha256, metavar="HEX", help="SHA-256 of what is downloaded")
    parser.add_argument("--root", required=True, type=Path, help="the volume's folder")
    parser.add_argument("--key", required=True, help="the model's folder below the root")
    parser.add_argument("--max-bytes", type=_positive, metavar="N", help="largest download, and largest content")
    parser.add_argument("--metrics-port", type=int, default=9090, metavar="N", help="Prometheus metrics; 0: none")
    parser.add_argument("--attempts", type=_positive, default=6, help="tries in a row that may bring nothing")
    parser.add_argument("--backoff-seconds", type=float, default=1.0, help="the first wait between tries; it doubles")
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    parser.add_argument("--termination-log", type=Path, default=Path("/dev/termination-log"), metavar="PATH")
    return parser


def _sha256(text: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        message = "must be 64 hexadecimal digits"
        raise argparse.ArgumentTypeError(message)
    return text.lower()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = "must be at least 1"
        raise argparse.ArgumentTypeError(message)
    return number


if __name__ == "__main__":
    sys.exit(main())
