"""A few calls of the Kubernetes API, with the standard library only."""

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

_TIMEOUT = 20.0  # seconds; a busy machine is slow
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


class Api:
    """The API server as the cluster's supervisor, through the certificates in its pki folder."""

    def __init__(self, port: int, pki: Path) -> None:
        self._server = f"https://127.0.0.1:{port}"
        self._tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._tls.load_cert_chain(pki / "supervisor.crt", pki / "supervisor.key")

    def get(self, path: str) -> dict[str, Any] | None:
        """Return the object at a path, or None if it does not exist."""
        try:
            return self._json("GET", path)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def patch(self, path: str, body: dict[str, Any], kind: str = MERGE) -> dict[str, Any]:
        """Change the object at a path."""
        return self._json("PATCH", path, body, kind)

    def apply(self, path: str, body: dict[str, Any]) -> None:
        """Create or update the object at a path (server-side apply)."""
        self._json("PATCH", f"{path}?fieldManager=devcluster&force=true", body, APPLY)

    def is_ready(self) -> bool:
        """Return whether the API server reports that it is ready."""
        try:
            with self._open("GET", "/readyz"):
                return True
        except OSError:
            return False

    def _json(self, method: str, path: str, body: dict[str, Any] | None = None, kind: str = MERGE) -> dict[str, Any]:
        with self._open(method, path, body, kind) as answer:
            document: dict[str, Any] = json.load(answer)
            return document

    def _open(self, method: str, path: str, body: dict[str, Any] | None = None, kind: str = MERGE) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._server + path, data, {"Content-Type": kind}, method=method)
        return urllib.request.urlopen(request, timeout=_TIMEOUT, context=self._tls)
