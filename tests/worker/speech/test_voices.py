"""Which voice a name means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttscontract.worker_config import UnknownVoice
from ttsworker.engines import Voice
from ttsworker.speech.errors import InvalidRequest
from ttsworker.speech.voices import MARYTTS_VOICE, OPENAI_VOICES, choose_voice, lacking_aliases, spoken_aliases

ANNA, BEN, CARL = Voice("anna", "en"), Voice("ben", "en"), Voice("carl", "en")
DORA, DEFAULT = Voice("dora", "de"), Voice("default", "en")
PEOPLE = [ANNA, DORA, BEN, CARL]

names = st.sampled_from([*OPENAI_VOICES, "anna", "ben", "default", "narrator", ""])


@pytest.mark.parametrize("name", [None, "", "default"])
def test_no_name_means_the_first_voice(name: str | None) -> None:
    assert choose_voice(name, [ANNA, BEN]) == ANNA


@pytest.mark.parametrize("name", [None, "", "default", "alloy"])
def test_an_alias_called_default_chooses_the_default_voice(name: str | None) -> None:
    assert choose_voice(name, [ANNA, BEN], {"default": "ben"}) == BEN


def test_a_voice_that_is_called_default_is_a_voice_as_any() -> None:
    assert choose_voice("default", [ANNA, DEFAULT]) == DEFAULT
    assert choose_voice(None, [ANNA, DEFAULT]) == ANNA


@pytest.mark.parametrize("name", ["carl", "Anna", "anna ", "alloy2", "af_heart", "en_US-amy-medium", "p225", "日本"])
def test_another_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"unknown voice; the voices are anna, ben$") as error:
        choose_voice(name, [ANNA, BEN])
    assert (error.value.code, error.value.param) == ("unknown_voice", "voice")
    assert choose_voice(name, [ANNA, BEN], unknown=UnknownVoice.DEFAULT) == ANNA


def test_many_voices_are_not_all_listed() -> None:
    with pytest.raises(InvalidRequest, match=r"p19 and 90 more, see /v1/audio/voices$"):
        choose_voice("nobody", [Voice(f"p{number}", "en") for number in range(110)])


@pytest.mark.parametrize("name", [*OPENAI_VOICES, MARYTTS_VOICE])
def test_the_one_voice_speaks_for_every_name_of_openai_and_for_that_of_marytts(name: str) -> None:
    assert choose_voice(name, [ANNA]) == ANNA


def test_openai_has_thirteen_voices() -> None:
    assert len(set(OPENAI_VOICES)) == 13


def test_the_names_of_openai_are_spread_over_the_voices_of_the_default_language() -> None:
    chosen = [choose_voice(name, PEOPLE) for name in OPENAI_VOICES]
    assert chosen[:4] == [ANNA, BEN, CARL, ANNA]
    assert {voice.name: chosen.count(voice) for voice in PEOPLE} == {"anna": 5, "ben": 4, "carl": 4, "dora": 0}


def test_a_model_with_a_voice_of_that_name_speaks_with_it() -> None:
    alloy = Voice("alloy", "de")
    assert choose_voice("alloy", [ANNA, alloy], {"alloy": "anna"}) == alloy
    assert "alloy" not in spoken_aliases([ANNA, alloy], {"alloy": "anna"})


def test_an_alias_is_another_name_of_a_voice() -> None:
    aliases = {"narrator": "ben", "alloy": "dora"}
    assert choose_voice("narrator", PEOPLE, aliases) == BEN
    assert choose_voice("alloy", PEOPLE, aliases) == DORA
    assert choose_voice("ash", PEOPLE, aliases) == BEN


def test_an_alias_of_an_alias_is_none() -> None:
    aliases = {"narrator": "reader", "reader": "ben"}
    assert lacking_aliases(PEOPLE, aliases) == ["narrator"]
    with pytest.raises(InvalidRequest, match="alias"):
        choose_voice("narrator", PEOPLE, aliases)


@pytest.mark.parametrize("name", ["narrator", "alloy"])
def test_an_alias_of_a_voice_that_the_model_lacks_is_an_unknown_name(name: str) -> None:
    aliases = {name: "eve"}
    with pytest.raises(InvalidRequest, match="an alias of the voice 'eve', which the model does not have; the voices"):
        choose_voice(name, [ANNA, BEN], aliases)
    assert choose_voice(name, [ANNA, BEN], aliases, UnknownVoice.DEFAULT) == ANNA
    assert lacking_aliases([ANNA, BEN], aliases) == [name]
    assert name not in spoken_aliases([ANNA, BEN], aliases)


def test_an_alias_called_default_of_a_voice_that_the_model_lacks_is_the_first_voice() -> None:
    assert choose_voice(None, [ANNA, BEN], {"default": "eve"}) == ANNA


@given(
    name=names,
    own=st.lists(st.sampled_from([*OPENAI_VOICES, "anna", "ben"]), min_size=1, unique=True),
    aliases=st.dictionaries(names.filter(bool), names),  # no setting has an empty alias
)
def test_what_is_listed_is_what_speaks(name: str, own: list[str], aliases: dict[str, str]) -> None:
    voices = [Voice(each, "en") for each in own]
    listed = {each: each for each in own} | spoken_aliases(voices, aliases)
    spoken = choose_voice(name, voices, aliases, UnknownVoice.DEFAULT).name
    assert spoken == listed.get(name, choose_voice(None, voices, aliases).name)
    if name in listed:
        assert choose_voice(name, voices, aliases).name == spoken
