"""Pipecat: `with_pipecat.py URL TEXT FILE` writes the speech into a WAV file."""

import asyncio
import sys
import wave
from typing import Any

from pipecat.frames.frames import EndFrame, ErrorFrame, TTSAudioRawFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.openai.tts import OpenAITTSService


class Recorder(FrameProcessor):  # type: ignore[misc] # pipecat is not in the environment of the linters
    """Keeps the audio that comes down the pipeline."""

    def __init__(self) -> None:
        super().__init__()
        self.samples = bytearray()

    async def process_frame(self, frame: Any, direction: Any) -> None:
        """Keep the frame's audio, and pass the frame on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, ErrorFrame):
            sys.exit(frame.error)
        if isinstance(frame, TTSAudioRawFrame):
            self.samples += frame.audio
        await self.push_frame(frame, direction)


async def speak(url: str, text: str, file: str) -> None:
    """Speak in a pipeline whose service was given an address and nothing else."""
    recorder = Recorder()
    pipeline = Pipeline([OpenAITTSService(base_url=f"{url}/v1", api_key="unused"), recorder])
    task = PipelineTask(pipeline, params=PipelineParams(audio_out_sample_rate=24_000))
    await task.queue_frames([TTSSpeakFrame(text), EndFrame()])
    await PipelineRunner(handle_sigint=False).run(task)
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(24_000)
        wav.writeframes(recorder.samples)


if __name__ == "__main__":
    asyncio.run(speak(*sys.argv[1:]))
