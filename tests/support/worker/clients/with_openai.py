"""OpenAI's library for Python: `with_openai.py URL TEXT FILE` writes the speech into the file."""

import sys

import openai

if __name__ == "__main__":
    url, text, file = sys.argv[1:]
    with (
        openai.OpenAI(base_url=f"{url}/v1", api_key="unused") as client,
        client.audio.speech.with_streaming_response.create(
            model="gpt-4o-mini-tts", voice="coral", input=text
        ) as answer,
    ):
        answer.stream_to_file(file)
