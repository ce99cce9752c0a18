"""Names of children: bounded, stable, and different where models are."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.operator.world import HTTPS, SHA, World, downloaded
from ttsoperator import names

LONGEST_LABEL = 63


def test_every_child_of_the_longest_name_fits_a_label() -> None:
    wanted = downloaded(autoscaling={}).model_copy(update={"name": "a" * 40})
    world = World()
    world.step(wanted)
    world.finish_job()
    children = world.plan(wanted).desired
    assert len(children) == 7
    assert all(len(child["metadata"]["name"]) <= LONGEST_LABEL for child in children)


@given(st.text(), st.text(), st.none() | st.text(min_size=1), st.none() | st.text(min_size=1))
def test_another_source_or_checksum_is_another_model(
    one: str, other: str, sha: str | None, another: str | None
) -> None:
    same = (one, sha) == (other, another)
    assert (names.model_key(one, sha) == names.model_key(other, another)) is same
    assert (names.job_name("a", one, sha) == names.job_name("a", other, another)) is same


def test_names_are_the_ones_already_on_volumes() -> None:
    """A release that computed them otherwise would download every model once more and restart every worker."""
    assert names.model_key(HTTPS, None) == "m-1f7cdd89fffe7855"
    assert names.job_name("english", HTTPS, SHA) == "english-model-173d68bd5c"


def test_url_names_the_service_and_its_namespace() -> None:
    assert names.service_url("english", "speech") == "http://english.speech.svc:5002"
