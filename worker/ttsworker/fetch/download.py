"""Download one file over HTTP and resume it after broken connections and killed programs.

`download` holds the bytes received so far, and `download.json` the source and the version that they belong to. The
rest is requested by Range with If-Range, so that the server sends a changed file whole.

A server that sends almost nothing does not hold the program: see MIN_BYTES_PER_SECOND.
"""

import logging
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from ttsworker.fetch.errors import FetchError, TransientError
from ttsworker.fetch.progress import Progress
from ttsworker.fetch.responses import content_range, http_errors, invalid, raise_for_status, without_query
from ttsworker.fetch.sources import Request
from ttsworker.fetch.workspace import Workspace, size, too_large

CONNECT_TIMEOUT_SECONDS = 10.0
READ_TIMEOUT_SECONDS = 30.0
MAX_REDIRECTS = 5
MAX_WAIT_SECONDS = 30.0

MIN_BYTES_PER_SECOND = 1024
"""A slower connection counts as broken, and one that was slower, or brought less than MIN_PROGRESS_BYTES, as a failed
attempt: a server that sends a byte a minute, or a byte a connection, is given up like one that sends nothing."""

PACE_SECONDS = 60.0
"""Over which the speed is measured: longer than a pause of a network that works."""

MIN_PROGRESS_BYTES = 4096

log = logging.getLogger(__name__)


class PartState(BaseModel):
    """The version of the source that the bytes on the disk belong to; None for a validator the server did not send."""

    model_config = ConfigDict(frozen=True)

    source: str
    total: int | None = None
    etag: str | None = None
    last_modified: str | None = None

    @property
    def validator(self) -> str | None:
        """The value for If-Range: a strong ETag, else the date."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


class Download:
    """Downloads one file to `workspace.download`; `resumed` is true if more than one connection delivered it."""

    def __init__(
        self,
        request: Request,
        workspace: Workspace,
        progress: Progress,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` returns seconds."""
        self.resumed = False
        self._clock = clock
        self._request = request
        self._workspace = workspace
        self._progress = progress
        self._best = 0

    def run(self) -> None:
        """Download until the file is complete; raises FetchError."""
        with self._client() as client:
            self._best = self._have()
            while not self._retrying()(self._stretch, client):
                time.sleep(self._request.backoff_seconds)

    def _retrying(self) -> Retrying:
        backoff = wait_exponential_jitter(
            multiplier=self._request.backoff_seconds, max=MAX_WAIT_SECONDS, jitter=self._request.backoff_seconds
        )

        def wait(state: RetryCallState) -> float:
            return max(backoff(state), _error(state).retry_after)

        def report(state: RetryCallState) -> None:
            log.warning("%s; next attempt in %.1f s", _error(state), state.upcoming_sleep)

        return Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self._request.attempts),
            wait=wait,
            before_sleep=report,
            reraise=True,
        )

    def _stretch(self, client: httpx.Client) -> bool:
        """Try once: True when complete, False when it broke after progress (which resets the attempt count)."""
        before, started = self._best, self._clock()
        try:
            with http_errors(MAX_REDIRECTS):
                self._receive(client)
        except TransientError as error:
            fewest = max(MIN_PROGRESS_BYTES, MIN_BYTES_PER_SECOND * (self._clock() - started))
            if self._best - before < fewest:
                raise
            log.warning("%s after %s; continuing", error, size(self._best))
            return False
        return True

    def _receive(self, client: httpx.Client) -> None:
        state, have = self._state(), self._have()
        self._progress.phase, self._progress.bytes, self._progress.total = "downloading", have, state.total
        if have and have == state.total:
            return
        headers = self._range_headers(state, have)
        with client.stream("GET", self._request.source, headers=headers) as response:
            if response.status_code == 416 and have and content_range(response)[1] == have:
                self._progress.total = have  # the file on the disk is complete
                return
            if response.status_code == 416:
                self._workspace.drop_download()
            raise_for_status(response, self._request.terms)
            offset = self._offset(response, state, have)
            new_state = self._new_state(response)
            self._make_room(new_state, offset)
            self._write(response, new_state, offset)

    def _range_headers(self, state: PartState, have: int) -> dict[str, str]:
        """Request only the rest if a validator, or later the checksum, can prove that it belongs to the same file."""
        if not have or not (state.validator or self._request.sha256):
            return {}
        if_range = {"If-Range": state.validator} if state.validator else {}
        return {"Range": f"bytes={have}-"} | if_range

    def _offset(self, response: httpx.Response, state: PartState, have: int) -> int:
        """Return the offset in the file at which this response's body starts."""
        if response.status_code == 200:
            return 0
        first, total = content_range(response)
        etag = response.headers.get("ETag")
        same = first == have and total in {None, state.total or total} and etag in {None, state.etag or etag}
        if not same:
            self._workspace.drop_download()
            message = f"{self._where} changed after its first part was downloaded"
            raise TransientError(message)
        return have

    def _new_state(self, response: httpx.Response) -> PartState:
        headers = response.headers
        encoding = headers.get("Content-Encoding", "identity")
        if encoding != "identity" and not urlsplit(self._where).path.endswith("gz"):
            raise invalid(f"the server sends it {encoding}-encoded, although the request allows no encoding")
        length = headers.get("Content-Length")
        if length is None and "Transfer-Encoding" not in headers and self._request.sha256 is None:
            risk = "the server sends no length, so nothing would detect a truncated file"
            raise invalid(f"{risk}: set {self._request.terms.sha256}")
        total = content_range(response)[1] if response.status_code == 206 else length and int(length)
        return PartState(
            source=self._request.source,
            total=total,
            etag=headers.get("ETag"),
            last_modified=headers.get("Last-Modified"),
        )

    def _make_room(self, state: PartState, offset: int) -> None:
        """Drop what this response replaces; check its whole length against the limit and the free space."""
        self._check_limit(state.total or 0, self._request.max_bytes)
        if offset == 0:
            self._workspace.drop_download()
            self._workspace.download_state.write_text(state.model_dump_json(), encoding="utf-8")
        try:
            self._workspace.require_space((state.total or 0) - offset, "the download")
        except FetchError:
            if not self._range_headers(state, offset):
                self._workspace.drop_download()  # the next attempt could not resume it
            raise

    def _write(self, response: httpx.Response, state: PartState, offset: int) -> None:
        self._progress.bytes, self._progress.total = offset, state.total
        self.resumed = self.resumed or offset > 0
        # A source that tells no length could fill a volume that others use too.
        limit = self._workspace.limit(self._request.max_bytes) if state.total is None else self._request.max_bytes
        since, count = self._clock(), 0
        with self._workspace.download.open("ab") as file:
            for chunk in response.iter_raw():
                file.write(chunk)
                self._progress.bytes += len(chunk)
                self._best = max(self._best, self._progress.bytes)
                self._check_limit(self._progress.bytes, limit)
                count += len(chunk)
                if (seconds := self._clock() - since) >= PACE_SECONDS:
                    self._check_pace(count / seconds)
                    since, count = self._clock(), 0
        self._progress.total = self._progress.bytes

    def _check_limit(self, count: int, limit: int | None) -> None:
        if limit is not None and count > limit:
            raise too_large("the download", limit, self._request.terms)

    def _check_pace(self, speed: float) -> None:
        if speed < MIN_BYTES_PER_SECOND:
            message = f"{self._where} sends only {speed:.0f} bytes a second, less than {MIN_BYTES_PER_SECOND}"
            raise TransientError(message)

    def _state(self) -> PartState:
        """Read the state of the part on the disk; drop a part of another or an unknown source."""
        try:
            state = PartState.model_validate_json(self._workspace.download_state.read_bytes())
        except (FileNotFoundError, ValidationError):
            state = None
        if state is not None and state.source == self._request.source:
            return state
        self._workspace.drop_download()
        return PartState(source=self._request.source)

    def _have(self) -> int:
        return self._workspace.download.stat().st_size if self._workspace.download.exists() else 0

    def _client(self) -> httpx.Client:
        try:
            return httpx.Client(
                headers={"Accept-Encoding": "identity", "User-Agent": "tts-operator-fetch"},
                timeout=httpx.Timeout(READ_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS),
                follow_redirects=True,
                max_redirects=MAX_REDIRECTS,
                event_hooks={"request": [self._check_address]},
            )
        except OSError as error:
            raise invalid(f"the CA certificates of this container cannot be loaded ({error})") from error

    def _check_address(self, request: httpx.Request) -> None:
        """Refuse a redirect from https:// to http:// unless a checksum would detect tampering."""
        if request.url.scheme == "http" and self._request.sha256 is None:
            raise invalid(f"it redirects to an unprotected http:// address: set {self._request.terms.sha256}")

    @property
    def _where(self) -> str:
        """The source for messages: without its query, which may contain a token."""
        return without_query(self._request.source)


def _error(state: RetryCallState) -> TransientError:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, TransientError):
        raise TypeError
    return error
