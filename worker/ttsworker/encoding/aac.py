"""AAC in ADTS frames, encoded by ffmpeg in a separate process.

Tasks of the event loop read ffmpeg's output while this module writes its input, so that the two cannot deadlock.
"""

import asyncio
import shutil
from asyncio.subprocess import PIPE, Process
from typing import NoReturn

from ttsworker.audio import Pcm
from ttsworker.encoding.protocol import EncodingFailed, frames

PROGRAM = "ffmpeg"
KBIT = 96

SAMPLES_PER_FRAME = 1024
HELD_BACK_FRAMES = 8
"""More frames than ffmpeg buffers: it reads up to a tenth of a second at once, and its encoder holds two frames."""

_HEADER_BYTES = 7
_READ_BYTES = 65_536
_MESSAGE_BYTES = 300


def available() -> bool:
    """Return whether ffmpeg is installed."""
    return shutil.which(PROGRAM) is not None


class AacEncoder:
    """Starts ffmpeg with the first piece, so that a queued request costs no process."""

    media_type = "audio/aac"

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._channels = channels
        self._samples = 0
        self._program: _Program | None = None

    def header(self, byte_length: int | None) -> bytes:  # noqa: ARG002 - the protocol's signature
        """Return nothing: every ADTS frame has its own header."""
        return b""

    async def encode(self, piece: Pcm) -> bytes:
        """Return the new frames, except the last `HELD_BACK_FRAMES`, which ffmpeg may still buffer."""
        self._samples += len(piece)
        program = await self._started()
        await program.write(frames(piece, self._channels).astype("<i2").tobytes())
        await program.wait_for_frames(self._samples // SAMPLES_PER_FRAME - HELD_BACK_FRAMES)
        return program.output.take()

    async def finish(self) -> bytes:
        """Return the last frames."""
        program = await self._started()
        await program.end()
        return program.output.take()

    async def close(self) -> None:
        """Kill the process."""
        if self._program:
            await self._program.kill()

    async def _started(self) -> "_Program":
        if not self._program:
            command = _command(self._sample_rate, self._channels)
            try:  # in its own session: Control-C at a terminal must reach only the worker, which finishes its requests
                process = await asyncio.create_subprocess_exec(
                    *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
                )
            except OSError as error:
                message = f"{PROGRAM} cannot be started: {error}"
                raise EncodingFailed(message) from error
            self._program = _Program(process)
        return self._program


class _Program:
    """The running process and the tasks that read what it writes."""

    def __init__(self, process: Process) -> None:
        self.output = _Frames()
        self._process = process
        self._readers = [asyncio.create_task(self._read_output()), asyncio.create_task(self._read_messages())]
        self._message = b""

    async def write(self, samples: bytes) -> None:
        assert self._process.stdin  # noqa: S101 - for mypy: all three are pipes
        self._process.stdin.write(samples)
        try:
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            await self._fail()

    async def wait_for_frames(self, count: int) -> None:
        if not await self.output.wait_for(count):
            await self._fail()

    async def end(self) -> None:
        assert self._process.stdin  # noqa: S101 - see above
        self._process.stdin.close()
        await self._ended()
        if self._process.returncode != 0:
            await self._fail()

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._ended()

    async def _ended(self) -> None:
        await asyncio.gather(*self._readers, self._process.wait())

    async def _fail(self) -> NoReturn:
        await self._ended()  # it closed a pipe, so it is about to exit; killing it now could hide its exit code
        message = f"{PROGRAM} ended with {self._process.returncode}: {self._message.decode(errors='replace').strip()}"
        raise EncodingFailed(message)

    async def _read_output(self) -> None:
        assert self._process.stdout  # noqa: S101 - see above
        while data := await self._process.stdout.read(_READ_BYTES):
            self.output.add(data)
        self.output.end()

    async def _read_messages(self) -> None:
        assert self._process.stderr  # noqa: S101 - see above
        while data := await self._process.stderr.read(_READ_BYTES):
            self._message = (self._message + data)[:_MESSAGE_BYTES]


class _Frames:
    """Collects and counts ADTS frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._next = 0  # where the header of the next frame begins
        self._count = 0
        self._ended = False
        self._changed = asyncio.Event()

    def add(self, data: bytes) -> None:
        self._bytes += data
        while len(self._bytes) >= self._next + _HEADER_BYTES:
            header = self._bytes[self._next : self._next + _HEADER_BYTES]
            length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
            self._next += max(length, _HEADER_BYTES)
            self._count += 1
        self._changed.set()

    def end(self) -> None:
        self._ended = True
        self._changed.set()

    async def wait_for(self, count: int) -> bool:
        """Wait until `count` frames have arrived; return False when the output ends before that."""
        while self._count < count and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        return self._count >= count

    def take(self) -> bytes:
        """Return the bytes that arrived since the last call."""
        data = bytes(self._bytes)
        self._bytes.clear()
        self._next -= len(data)
        return data


def _command(sample_rate: int, channels: int) -> list[str]:
    # By default ffmpeg buffers seconds of input to detect its format.
    at_once = ["-probesize", "32", "-analyzeduration", "0"]
    read = [*at_once, "-f", "s16le", "-ar", str(sample_rate), "-ac", str(channels), "-i", "pipe:0"]
    encode = ["-c:a", "aac", "-b:a", f"{KBIT}k", "-threads", "1"]
    write = ["-flush_packets", "1", "-f", "adts", "pipe:1"]
    return [PROGRAM, "-hide_banner", "-loglevel", "error", *read, *encode, *write]
