"""LiteLLM: `with_litellm.py URL TEXT FILE` writes the speech into the file."""

import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else its import asks another server for prices

import litellm

if __name__ == "__main__":
    url, text, file = sys.argv[1:]
    answer = litellm.speech(
        model="openai/gpt-4o-mini-tts", voice="alloy", input=text, api_base=f"{url}/v1", api_key="unused"
    )
    answer.stream_to_file(file)
