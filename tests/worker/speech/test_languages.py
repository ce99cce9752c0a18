"""Which language a tag means, however a client writes it."""

from collections.abc import Sequence

import pytest

from ttsworker.engines import Voice
from ttsworker.speech.errors import InvalidRequest
from ttsworker.speech.languages import choose_language

ENGLISH, GERMAN, UNKNOWN = Voice("anna", "en-US"), Voice("dora", "de"), Voice("vits", "und")
XTTS = ("en", "es", "fr-fr", "pt-br", "zh-cn", "zh")


@pytest.mark.parametrize(
    ("language", "chosen"),
    [
        ("en", "en"), ("EN", "en"), ("en-US", "en"), ("en_US", "en"), ("en-GB", "en"), ("es-419", "es"),
        ("fr", "fr-fr"), ("fr-FR", "fr-fr"), ("fr_CA", "fr-fr"), ("pt-PT", "pt-br"),
        ("zh", "zh"), ("zh-CN", "zh-cn"), ("zh-Hans", "zh"), ("zh_TW", "zh"),
    ],
)  # fmt: skip
def test_a_language_of_several_is_chosen_by_its_tag(language: str, chosen: str) -> None:
    assert choose_language(language, ENGLISH, XTTS) == chosen


@pytest.mark.parametrize("languages", [(), XTTS])
@pytest.mark.parametrize("language", [None, "", "auto", "Auto"])
def test_no_language_leaves_the_choice_to_the_model(language: str | None, languages: Sequence[str]) -> None:
    assert choose_language(language, ENGLISH, languages) is None


@pytest.mark.parametrize("language", ["en", "en-US", "en_US", "EN-us", "en-GB"])
def test_the_only_language_of_a_voice_has_these_names_too(language: str) -> None:
    assert choose_language(language, ENGLISH, ()) is None


@pytest.mark.parametrize("language", ["en", "de-AT", "tlh"])
def test_a_model_that_does_not_tell_its_language_speaks_it(language: str) -> None:
    assert choose_language(language, UNKNOWN, ()) is None


@pytest.mark.parametrize("language", ["fr", "e", "eng", "d", "de_", "-", "_", "tlh", "English", "日本語", "-de"])
def test_another_language_is_refused_with_the_known_ones(language: str) -> None:
    refused = "the model does not speak this language; it speaks en-US$"
    with pytest.raises(InvalidRequest, match=refused) as error:
        choose_language(language, ENGLISH, ())
    assert (error.value.code, error.value.param) == ("unknown_language", "language")


def test_a_language_of_several_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="it speaks en, es, fr-fr"):
        choose_language("de", GERMAN, XTTS)
