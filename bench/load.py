"""A separate program with clients that send requests, each as soon as it has the last response.

`python -m bench.load` reads a plan from standard input and writes the results to standard output, as JSON; `run` calls
it. It needs little CPU time compared with a synthesis, and the same for every server.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from bench import quality
from bench.asking import Asked, Chunks, Refused, ask, client_for

SLACK_SECONDS = 240.0
"""Extra seconds after a plan's time, for the responses that still run then."""


@dataclass(frozen=True)
class Answer:
    """The result of one request; times in seconds since it was sent, but `began` since the plan's start."""

    began: float
    total: float
    first_audio: float
    first_audible: float
    speech_seconds: float
    stalls: int
    stalled_seconds: float
    longest_gap: float
    """The longest time between two arrivals of audio."""

    @property
    def ended(self) -> float:
        """Return the end in seconds since the plan's start."""
        return self.began + self.total


@dataclass(frozen=True)
class Load:
    """All results of a plan."""

    answers: Sequence[Answer]

    @property
    def seconds(self) -> float:
        """Return the seconds from the first request to the end of the last response."""
        return max(answer.ended for answer in self.answers) - min(answer.began for answer in self.answers)

    @property
    def speech_seconds(self) -> float:
        """Return the seconds of audio without the silence that a server adds."""
        return sum(answer.speech_seconds for answer in self.answers)


def run(url: str, asked: Asked, texts: Sequence[str], *, clients: int, seconds: float) -> Load:
    """Run so many clients that request these texts; after so many seconds they start no further request.

    Raises RuntimeError if a request is refused or fails.
    """
    plan = {"url": url, "requests": [asked(text) for text in texts], "clients": clients, "seconds": seconds}
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(plan),
        stdout=subprocess.PIPE,
        text=True,
        timeout=seconds + SLACK_SECONDS,
        check=False,
    )
    if done.returncode:
        message = f"the clients of {url} failed, see above"
        raise RuntimeError(message)
    return Load([Answer(**answer) for answer in json.loads(done.stdout)])


async def ask_all(plan: dict[str, Any]) -> list[Answer]:
    """Execute a plan. Analyses the responses after the last one, not during the measurement."""
    waiting = list(reversed(plan["requests"]))
    received: list[tuple[float, Chunks]] = []

    async with client_for(plan["url"]) as client:
        await client.get("/v1/models")  # so that no measured time includes the first connection
        start = time.perf_counter()

        async def one_client() -> None:
            while waiting and time.perf_counter() - start < plan["seconds"]:
                request = waiting.pop()
                began = time.perf_counter() - start
                received.append((began, await ask(client, request)))

        async with asyncio.TaskGroup() as group:
            for _ in range(plan["clients"]):
                group.create_task(one_client())
    return [look_at(began, chunks) for began, chunks in received]


def look_at(began: float, chunks: Chunks) -> Answer:
    """Analyse one response."""
    heard = quality.receive(chunks)
    stalls = quality.stalls(heard)
    return Answer(
        began=began,
        total=chunks[-1][0],
        first_audio=quality.first_audio(heard),
        first_audible=quality.first_audible(heard),
        speech_seconds=quality.speech_seconds(heard),
        stalls=len(stalls),
        stalled_seconds=sum(stall.seconds for stall in stalls),
        longest_gap=max(quality.chunk_gaps(heard), default=0.0),
    )


def main() -> None:
    """Read the plan, execute it, write the results."""
    try:
        answers = asyncio.run(ask_all(json.load(sys.stdin)))
    except* (Refused, httpx.HTTPError) as group:
        first = group.exceptions[0]
        sys.exit(f"a request failed: {type(first).__name__}: {first}")
    json.dump([asdict(answer) for answer in answers], sys.stdout)


if __name__ == "__main__":
    main()
