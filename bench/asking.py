"""Requests speech from a server as its clients do, and records when each byte of the response arrives."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

TIMEOUT_SECONDS = 120.0
"""Seconds without a byte after which a response fails."""

WAV_HEADER_BYTES = 44


class Refused(Exception):
    """A server answered with something other than speech."""


@dataclass(frozen=True)
class Asked:
    """One kind of request: `asked(text)` returns the arguments of httpx's `request` and `stream`."""

    method: str
    path: str
    field: str
    more: Mapping[str, object]

    @classmethod
    def by_openai(cls, response_format: str = "wav") -> Asked:
        """OpenAI's API, which streams the audio during the synthesis."""
        return cls("POST", "/v1/audio/speech", "input", {"response_format": response_format})

    @classmethod
    def by_coqui(cls) -> Asked:
        """Coqui's API, which returns a whole WAV."""
        return cls("GET", "/api/tts", "text", {})

    def __call__(self, text: str) -> dict[str, Any]:
        """The request for one text."""
        values = {self.field: text, **self.more}
        body = {"params": values} if self.method == "GET" else {"json": values}
        return {"method": self.method, "url": self.path, **body}


Chunks = Sequence[tuple[float, bytes]]
"""The received bytes, each with the seconds until they arrived."""


async def ask(client: httpx.AsyncClient, request: Mapping[str, Any]) -> Chunks:
    """Read the whole response; raises Refused for any status except 200."""
    began = time.perf_counter()
    async with client.stream(**request) as answer:
        if answer.status_code != 200:
            message = f"{answer.status_code}: {(await answer.aread())[:300]!r}"
            raise Refused(message)
        return [(time.perf_counter() - began, chunk) async for chunk in answer.aiter_raw()]


def ask_once(client: httpx.Client, request: Mapping[str, Any]) -> float | None:
    """Return when (by time.perf_counter) the first audio arrived; None if the server does not run or is not ready."""
    try:
        with client.stream(**request) as answer:
            if answer.status_code == 503:
                return None
            if answer.status_code != 200:
                message = f"{answer.status_code}: {answer.read()[:300]!r}"
                raise Refused(message)
            received, first = 0, None
            for chunk in answer.iter_raw():
                received += len(chunk)
                if first is None and received > WAV_HEADER_BYTES:
                    first = time.perf_counter()
            return first
    except httpx.TransportError:
        return None


def client_for(url: str) -> httpx.AsyncClient:
    """Return a client without a limit of connections."""
    limits = httpx.Limits(max_connections=None)
    return httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS, limits=limits, trust_env=False)
