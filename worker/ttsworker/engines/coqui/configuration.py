"""The configuration of an untrusted model: what Coqui's code may import and open because of it. Pure but for `is_file`.

Coqui imports the class that `characters_class` names, and opens with fsspec, which also downloads, whatever the keys of
READ name. Here a class must be one of Coqui's, and a file one of the model's folder. All other paths are those of the
machine that trained the model; nothing needs them, so they are left out.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ttsworker.engines.errors import ModelInvalid

MAX_BYTES: Final = 4 * 2**20
"""Of config.json; one with thousands of speakers has some hundred kilobytes."""

COMPANIONS: Final[Mapping[str, str]] = {
    "speakers_file": "use_speaker_embedding",
    "speaker_file": "use_speaker_embedding",
    "d_vector_file": "use_d_vector_file",
    "language_ids_file": "use_language_embedding",
}
"""Files beside the checkpoint, and the setting with which Coqui opens them."""

READ: Final = COMPANIONS.keys() | {"speaker_encoder_model_path", "speaker_encoder_config_path", "stats_path"}
"""Everything that Coqui opens while it loads a model. Speaking needs only the companions."""

_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*(?:"|\Z))|//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)', re.DOTALL)
"""A string, or a comment, which old configurations have."""

_CLASS = re.compile(r"TTS\.tts(\.[A-Za-z]\w*)+", re.ASCII)
_PATH_KEY = re.compile(r"(^|_)(path|paths|file|files|folder|dir|uri|url)(_|$)")
_REMOTE = re.compile(r"://|::")
"""What makes fsspec open something else than a local file: a protocol, or a chain of them."""


def read_config(path: Path) -> dict[str, Any]:
    """Return a model's configuration with nothing in it that reaches outside its folder; raises ModelInvalid."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ModelInvalid(f"{path} has more than {MAX_BYTES} bytes")
        found = json.loads(_COMMENT.sub(lambda match: match[1] or "", content.decode("utf-8-sig")))
    except OSError as error:
        raise ModelInvalid(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ModelInvalid(f"{path} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ModelInvalid(f"{path} is not a JSON object")
    try:
        return _Checked(path.parent, _switched_on(found)).mapping(found)
    except RecursionError as error:
        raise ModelInvalid(f"{path} has objects too deep in each other") from error


class _Checked:
    """Copies a configuration without what is not needed; raises ModelInvalid for what must not be there."""

    def __init__(self, folder: Path, switched_on: frozenset[str]) -> None:
        self._folder = folder
        self._switched_on = switched_on

    def mapping(self, options: Mapping[str, Any]) -> dict[str, Any]:
        checked = {}
        for name, value in options.items():
            if name == "characters_class":
                checked[name] = _check_class(value)
            elif name in COMPANIONS and value:
                checked[name] = self._companion(name, value)
            elif name in READ:
                _refuse_remote(name, value)
            elif name not in {"base_model", "use_speaker_encoder_as_loss"} and not _is_path(name, value):
                checked[name] = self._value(value)
        return checked

    def _value(self, value: object) -> object:
        if isinstance(value, dict):
            return self.mapping(value)
        return [self._value(item) for item in value] if isinstance(value, list) else value

    def _companion(self, name: str, value: object) -> object:
        _refuse_remote(name, value)
        if isinstance(value, list):
            return [self._companion(name, item) for item in value] or None
        file = PurePosixPath(str(value).replace("\\", "/")).name
        if file and not _REMOTE.search(file) and (self._folder / file).is_file():
            return str(self._folder.absolute() / file)
        if COMPANIONS[name] in self._switched_on:
            raise ModelInvalid(f"config.json needs the file {file!a} for {name}, which is not in {self._folder}")
        return None


def _switched_on(options: Mapping[str, Any]) -> frozenset[str]:
    """Return which companions Coqui opens: the settings are at the top or in model_args."""
    arguments = options.get("model_args")
    places = [options, arguments if isinstance(arguments, dict) else {}]
    named = any(place.get("speakers") for place in places)
    switches = {switch for switch in COMPANIONS.values() if any(place.get(switch) for place in places)}
    return frozenset(switches - {"use_speaker_embedding"} if named else switches)


def _check_class(value: object) -> object:
    if value and not (isinstance(value, str) and _CLASS.fullmatch(value)):
        raise ModelInvalid(f"config.json names the class {value!a}: only classes of TTS.tts may read a text")
    return value


def _refuse_remote(name: str, value: object) -> None:
    for item in value if isinstance(value, list) else [value]:
        if item and (not isinstance(item, str) or _REMOTE.search(item)):
            raise ModelInvalid(f"config.json has {item!a} as {name}: it must be a file of the model's folder")


def _is_path(name: str, value: object) -> bool:
    """Return whether this is a path of the machine that trained the model, and not a switch for one."""
    if not _PATH_KEY.search(name):
        return False
    return isinstance(value, str) or (isinstance(value, list) and any(isinstance(item, str) for item in value))
