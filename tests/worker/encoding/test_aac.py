"""The ffmpeg process ends with its response, and the worker reports its error message when it fails."""

import asyncio
import json
import os
import signal
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import ask
from tests.support.worker.serving import PATIENCE_SECONDS, WorkerProcess, serving, until, worker_process
from ttsworker.audio import Pcm
from ttsworker.encoding import Encoding, EncodingFailed, encoder_for

RATE = 24_000
NOISE: Pcm = np.random.default_rng(1).integers(-9000, 9000, RATE, np.int16)


def ffmpegs_of(parent: int) -> set[int]:
    """The process ids of the programs called ffmpeg that this process has started and not buried."""
    children = [
        int(child)
        for task in Path(f"/proc/{parent}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return {child for child in children if Path(f"/proc/{child}/comm").read_text() == "ffmpeg\n"}


async def test_more_than_any_pipe_holds_goes_through() -> None:
    encoder = encoder_for(Encoding("aac"), RATE)
    sent = [await encoder.encode(piece) for piece in [np.tile(NOISE, 60), NOISE[:1], *np.array_split(NOISE, 500)]]
    sent.append(await encoder.finish())
    await encoder.close()
    assert len(sent[0]) > 100_000
    assert not ffmpegs_of(os.getpid())


async def test_a_request_that_waits_has_no_process() -> None:
    encoder = encoder_for(Encoding("aac"), RATE)
    assert not ffmpegs_of(os.getpid())
    await encoder.encode(NOISE)
    assert len(ffmpegs_of(os.getpid())) == 1
    await encoder.close()
    assert not ffmpegs_of(os.getpid())


@pytest.mark.parametrize("started", [True, False])
async def test_an_encoder_that_is_cancelled_leaves_no_process(started: bool) -> None:  # noqa: FBT001 - a parameter
    encoder = encoder_for(Encoding("aac"), RATE)
    if started:
        await encoder.encode(NOISE)
    encoding = asyncio.create_task(encoder.encode(np.tile(NOISE, 300)))
    await until(lambda: bool(ffmpegs_of(os.getpid())))
    encoding.cancel()
    await asyncio.gather(encoding, return_exceptions=True)
    await encoder.close()
    assert not ffmpegs_of(os.getpid())


@pytest.mark.parametrize("how", ["encode", "finish"])
async def test_a_program_that_dies_is_an_error_and_not_a_silence(how: str) -> None:
    encoder = encoder_for(Encoding("aac"), RATE)
    await encoder.encode(NOISE)
    [process] = ffmpegs_of(os.getpid())
    os.kill(process, signal.SIGKILL)
    with pytest.raises(EncodingFailed, match="ffmpeg ended with -9"):
        await (encoder.encode(np.tile(NOISE, 60)) if how == "encode" else encoder.finish())
    await encoder.close()
    assert not ffmpegs_of(os.getpid())


async def test_a_client_that_vanishes_leaves_no_process(hibari: WorkerProcess) -> None:
    text = "This is a sentence that takes some seconds to be spoken. " * 60
    body = {"input": text, "response_format": "aac"}
    async with (
        httpx.AsyncClient(base_url=hibari.url, timeout=PATIENCE_SECONDS) as client,
        client.stream("POST", "/v1/audio/speech", json=body) as answer,
    ):
        await anext(answer.aiter_raw())
        assert len(ffmpegs_of(hibari.process.pid)) == 1
    await until(lambda: not ffmpegs_of(hibari.process.pid))


async def test_there_are_never_more_encoders_than_requests_may_be_answered() -> None:
    """The clients read nothing more, so that all of them would have a program at the same time."""
    engine = ArtificialEngine(seconds_per_character=0.4)
    text = f"{'word ' * 49}end. " * 8  # 10 MB of AAC: more than sockets hold
    async with serving(engine, cache_ttl_seconds=60, max_concurrency=1, max_queue_length=3) as served:
        assert (await ask(served, text)).status_code == 200
        body = json.dumps({"input": text, "response_format": "aac"}).encode()
        head = b"POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        connections = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(12)]
        for _, writer in connections:
            writer.write(head + body)
        heads = await asyncio.gather(*(reader.readline() for reader, _ in connections))
        assert sorted(line.split()[1] for line in heads) == [b"200"] * 4 + [b"429"] * 8
        assert len(ffmpegs_of(os.getpid())) == 4
        assert (await ask(served, "Something new.")).status_code == 200
        for _, writer in connections:
            writer.close()
        await until(lambda: served.worker.admission.accepted == 0)
        assert not ffmpegs_of(os.getpid())


def test_without_the_program_the_format_is_refused(tmp_path: Path) -> None:
    with worker_process({"PATH": str(tmp_path)}) as worker:
        worker.wait_for("ready")
        with httpx.Client(base_url=worker.url, timeout=PATIENCE_SECONDS) as client:
            body = {"input": "Hello.", "response_format": "aac"}
            error = client.post("/v1/audio/speech", json=body)
            assert client.post("/v1/audio/speech", json={"input": "Hello."}).status_code == 200
    assert (error.status_code, error.json()["error"]["code"]) == (400, "unsupported_format")
    assert "needs ffmpeg, which is not installed" in error.json()["error"]["message"]
