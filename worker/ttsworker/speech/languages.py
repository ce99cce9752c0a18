"""Which language a voice speaks: clients write the same one as `en`, `en-US`, `en_US` or `EN`."""

from collections.abc import Sequence

from ttsworker.engines import Engine, Voice
from ttsworker.speech.errors import InvalidRequest

UNNAMED = "auto"
"""What clients of servers that recognise the language send where they name none."""

UNDETERMINED = "und"
"""BCP 47's tag for the language of a model that does not tell its own, and speaks no other."""


def choose_language(language: str | None, voice: Voice, languages: Sequence[str]) -> str | None:
    """Return the language to speak, None where the model has only one; raises InvalidRequest with the known ones."""
    known = languages or (voice.language,)
    if not language or language.lower() == UNNAMED or known == (UNDETERMINED,):
        return None
    if found := _nearest(language, known):
        return found if languages else None
    message = f"the model does not speak this language; it speaks {', '.join(known)}"
    raise InvalidRequest("unknown_language", message, param="language")


def spoken_languages(engine: Engine) -> list[str]:
    """Return every language that an engine speaks, each once."""
    return list(dict.fromkeys(engine.languages or [voice.language for voice in engine.voices]))


def _nearest(language: str, known: Sequence[str]) -> str | None:
    """Return the known language of that name or tag, else without its region, else with another region."""
    if language in known:
        return language
    wanted = _subtags(language)
    same = [tag for tag in known if _subtags(tag)[0] == wanted[0]]
    without_region = (tag for tag in same if _subtags(tag) == wanted[: len(_subtags(tag))])
    return max(without_region, key=len, default=next(iter(same), None))


def _subtags(tag: str) -> list[str]:
    return tag.lower().replace("_", "-").split("-")
