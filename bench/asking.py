"""Asks a server for speech as its clients do, and notes when each byte of the answer came."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

PATIENCE_SECONDS = 120.0
"""Without a byte, after which an answer is given up."""

WAV_HEADER_BYTES = 44


class Refused(Exception):
    """A server answered with something else than speech."""


@dataclass(frozen=True)
class Asked:
    """One way to ask: `asked(text)` gives the arguments of httpx's `request` and `stream`."""

    method: str
    path: str
    field: str
    more: Mapping[str, object]

    @classmethod
    def by_openai(cls, response_format: str = "wav") -> Asked:
        """OpenAI's API, answered while the audio is being made."""
        return cls("POST", "/v1/audio/speech", "input", {"response_format": response_format})

    @classmethod
    def by_coqui(cls) -> Asked:
        """Coqui's API, answered by a whole WAV."""
        return cls("GET", "/api/tts", "text", {})

    def __call__(self, text: str) -> dict[str, Any]:
        """The request for one text."""
        values = {self.field: text, **self.more}
        body = {"params": values} if self.method == "GET" else {"json": values}
        return {"method": self.method, "url": self.path, **body}


Chunks = Sequence[tuple[float, bytes]]
"""What came, and after how many seconds."""


async def ask(client: httpx.AsyncClient, request: Mapping[str, Any]) -> Chunks:
    """Read the whole answer; raises Refused for any but 200."""
    began = time.perf_counter()
    async with client.stream(**request) as answer:
        if answer.status_code != 200:
            message = f"{answer.status_code}: {(await answer.aread())[:300]!r}"
            raise Refused(message)
        return [(time.perf_counter() - began, chunk) async for chunk in answer.aiter_raw()]


def ask_once(client: httpx.Client, request: Mapping[str, Any]) -> float | None:
    """When (by time.perf_counter) the first audio came; None from a server that is not there or not ready yet."""
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
    """A client that opens as many connections as it is asked to."""
    limits = httpx.Limits(max_connections=None)
    return httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS, limits=limits, trust_env=False)
