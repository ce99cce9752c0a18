"""Home Assistant's integration of OpenAI: `... URL TEXT FILE` writes the speech into the file.

Home Assistant itself needs a newer Python than the tests; this is what its `openai_conversation` asks OpenAI's library.
"""

import asyncio
import sys
from pathlib import Path

import openai


async def speak(url: str, text: str, file: str) -> None:
    """Ask with the options of a service that was added and not changed."""
    async with (
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="unused") as client,
        client.audio.speech.with_streaming_response.create(
            model="gpt-4o-mini-tts",
            voice="marin",
            input=text,
            instructions=str(None),  # sic: where there is no prompt
            speed=1.0,
            response_format="mp3",
        ) as answer,
    ):
        Path(file).write_bytes(b"".join([chunk async for chunk in answer.iter_bytes()]))  # noqa: ASYNC240 - its end


if __name__ == "__main__":
    asyncio.run(speak(*sys.argv[1:]))
