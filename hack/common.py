"""Common functions of the programs in hack/. Standard library only: they run before any virtual environment exists."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tts-operator"
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class Failure(Exception):
    """A problem that the user must fix; its text says what to do, in one or a few lines."""


def main(program: str, body: object) -> None:
    """Run `body` and turn a Failure into its text and exit status 1, an interrupt into 130."""
    assert callable(body)
    try:
        sys.exit(body())
    except Failure as failure:
        sys.exit(f"{program}: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)


def say(text: str) -> None:
    """Print a progress message to stderr, because stdout is for results."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print the title of a slow step, and at its end how long it took."""
    say(f"==> {text}")
    began = time.monotonic()
    yield
    say(f"    done in {time.monotonic() - began:.0f} s")


def environment() -> dict[str, str]:
    """Return this environment, with the machine's certificates for programs that use their own list."""
    env = dict(os.environ)
    if SYSTEM_CERTIFICATES.exists():
        for name in ("SSL_CERT_FILE", "PIP_CERT"):
            env.setdefault(name, str(SYSTEM_CERTIFICATES))
    return env


def run(command: Sequence[str | Path], *, quiet: bool = False, stdin: str | None = None, cwd: Path = ROOT) -> None:
    """Run a command; its output goes to stderr, with `quiet` only if it fails.

    Raises Failure if the program is missing or fails.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=environment(),
            text=True,
            check=False,
            input=stdin if stdin is not None else "",
            stdout=subprocess.PIPE if quiet else sys.stderr,
            stderr=subprocess.STDOUT if quiet else None,
        )
    except FileNotFoundError as error:
        raise Failure(f"{words[0]} is needed and not installed") from error
    if done.returncode:
        tail = "\n".join((done.stdout or "").strip().splitlines()[-15:])
        raise Failure(
            f"`{' '.join(words)[:200]}` failed with status {done.returncode}" + (f":\n{tail}" if tail else "")
        )


def output(command: Sequence[str | Path], *, stdin: str | None = None, progress: bool = False) -> str:
    """Return a command's output, stripped. Raises Failure with its error message if it fails.

    With `progress`, shows its stderr at once.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=ROOT,
            env=environment(),
            text=True,
            check=False,
            input=stdin or "",
            stdout=subprocess.PIPE,
            stderr=None if progress else subprocess.PIPE,
        )
    except FileNotFoundError as error:
        raise Failure(f"{words[0]} is needed and not installed") from error
    if done.returncode:
        raise Failure(f"`{' '.join(words)[:200]}` failed: {(done.stderr or '').strip()[-2000:]}")
    return done.stdout.strip()


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Let one process at a time make something in the cache; the kernel releases the lock when the process dies."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"==> waiting for another process that is making {name}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def apt_install(*packages: str) -> None:
    """Install Debian packages. Raises Failure with their names if this user or machine cannot."""
    wanted = " ".join(packages)
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise Failure(f"needs {wanted}: install it with your package manager, or run as root on Debian")
    # One at a time: tests and images run concurrently, and apt-get fails while another one runs.
    with locked("apt"), step(f"installing {wanted} (apt-get)"):
        apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
        run([*apt, "update"], quiet=True)
        run([*apt, "install", "-y", "--no-install-recommends", *packages], quiet=True)
