"""Measures the worker with its embedded voice, which is fast enough to show the cost of the server itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from bench import bare, load, servers
from bench.asking import Asked, ask, client_for
from bench.figures import Loads, mean, percentile, requests_per_second
from bench.idle import bytes_per_client
from bench.joins import LONGEST_NATURAL_PAUSE_SECONDS, NATURAL_PAUSE_SECONDS, Join, joins
from bench.quality import receive
from bench.report import Row, say
from bench.servers import Server
from bench.texts import sentences

ENGINE = "hibari"

SENTENCES_OF_TEXT = 6
"""Sentences of a text in the streaming measurement: about 15 seconds of speech."""

IDLE_SENTENCES = 16
"""Sentences of a text for a client that stops reading: longer than the worker's buffer for one client."""


@dataclass(frozen=True)
class Effort:
    """The extent of the measurement."""

    cpus: int
    rounds: int
    sentences: int
    cached: int
    idle_clients: int
    streams: dict[int, int]
    """Texts by number of clients."""
    joined_texts: int


def measure(folder: Path, effort: Effort) -> list[Row]:
    """Measure everything that needs no other server."""
    start = partial(servers.our_worker, folder, effort.cpus, engine=ENGINE)
    rows = overhead(folder, effort)
    with start() as server:
        server.first_audio("Hello.")
        rows += streaming(server, effort)
        rows += asyncio.run(at_joins(server, effort))
    with start(cache_ttl_seconds=3600) as server:
        server.first_audio("Hello.")
        rows += cached(server, effort)
    with start(request_timeout_seconds=600) as server:
        server.first_audio("Hello.")
        rows += idle(server, effort)
    return rows


def overhead(folder: Path, effort: Effort) -> list[Row]:
    """Speak the same sentences through the server and through the bare engine, alternately.

    Leaves one CPU to the clients, which do not run on a real server's machine; both sides use the other CPUs.
    """
    threads = max(1, effort.cpus - 1)
    wanted = sentences(effort.sentences, seed=1)
    loads: list[load.Load] = []
    without: list[float] = []
    with servers.our_worker(folder, threads, engine=ENGINE) as server:
        server.first_audio("Hello.")
        for number in range(effort.rounds):
            say(f"the bare engine, then the server, {len(wanted)} sentences, {number + 1} of {effort.rounds}")
            without.append(len(wanted) / bare.run(ENGINE, threads, wanted))
            loads.append(load.run(server.url, server.ask, wanted, clients=4 * threads, seconds=60.0))
    rate = median(requests_per_second([each]) for each in loads)
    return [Row("sentences per second through the server", rate, "/s", "bare engine loop", median(without))]


def streaming(server: Server, effort: Effort) -> list[Row]:
    """Measure how texts of several sentences sound to more and more clients."""
    rows: list[Row] = []
    for clients, count in effort.streams.items():
        say(f"{count} texts streamed to {clients} at once")
        supply = sentences(count * SENTENCES_OF_TEXT, seed=clients)
        texts = [
            " ".join(supply[start : start + SENTENCES_OF_TEXT]) for start in range(0, len(supply), SENTENCES_OF_TEXT)
        ]
        loads = [load.run(server.url, server.ask, texts, clients=clients, seconds=60.0)]
        rows += _heard(loads, f"streamed to {clients} at once")
    return rows


def _heard(loads: Loads, how: str) -> list[Row]:
    return [
        Row(f"first audio, median, {how}", percentile(50, lambda answer: answer.first_audio)(loads), "s"),
        Row(f"first audio, 95 %, {how}", percentile(95, lambda answer: answer.first_audio)(loads), "s"),
        Row(f"first audible sound, median, {how}", percentile(50, lambda answer: answer.first_audible)(loads), "s"),
        Row(f"underruns of a text, {how}", mean(lambda answer: answer.stalls)(loads), ""),
        Row(f"underruns of a text, {how}, time", mean(lambda answer: answer.stalled_seconds)(loads), "s"),
        Row(f"longest time between two pieces, {how}", percentile(100, lambda answer: answer.longest_gap)(loads), "s"),
    ]


async def at_joins(server: Server, effort: Effort) -> list[Row]:
    """Measure silence and clicks where sentences meet; requests each sentence alone too, to find the joins."""
    say(f"the joins of {effort.joined_texts} texts")
    found: list[Join] = []
    async with client_for(server.url) as client:
        for number in range(effort.joined_texts):
            wanted = sentences(SENTENCES_OF_TEXT, seed=1000 + number)
            alone = [receive(await ask(client, Asked.by_coqui()(sentence))).samples for sentence in wanted]
            text = receive(await ask(client, server.ask(" ".join(wanted))))
            found += joins(text, alone)
    pauses = [join.silence_seconds for join in found]
    natural = ("natural pause", NATURAL_PAUSE_SECONDS)
    too_long = sum(pause > LONGEST_NATURAL_PAUSE_SECONDS for pause in pauses)
    return [
        Row("silence at a join of sentences, median", median(pauses), "s", *natural),
        Row("silence at a join of sentences, longest", max(pauses), "s", *natural),
        Row("silence at a join of sentences, shortest", min(pauses), "s", *natural),
        Row("joins silent for too long", too_long, "", "joins", len(found)),
        Row("joins that click", sum(join.clicks for join in found), "", "joins", len(found)),
        Row("largest step at a join, of full scale", max(join.step for join in found), ""),
    ]


def cached(server: Server, effort: Effort) -> list[Row]:
    """Compare the second request of a sentence with the first."""
    say(f"{effort.cached} sentences twice")
    wanted = sentences(effort.cached, seed=2)
    whole = Asked.by_coqui()
    first, second = (load.run(server.url, whole, wanted, clients=1, seconds=60.0) for _ in range(2))
    times = [median(answer.total for answer in each.answers) * 1000 for each in (second, first)]
    return [Row("a sentence for the second time, median", times[0], "ms", "first time", times[1])]


def idle(server: Server, effort: Effort) -> list[Row]:
    """Measure the memory for each client that stopped reading."""
    say(f"{effort.idle_clients} clients that stop reading")
    supply = iter(sentences(effort.idle_clients * IDLE_SENTENCES, seed=3))
    texts = [" ".join(next(supply) for _ in range(IDLE_SENTENCES)) for _ in range(effort.idle_clients)]
    each = asyncio.run(bytes_per_client(server, texts))
    return [Row(f"memory for each of {effort.idle_clients} idle streaming clients", each / 1e6, "MB")]
