"""A file server for pods: one file of source, run by the worker image's own Python.

    python fileserver.py --root /opt/files --port 8080 [--cut-after BYTES] [--slow BYTES_PER_SECOND]

Range and If-Range come from starlette. Every answer is one line on standard output, so that a test can read in the
pod's log how the file was asked for: `GET /voice.onnx 206 range=bytes=1000- sent=5000`.
"""

import argparse
import asyncio
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PIECES_PER_SECOND = 20


class FileServer:
    """Serves a folder; cuts the first file it sends after some bytes, or sends slowly, when told to."""

    def __init__(self, root: Path, *, cut_after: int | None = None, bytes_per_second: int | None = None) -> None:
        self._files: ASGIApp = Starlette(routes=[Mount("/", StaticFiles(directory=root, follow_symlink=True))])
        self._cut_after = cut_after
        self._bytes_per_second = bytes_per_second

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        answer = _Answer(send, self._bytes_per_second)

        async def send_until_cut(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in {200, 206}:
                answer.cut_after, self._cut_after = self._cut_after, None
            await answer.send(message)

        try:
            await self._files(scope, receive, send_until_cut)
        finally:
            asked = Headers(scope=scope).get("range", "none")
            cut = " cut" if answer.was_cut else ""
            log_line = f"{scope['method']} {scope['path']} {answer.status} range={asked} sent={answer.sent}{cut}\n"
            sys.stdout.write(log_line)
            sys.stdout.flush()


class _Answer:
    """Passes an answer on. After `cut_after` bytes nothing more is sent, and uvicorn closes the connection."""

    def __init__(self, send: Send, bytes_per_second: int | None) -> None:
        self.status = 0
        self.sent = 0
        self.was_cut = False
        self.cut_after: int | None = None
        self._send = send
        self._bytes_per_second = bytes_per_second

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            await self._send(message)
        elif not self.was_cut:
            await self._send_body(message.get("body", b""), more=message.get("more_body", False))

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        if self.cut_after is not None and self.sent + len(body) > self.cut_after:
            body, more, self.was_cut = body[: self.cut_after - self.sent], True, True
        step = max(1, self._bytes_per_second // PIECES_PER_SECOND) if self._bytes_per_second else max(1, len(body))
        for start in range(0, len(body), step):
            piece = body[start : start + step]
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            self.sent += len(piece)
            if self._bytes_per_second:
                await asyncio.sleep(len(piece) / self._bytes_per_second)
        if not more:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="Serve a folder over HTTP.")
    parser.add_argument("--root", type=Path, default=Path(), help="the folder")
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--cut-after", type=int, metavar="BYTES", help="close the first file's connection after BYTES")
    parser.add_argument("--slow", type=int, metavar="BYTES_PER_SECOND", help="send no faster than this")
    options = parser.parse_args()
    if not options.root.is_dir():
        parser.error(f"{options.root} is no folder")
    server = FileServer(options.root, cut_after=options.cut_after, bytes_per_second=options.slow)
    uvicorn.run(server, host=options.host, port=options.port, log_level="critical", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
