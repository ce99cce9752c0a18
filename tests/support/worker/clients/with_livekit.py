"""LiveKit's agents: `with_livekit.py URL TEXT FILE` writes the speech into a WAV file."""

import asyncio
import sys
import wave

from livekit.plugins import openai


async def speak(url: str, text: str, file: str) -> None:
    """Speak as an agent does that was given an address and nothing else."""
    tts = openai.TTS(base_url=f"{url}/v1", api_key="unused")
    try:
        frame = await tts.synthesize(text).collect()
    finally:
        await tts.aclose()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(frame.num_channels)
        wav.setsampwidth(2)
        wav.setframerate(frame.sample_rate)
        wav.writeframes(bytes(frame.data))


if __name__ == "__main__":
    asyncio.run(speak(*sys.argv[1:]))
