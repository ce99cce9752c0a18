"""From the text that a client sent to the passages of plain text that are to be heard."""

from ttscontract.worker_config import Markup, Tags
from ttsworker.settings import Settings
from ttsworker.speech.errors import InvalidRequest
from ttsworker.speech.request import SpeechRequest
from ttsworker.speech.validation import check_characters, check_text
from ttsworker.text.markup import InvalidMarkup, Passage, Reading, read_markup

_MARKUPS = {markup.lower(): markup for markup in Markup}
_TAGS = {tags.lower(): tags for tags in Tags}
"""As requests write them."""


def reading_of(settings: Settings, request: SpeechRequest | None = None) -> Reading:
    """Return how to read a text: as its request says, else as the settings say."""
    return Reading(
        _MARKUPS[request.markup] if request and request.markup else settings.markup,
        _TAGS[request.tags] if request and request.tags else settings.tags,
        speak_code=settings.code_blocks == "Speak",
    )


def passages_of(text: str, reading: Reading, *, max_length: int, param: str) -> list[Passage]:
    """Check a text and read its markup; raises InvalidRequest."""
    try:
        passages = read_markup(check_text(text, max_length, param=param), reading)
    except InvalidMarkup as error:
        raise InvalidRequest("markup", f"{param} {error}", param=param) from error
    for passage in passages:  # &#7; was none when the text was checked
        check_characters(passage.text, param=param)
    return passages
