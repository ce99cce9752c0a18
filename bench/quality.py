"""Computes how a stream of speech sounds, from its samples and their arrival times.

Times are seconds since the request was sent. The listener plays the audio from its first sample, without a buffer, so
late audio is audible as a stall.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]

QUIET_DBFS = -50.0
"""Audio below this level of full scale counts as silence: it is inaudible in a quiet room."""

FRAME_SECONDS = 0.01
"""Length of the frames over which the level is computed, so that one loud sample does not count as speech."""

PCM_RATE = 24_000
"""Sample rate of a response without a header, as in OpenAI's API."""

_FULL_SCALE = 32_768.0


@dataclass(frozen=True)
class Arrival:
    """The arrival time and the number of some samples."""

    at: float
    samples: int


@dataclass(frozen=True)
class Stall:
    """The player waited so many seconds before the sample at this position."""

    position: int
    seconds: float


@dataclass(frozen=True)
class Reception:
    """A response as a client received it."""

    samples: Pcm
    sample_rate: int
    arrivals: Sequence[Arrival]

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return len(self.samples) / self.sample_rate


def receive(chunks: Sequence[tuple[float, bytes]]) -> Reception:
    """Parse a 16 bit mono WAV, or bare samples at PCM_RATE, from chunks of bytes with their arrival times."""
    body = b"".join(chunk for _, chunk in chunks)
    start, rate = _header(body)
    arrivals: list[Arrival] = []
    received, counted = 0, 0
    for at, chunk in chunks:
        received += len(chunk)
        whole = max(0, received - start) // 2
        if whole > counted:
            arrivals.append(Arrival(at, whole - counted))
            counted = whole
    return Reception(np.frombuffer(body, "<i2", counted, start), rate, arrivals)


def stalls(reception: Reception) -> list[Stall]:
    """The underruns of a player that starts with the first sample."""
    found: list[Stall] = []
    position, played_until = 0, reception.arrivals[0].at if reception.arrivals else 0.0
    for arrival in reception.arrivals:
        if arrival.at > played_until:
            found.append(Stall(position, arrival.at - played_until))
            played_until = arrival.at
        played_until += arrival.samples / reception.sample_rate
        position += arrival.samples
    return found


def first_audio(reception: Reception) -> float:
    """Return the arrival time of the first sample."""
    return reception.arrivals[0].at


def first_audible(reception: Reception) -> float:
    """Return when the first sound is audible: silence at the beginning, and stalls in it, count as waiting."""
    start, _ = audible_span(reception.samples, reception.sample_rate)
    waited = sum(stall.seconds for stall in stalls(reception) if stall.position <= start)
    return first_audio(reception) + waited + start / reception.sample_rate


def chunk_gaps(reception: Reception) -> list[float]:
    """Seconds between one arrival of audio and the next."""
    times = [arrival.at for arrival in reception.arrivals]
    return [later - earlier for earlier, later in itertools.pairwise(times)]


def audible_span(samples: Pcm, sample_rate: int) -> tuple[int, int]:
    """Return the first and one past the last sample of the audible frames; the end twice if all frames are silent."""
    frame = _frame(sample_rate)
    loud = np.flatnonzero(~quiet_frames(samples, sample_rate))
    if not len(loud):
        return len(samples), len(samples)
    return int(loud[0]) * frame, min(len(samples), (int(loud[-1]) + 1) * frame)


def speech_seconds(reception: Reception) -> float:
    """Return the length of the audio from the first to the last sound: silence that a server appends is no work."""
    start, end = audible_span(reception.samples, reception.sample_rate)
    return (end - start) / reception.sample_rate


def longest_silence(samples: Pcm, sample_rate: int) -> float:
    """Seconds of the longest run of silent frames."""
    longest, run = 0, 0
    for is_quiet in quiet_frames(samples, sample_rate):
        run = run + 1 if is_quiet else 0
        longest = max(longest, run)
    return min(longest * _frame(sample_rate), len(samples)) / sample_rate


def quiet_frames(samples: Pcm, sample_rate: int) -> npt.NDArray[np.bool_]:
    """For each frame, the shorter last one included, whether its root mean square is below QUIET_DBFS."""
    frame = _frame(sample_rate)
    padded = np.zeros(-(-len(samples) // frame) * frame)
    padded[: len(samples)] = samples / _FULL_SCALE
    power = np.square(padded.reshape(-1, frame)).sum(axis=1)
    lengths = np.full(len(power), frame)
    if len(samples) % frame:
        lengths[-1] = len(samples) % frame
    quiet: npt.NDArray[np.bool_] = power / lengths < 10 ** (QUIET_DBFS / 10)
    return quiet


def largest_step(samples: Pcm) -> float:
    """Return the largest jump from one sample to the next, as a fraction of full scale: 0 to 2."""
    if len(samples) < 2:
        return 0.0
    return float(np.abs(np.diff(samples.astype(np.int32))).max()) / _FULL_SCALE


def _frame(sample_rate: int) -> int:
    return round(FRAME_SECONDS * sample_rate)


def _header(body: bytes) -> tuple[int, int]:
    """Return where the samples begin, and their rate; raises ValueError for a WAV that is not 16 bit mono."""
    if body[:4] != b"RIFF":
        return 0, PCM_RATE
    start = body.index(b"data") + 8
    fields = body.index(b"fmt ") + 8
    channels = int.from_bytes(body[fields + 2 : fields + 4], "little")
    rate = int.from_bytes(body[fields + 4 : fields + 8], "little")
    bits = int.from_bytes(body[fields + 14 : fields + 16], "little")
    if (channels, bits) != (1, 16):
        message = f"a WAV of {channels} channels and {bits} bits is not supported, only mono of 16 bits"
        raise ValueError(message)
    return start, rate
