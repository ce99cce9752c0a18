"""Compares our worker with Coqui's own tts-server: same checkpoint, texts, threads and machine, alternately."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import load, servers
from bench.figures import FIGURES
from bench.load import Load
from bench.memory import Memory, Peak, memory, watched
from bench.report import Row, say
from bench.servers import Server, Start
from bench.texts import texts
from ttscontract.model_folder import MANIFEST_NAME

PEER = "tts-server"

FIRST_TEXT = "The worker is ready to speak."

LONGEST_TEXT = 3
"""Sentences of a text; with more than one, first audio shows whether a response starts with the first sentence."""

SETTLE_SECONDS = 1.0
"""Seconds from a response to reading the memory at rest."""


@dataclass(frozen=True)
class Effort:
    """Extent of the measurement: size of the voice, rounds, requests by number of clients, seconds of each at most."""

    size: str
    threads: int
    rounds: int
    requests: Mapping[int, int]
    seconds: float


@dataclass
class Side:
    """The measurements of one server."""

    start: Start
    first_audio: list[float] = field(default_factory=list)
    at_rest: list[Memory] = field(default_factory=list)
    """PSS is largest, and correct, while the other server does not run, because both share pages of libraries."""
    peaks: list[Peak] = field(default_factory=list)
    loads: dict[int, list[Load]] = field(default_factory=dict)
    """Loads of all rounds, by number of clients."""


def checkpoint(folder: Path, size: str) -> Path:
    """Return a voice of random weights, generated once; its manifest, written last, marks it as complete."""
    made = folder / f"vits-{size}"
    if not (made / MANIFEST_NAME).exists():
        say(f"making a VITS of random weights, size {size}")
        subprocess.run([sys.executable, "-m", "bench.checkpoint", str(made), size], check=True, capture_output=True)
    return made


def compare(folder: Path, effort: Effort) -> list[Row]:
    """Measure both sides."""
    voice = checkpoint(folder, effort.size)
    ours = Side(lambda: servers.our_worker(folder, effort.threads, engine="coqui", model_dir=voice))
    peer = Side(lambda: servers.coqui_server(folder, effort.threads, voice))
    for number in range(1, effort.rounds):
        say(f"cold starts, {number} of {effort.rounds}")
        for side in (ours, peer):
            with side.start() as server:
                _first_audio(side, server)
    say(f"cold starts, {effort.rounds} of {effort.rounds}: these servers stay")
    with ExitStack() as stack:
        turns: list[tuple[Side, Server]] = []
        for side in (ours, peer):
            turns.append((side, stack.enter_context(side.start())))
            _first_audio(*turns[-1])
        for clients, count in effort.requests.items():
            for number in range(effort.rounds):
                wanted = texts(count, seed=100 * clients + number, longest=LONGEST_TEXT)
                # Every second round reverses the order, so that changes over time affect both sides equally.
                for side, server in turns if number % 2 == 0 else reversed(turns):
                    say(f"{server.name}, {clients} at once, {number + 1} of {effort.rounds}")
                    with watched(server.pid) as peak:
                        done = load.run(server.url, server.ask, wanted, clients=clients, seconds=effort.seconds)
                    side.peaks.append(peak)
                    side.loads.setdefault(clients, []).append(done)
    return [*_rows_of_load(ours, peer), *_rows_of_process(ours, peer)]


def _first_audio(side: Side, server: Server) -> None:
    side.first_audio.append(server.first_audio(FIRST_TEXT))
    time.sleep(SETTLE_SECONDS)
    side.at_rest.append(memory(server.pid))


def _rows_of_load(ours: Side, peer: Side) -> list[Row]:
    return [
        Row(f"{name}, {clients} at once", figure(ours.loads[clients]), unit, PEER, figure(peer.loads[clients]))
        for name, unit, figure in FIGURES
        for clients in ours.loads
    ]


def _rows_of_process(ours: Side, peer: Side) -> list[Row]:
    def row(what: str, read: Callable[[Side], float], unit: str = "MB") -> Row:
        return Row(what, read(ours), unit, PEER, read(peer))

    return [
        row("cold start to first audio", lambda side: median(side.first_audio), "s"),
        row("memory at rest (PSS)", lambda side: max(each.pss for each in side.at_rest) / 1e6),
        row("memory at rest (RSS)", lambda side: max(each.rss for each in side.at_rest) / 1e6),
        row("memory at most (PSS, both running)", lambda side: max(peak.pss for peak in side.peaks) / 1e6),
        row("memory at most (RSS)", lambda side: max(peak.rss for peak in side.peaks) / 1e6),
    ]
