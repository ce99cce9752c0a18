"""`make soak-worker`: checks whether the worker's memory grows with the number of its requests.

Sends 3,000 requests of mixed lengths and formats; some are wrong, and some clients disconnect. The figure is the memory
of the last third divided by that of the second; the first third fills the caches. Exits with 1 if the memory grew by
more than 5 %, or if a program that the worker started for a response still runs.

Run from the repository's root: `python -m bench.soak`; `--requests 60` to try it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx

from bench.asking import TIMEOUT_SECONDS, Asked, Refused, client_for
from bench.memory import own_memory, tree
from bench.report import Row, say, table
from bench.servers import Server, our_worker
from bench.texts import texts
from ttsworker.engines.cpu import cpu_limit

REQUESTS = 3000
CLIENTS = 8
LIMIT_SECONDS = 1200.0
MOST_GROWTH = 1.05
SETTLE_SECONDS = 2.0
"""Seconds from the last response to the check for remaining programs."""

SEED = 4

FORMATS = ("wav", "pcm", "mp3", "opus", "flac", "aac")
"""The soak test requests those of them that the worker supports."""

LONGEST_TEXT = 4
READS_IN_FULL, LEAVES_IN_MID_ANSWER, LEAVES_BEFORE_IT, IS_WRONG = "read in full", "left in mid-answer", "left", "wrong"
BEHAVIOUR = {READS_IN_FULL: 80, LEAVES_IN_MID_ANSWER: 10, LEAVES_BEFORE_IT: 5, IS_WRONG: 5}
"""Requests in a hundred."""

REPEATED = 0.2
"""Share of repeated texts, so that the cache has hits, and because of its limit also evictions."""

CACHE_BYTES = 8 * 2**20

BEFORE_THE_ANSWER = httpx.Timeout(TIMEOUT_SECONDS, read=0.01)


@dataclass
class Soak:
    """The measurements so far: memory (PSS) after every request, in the order in which they ended.

    Only of the worker itself: an encoder's program runs only for one response.
    """

    server: Server
    seen: list[int] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    async def one(self, client: httpx.AsyncClient, how: str, asked: Asked, text: str) -> None:
        """Send one request, behave as `how` says, read the memory; raises Refused for an unexpected response."""
        request = asked("" if how == IS_WRONG else text)
        expected = 400 if how == IS_WRONG else 200
        timeout = BEFORE_THE_ANSWER if how == LEAVES_BEFORE_IT else httpx.Timeout(TIMEOUT_SECONDS)
        try:
            async with client.stream(**request, timeout=timeout) as answer:
                if answer.status_code != expected:
                    message = f"{answer.status_code} instead of {expected}: {(await answer.aread())[:300]!r}"
                    raise Refused(message)
                async for _ in answer.aiter_raw():
                    if how == LEAVES_IN_MID_ANSWER:
                        break
        except httpx.ReadTimeout:
            if how != LEAVES_BEFORE_IT:
                raise
        self.outcomes[how] += 1
        self.seen.append(own_memory(self.server.pid).pss)
        if len(self.seen) % 250 == 0:
            say(f"{len(self.seen)} requests, {self.seen[-1] / 1e6:.0f} MB")


async def soak(server: Server, count: int) -> Soak:
    """Send all requests from concurrent clients."""
    done = Soak(server)
    async with asyncio.timeout(LIMIT_SECONDS), client_for(server.url) as client:
        formats = await known_formats(client)
        say(f"{count} requests from {CLIENTS} clients in {', '.join(formats)}")
        waiting = list(reversed(plan(count, formats)))

        async def one_client() -> None:
            while waiting:
                await done.one(client, *waiting.pop())

        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(one_client())
    return done


def plan(count: int, formats: list[str]) -> list[tuple[str, Asked, str]]:
    """Return the requests: behaviour, kind of request and text; the same ones every time."""
    chooser = random.Random(SEED)  # noqa: S311 - a fixed choice is what is wanted
    supply = texts(count, SEED, longest=LONGEST_TEXT)
    ways = [*map(Asked.by_openai, formats), Asked.by_coqui()]
    return [
        (
            chooser.choices(list(BEHAVIOUR), list(BEHAVIOUR.values()))[0],
            chooser.choice(ways),
            supply[chooser.randrange(number + 1) if chooser.random() < REPEATED else number],
        )
        for number in range(count)
    ]


async def known_formats(client: httpx.AsyncClient) -> list[str]:
    """Return the formats that the worker supports."""
    answers = {name: await client.request(**Asked.by_openai(name)("Hello.")) for name in FORMATS}
    return [name for name, answer in answers.items() if answer.status_code == 200]


def main() -> None:
    """Run the soak test, print the result, exit with 1 if the memory has grown."""
    parser = argparse.ArgumentParser(description="Soak test of the worker's memory")
    parser.add_argument("--requests", type=int, default=REQUESTS)
    count = parser.parse_args().requests
    folder = Path(__file__).parents[1] / "build/bench"
    folder.mkdir(parents=True, exist_ok=True)
    with our_worker(
        folder, cpu_limit(), engine="hibari", cache_ttl_seconds=3600, cache_memory_bytes=CACHE_BYTES
    ) as server:
        server.first_audio("Hello.")
        done = asyncio.run(soak(server, count))
        time.sleep(SETTLE_SECONDS)
        left = len(tree(server.pid)) - 1
    third = count // 3
    second, last = (median(done.seen[start : start + third]) / 1e6 for start in (third, 2 * third))
    say(", ".join(f"{number} {how}" for how, number in done.outcomes.items()))
    row = Row(f"memory (PSS) of the last {third} of {count} requests", last, "MB", f"the second {third}", second)
    print(table([row]))
    if left:
        sys.exit(f"{left} programs that the worker started still run")
    if last / second > MOST_GROWTH:
        sys.exit(f"the memory has grown by {last / second - 1:.1%}, more than {MOST_GROWTH - 1:.0%}")


if __name__ == "__main__":
    main()
