"""Which voice a request means."""

import pytest

from ttsworker.engines import Voice
from ttsworker.speech.errors import InvalidRequest
from ttsworker.speech.preparing import choose_voice

ANNA, BEN, DEFAULT = Voice("anna", "en"), Voice("ben", "en"), Voice("default", "en")


@pytest.mark.parametrize("name", [None, "", "default"])
def test_no_name_means_the_first_voice(name: str | None) -> None:
    assert choose_voice(name, [ANNA, BEN]) == ANNA


def test_a_voice_that_is_called_default_is_a_voice_as_any() -> None:
    assert choose_voice("default", [ANNA, DEFAULT]) == DEFAULT
    assert choose_voice(None, [ANNA, DEFAULT]) == ANNA


def test_another_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match="known are anna, ben"):
        choose_voice("carl", [ANNA, BEN])
