"""Which voice speaks: one of the model's own, by its name, by an alias, or by a name that clients send unasked."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from ttscontract.worker_config import UnknownVoice
from ttsworker.engines import Voice
from ttsworker.speech.errors import InvalidRequest

OPENAI_VOICES = (
    "alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse", "marin", "cedar",
)  # fmt: skip
"""All that OpenAI has. Many clients send one of them unasked, and some of them nothing else."""

MARYTTS_VOICE = "cmu-slt-hsmm"
"""What clients of MaryTTS, such as Home Assistant's, send until somebody configures a voice."""

DEFAULT = "default"
"""The name by which clients ask for the default voice; an alias of this name chooses another one."""

NO_ALIASES: Mapping[str, str] = MappingProxyType({})


def choose_voice(
    name: str | None,
    voices: Sequence[Voice],
    aliases: Mapping[str, str] = NO_ALIASES,
    unknown: UnknownVoice = UnknownVoice.REJECT,
) -> Voice:
    """Return the voice of that name, the one that an alias names, or the default voice for no name.

    Raises InvalidRequest for any other name, unless `unknown` is Default.
    """
    own = {voice.name: voice for voice in voices}
    if name in own:
        return own[name]
    default = _default_voice(voices, aliases)
    if not name or name == DEFAULT:
        return default
    if target := spoken_aliases(voices, aliases).get(name):
        return own[target]
    if unknown is UnknownVoice.DEFAULT:
        return default
    problem = "unknown voice"
    if name in aliases:
        problem = f"this name is an alias of the voice {aliases[name]!r}, which the model does not have"
    raise InvalidRequest("unknown_voice", f"{problem}; the voices are {_some(voices)}", param="voice")


def spoken_aliases(voices: Sequence[Voice], aliases: Mapping[str, str] = NO_ALIASES) -> dict[str, str]:
    """Return each name that is no voice's own but speaks, with the name of its voice.

    OpenAI's names are spread over the voices of the default voice's language, beginning with the default voice, which
    speaks for MaryTTS's as well.
    """
    own = {voice.name for voice in voices}
    default = _default_voice(voices, aliases)
    others = [voice for voice in voices if voice.language == default.language and voice.name != default.name]
    spread = [default, *others]
    spoken = {name: spread[index % len(spread)].name for index, name in enumerate(OPENAI_VOICES)}
    spoken |= {MARYTTS_VOICE: default.name, **aliases}
    return {name: voice for name, voice in spoken.items() if voice in own and name not in own}


def lacking_aliases(voices: Sequence[Voice], aliases: Mapping[str, str]) -> list[str]:
    """Return the aliases of voices that the model does not have."""
    own = {voice.name for voice in voices}
    return [alias for alias, voice in aliases.items() if voice not in own]


def _default_voice(voices: Sequence[Voice], aliases: Mapping[str, str]) -> Voice:
    return next((voice for voice in voices if voice.name == aliases.get(DEFAULT)), voices[0])


def _some(voices: Sequence[Voice], most: int = 20) -> str:
    more = f" and {len(voices) - most} more, see /v1/audio/voices" if len(voices) > most else ""
    return ", ".join(voice.name for voice in voices[:most]) + more
