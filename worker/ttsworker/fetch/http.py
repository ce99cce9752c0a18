"""Fetch a model from a web server: one file, or an archive to unpack."""

import hashlib
import logging
from urllib.parse import unquote, urlsplit

from ttscontract.model_folder import MANIFEST_NAME
from ttscontract.reasons import Reason
from ttsworker.fetch.archive import is_archive, unpack
from ttsworker.fetch.download import Download
from ttsworker.fetch.errors import FetchError
from ttsworker.fetch.progress import Progress
from ttsworker.fetch.responses import invalid
from ttsworker.fetch.sources import Request
from ttsworker.fetch.workspace import Workspace

log = logging.getLogger(__name__)


class HttpSource:
    """`https://…`, or `http://…` with a checksum."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._name = _file_name(request)

    def fetch_tree(self, workspace: Workspace, progress: Progress) -> None:
        """Download, compare the checksum, unpack."""
        self._download(workspace, progress)
        if not is_archive(self._name):
            workspace.tree.mkdir()
            workspace.download.rename(workspace.tree / self._name)
            return
        progress.phase = "unpacking"
        try:
            limit = workspace.limit(self._request.max_bytes)
            unpack(workspace.download, workspace.tree, max_bytes=limit, terms=self._request.terms)
        except FetchError as error:
            if error.reason is Reason.ARCHIVE_INVALID:
                workspace.drop_download()
            raise

    def _download(self, workspace: Workspace, progress: Progress) -> None:
        while True:
            download = Download(self._request, workspace, progress)
            download.run()
            progress.phase = "verifying"
            actual = _sha256(workspace)
            if self._request.sha256 in {None, actual}:
                return
            workspace.drop_download()
            if not download.resumed:
                wrong = f"the source has sha256 {actual} instead of {self._request.sha256}"
                message = f"{wrong}: correct {self._request.terms.sha256}"
                raise FetchError(Reason.CHECKSUM_MISMATCH, message)
            log.warning("the checksum of the resumed download is wrong: downloading the whole file again")


def _sha256(workspace: Workspace) -> str:
    with workspace.download.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file_name(request: Request) -> str:
    try:
        url = urlsplit(request.source)
        host, user = url.hostname, url.username
    except ValueError as error:
        raise invalid(f"it is not a URL ({error})") from error
    if not host:
        raise invalid("it has no host name")
    if user is not None:
        record = request.terms.record
        raise invalid(f"it contains a user name or password, which everybody who reads {record} would see")
    if url.scheme == "http" and request.sha256 is None:
        raise invalid(f"http:// does not protect the download: set {request.terms.sha256}, or use https://")
    name = unquote(url.path).rsplit("/", 1)[-1]
    if name in {"", ".", "..", MANIFEST_NAME} or not name.isprintable() or len(name.encode()) > 255:
        raise invalid("its path must end with a file name")
    return name
