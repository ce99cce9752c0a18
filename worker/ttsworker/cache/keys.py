"""The keys of cached audio: `tts:<model>:<hash>`, or `tts:<model>:<owner>:<hash>` for audio of one client.

All audio of a model has one prefix, and all of an owner another. Both are digests: a key tells no name.
"""

import dataclasses
import hashlib
import json
import re

from ttsworker.engines import Utterance

_MODEL_CHARACTERS = 16
_HASH_BYTES = 16

_KEY = re.compile(r"tts:[0-9a-f]{16}:(?:[0-9a-f]{16}:)?[0-9a-f]{32}", re.ASCII)


def cache_key(utterance: Utterance, *, engine: str, model_digest: str) -> str:
    """Return the key of an utterance's audio; every different parameter, engine or model gives another key.

    `engine` names the engine, with its version if its audio depends on it; `model_digest` is the manifest's.
    """
    parameters = {name: _normal(value) for name, value in dataclasses.asdict(utterance).items()}
    what = json.dumps([engine, model_digest, parameters], sort_keys=True)
    digest = hashlib.blake2b(what.encode(), digest_size=_HASH_BYTES).hexdigest()
    return audio_prefix(model_digest, utterance.owner) + digest


def model_prefix(model_digest: str) -> str:
    """Return the prefix of this model's keys: the first hex digits of its digest, or of the digest's hash."""
    digits = model_digest.removeprefix("sha256:")
    if not re.fullmatch(r"[0-9a-f]{32,}", digits, re.ASCII):
        digits = hashlib.sha256(model_digest.encode()).hexdigest()
    return f"tts:{digits[:_MODEL_CHARACTERS]}:"


def audio_prefix(model_digest: str, owner: str) -> str:
    """Return the prefix of the audio of a model that only this owner's requests use; "" is the model's prefix."""
    if not owner:
        return model_prefix(model_digest)
    return f"{model_prefix(model_digest)}{hashlib.sha256(owner.encode()).hexdigest()[:_MODEL_CHARACTERS]}:"


def is_shared_with(key: str, owner: str) -> bool:
    """Return whether this owner's requests could use the audio of a key; "" may use everybody's."""
    return not owner or audio_prefix("", owner).split(":")[2] == key.split(":")[2]


def is_cache_key(text: str) -> bool:
    """Return whether this is a key of this cache. A shared Redis has others, which this API must not delete."""
    return _KEY.fullmatch(text) is not None


def _normal(value: object) -> object:
    """Normalise numbers, so that equal ones give the same key: a speed of 1 is a speed of 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
