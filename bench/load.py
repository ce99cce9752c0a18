"""Clients that ask a server again and again, each as soon as it has its answer: a program of its own.

`python -m bench.load` reads a plan from standard input and writes what came of it to standard output, as JSON; `run`
does both ends. Its work on the machine's CPUs is small beside a synthesis, and the same whoever is asked.
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
"""Beyond a plan's time, for the answers that are then still being given."""


@dataclass(frozen=True)
class Answer:
    """How one request went; times in seconds since it was sent, but `began`, which is since the plan's begin."""

    began: float
    total: float
    first_audio: float
    first_audible: float
    speech_seconds: float
    stalls: int
    stalled_seconds: float
    longest_gap: float
    """Between one arrival of audio and the next."""

    @property
    def ended(self) -> float:
        """Since the plan's begin."""
        return self.began + self.total


@dataclass(frozen=True)
class Load:
    """All answers of a plan."""

    answers: Sequence[Answer]

    @property
    def seconds(self) -> float:
        """From the first request to the last answer's end."""
        return max(answer.ended for answer in self.answers) - min(answer.began for answer in self.answers)

    @property
    def speech_seconds(self) -> float:
        """Of audio, without the silence that a server puts around it."""
        return sum(answer.speech_seconds for answer in self.answers)


def run(url: str, asked: Asked, texts: Sequence[str], *, clients: int, seconds: float) -> Load:
    """Let so many clients ask for these texts; after so many seconds no further one is asked for.

    Raises RuntimeError when a request is refused or broken off.
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
    """Do what a plan says. The answers are looked at when the last one is there, not while time is taken."""
    waiting = list(reversed(plan["requests"]))
    received: list[tuple[float, Chunks]] = []

    async with client_for(plan["url"]) as client:
        await client.get("/v1/models")  # so that making the first connection is in nobody's time
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
    """Measure one answer."""
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
    """Read the plan, do it, write the answers."""
    try:
        answers = asyncio.run(ask_all(json.load(sys.stdin)))
    except* (Refused, httpx.HTTPError) as group:
        first = group.exceptions[0]
        sys.exit(f"a request failed: {type(first).__name__}: {first}")
    json.dump([asdict(answer) for answer in answers], sys.stdout)


if __name__ == "__main__":
    main()
