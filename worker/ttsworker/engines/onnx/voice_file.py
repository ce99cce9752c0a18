"""The JSON beside a Piper voice: `NAME.onnx.json`. It comes from outside, so that everything in it is checked."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ttsworker.engines.errors import ModelInvalid
from ttsworker.engines.onnx.phonemes import BEGIN, END, PAD

MAX_BYTES: Final = 4 * 2**20
"""One with thousands of speakers has some hundred kilobytes."""


class PhonemeType(StrEnum):
    """What turns a text into phonemes."""

    ESPEAK = "espeak"
    TEXT = "text"
    """Nothing: each character is a phoneme."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class _Audio(_Part):
    sample_rate: int = Field(ge=4_000, le=192_000)


class _Espeak(_Part):
    voice: str = Field(min_length=1, max_length=100)


Scale = Annotated[float, Field(ge=0, le=10)]


class _Inference(_Part):
    """Piper's own defaults, where the file has none."""

    noise_scale: Scale = 0.667
    length_scale: float = Field(1.0, gt=0, le=10)
    noise_w: Scale = 0.8


class VoiceFile(_Part):
    """What is needed of it; training tools add more."""

    audio: _Audio
    espeak: _Espeak
    inference: _Inference = _Inference()
    phoneme_type: PhonemeType = PhonemeType.ESPEAK
    phoneme_id_map: dict[str, list[Annotated[int, Field(ge=0)]]]
    vowel_clusters: list[list[str]] = []
    num_symbols: int | None = None
    num_speakers: int = Field(1, ge=0)
    speaker_id_map: dict[str, Annotated[int, Field(ge=0)]] = {}
    default_speaker_id: int = 0

    @model_validator(mode="after")
    def _fits(self) -> "VoiceFile":
        if missing := [name for name in (PAD, BEGIN, END) if name not in self.phoneme_id_map]:
            raise ValueError(f"phoneme_id_map has no {' '.join(missing)}")
        highest = max(max(ids, default=0) for ids in self.phoneme_id_map.values())
        if self.num_symbols is not None and highest >= self.num_symbols:
            raise ValueError(f"phoneme_id_map has the id {highest}, but num_symbols is {self.num_symbols}")
        if (speaker := max(self.speaker_id_map.values(), default=0)) >= max(1, self.num_speakers):
            raise ValueError(f"speaker_id_map has the id {speaker}, but num_speakers is {self.num_speakers}")
        return self

    @property
    def language(self) -> str:
        """Of the texts, as a BCP 47 tag."""
        return language_tag(self.espeak.voice)

    @property
    def speakers(self) -> dict[str, int]:
        """Names and ids of the speakers, the default one first; empty where there is one only."""
        if self.num_speakers < 2:
            return {}
        named = {number: name for name, number in self.speaker_id_map.items()}
        order = sorted(range(self.num_speakers), key=lambda number: (number != self.default_speaker_id, number))
        return {named.get(number, str(number)): number for number in order}


def read_voice_file(model: Path) -> VoiceFile:
    """Read the JSON that belongs to an ONNX file. Raises ModelInvalid."""
    path = model.with_name(f"{model.name}.json")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        message = (
            f"{path.name} is not beside {model.name}: a Piper voice is these two files; "
            "publish both in one archive, or put both into the model folder"
        )
        raise ModelInvalid(message) from None
    except OSError as error:
        raise ModelInvalid(f"{path} cannot be read ({error.strerror})") from error
    if len(content) > MAX_BYTES:
        raise ModelInvalid(f"{path.name} has more than {MAX_BYTES} bytes")
    try:
        return VoiceFile.model_validate_json(content)
    except ValidationError as error:
        raise ModelInvalid(f"{path.name} is not a Piper voice's: {_reason(error.errors()[0])}") from error


def language_tag(voice: str) -> str:
    """Return the BCP 47 tag of an espeak-ng voice: `en-us` is en-US, `cmn-latn-pinyin` is cmn-Latn-pinyin."""
    first, *others = voice.partition("+")[0].replace("_", "-").lower().split("-")
    tag, private = [first], False
    for each in others:
        private = private or len(each) == 1
        if private or not each.isalpha():
            tag.append(each)
        else:
            tag.append({2: each.upper(), 4: each.title()}.get(len(each), each))
    return "-".join(tag)


def _reason(error: Any) -> str:
    place = ".".join(map(str, error["loc"]))
    return f"{place}: {error['msg']}" if place else str(error["msg"])
