"""The keys of cached audio: `tts:<model>:<hash>`. All audio of a model has one prefix."""

import dataclasses
import hashlib
import json
import re

from ttsworker.engines import Utterance

_MODEL_CHARACTERS = 16
_HASH_BYTES = 16

_KEY = re.compile(r"tts:[0-9a-f]{16}:[0-9a-f]{32}", re.ASCII)


def cache_key(utterance: Utterance, *, engine: str, model_digest: str) -> str:
    """Return the key of an utterance's audio; it differs for every other parameter, engine or model.

    `engine` names the engine and, where its audio depends on it, its version; `model_digest` is the manifest's.
    """
    parameters = {name: _normal(value) for name, value in dataclasses.asdict(utterance).items()}
    what = json.dumps([engine, model_digest, parameters], sort_keys=True)
    return model_prefix(model_digest) + hashlib.blake2b(what.encode(), digest_size=_HASH_BYTES).hexdigest()


def model_prefix(model_digest: str) -> str:
    """Return the prefix of this model's keys: the first hex digits of its digest, or of the digest's hash."""
    digits = model_digest.removeprefix("sha256:")
    if not re.fullmatch(r"[0-9a-f]{32,}", digits, re.ASCII):
        digits = hashlib.sha256(model_digest.encode()).hexdigest()
    return f"tts:{digits[:_MODEL_CHARACTERS]}:"


def is_cache_key(text: str) -> bool:
    """Return whether this is a key of ours. A shared Redis has others, and nobody may delete those through us."""
    return _KEY.fullmatch(text) is not None


def _normal(value: object) -> object:
    """Write equal numbers equally: a speed of 1 is a speed of 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
