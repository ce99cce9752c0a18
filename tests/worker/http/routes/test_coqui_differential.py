"""The real tts-server and our worker, asked the same: every difference is declared, and every declared one is there."""

import io
import wave
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import numpy.typing as npt
import pytest

from tests.support.worker.coqui_differences import DIFFERENCES, Difference, in_markdown
from tests.support.worker.coqui_pair import MODELS, SPEAKERS, Pair, serving_pair
from tests.support.worker.coqui_table import SAME, A, Ask
from ttsworker.engines.coqui.engine import PAUSE_SAMPLES

Samples = npt.NDArray[np.int64]

LOUDEST = 32_767
DOCUMENT = Path(__file__).parents[4] / "docs" / "coqui-api.md"

# torch and Coqui warn about themselves when they are imported and when they save a checkpoint.
pytestmark = pytest.mark.filterwarnings("ignore::Warning")


@pytest.fixture(scope="module", params=MODELS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with serving_pair(request.param, tmp_path_factory.mktemp(request.param)) as pair:
        yield pair


def cases() -> list[object]:
    """Every request once, with its model in front, so that each pair of servers is started once."""
    alike = [(one, None) for one in SAME]
    different = [(one, difference) for difference in DIFFERENCES for one in difference.asks]
    return [
        pytest.param(one.model, one, difference, id=f"{one.model}: {one.name}")
        for one, difference in [*alike, *different]
    ]


@pytest.mark.parametrize(("pair", "request_", "difference"), cases(), indirect=["pair"], scope="module")
def test_a_request_shows_the_declared_difference_and_no_other(
    pair: Pair, request_: Ask, difference: Difference | None
) -> None:
    theirs, ours = (peer.request(request_.method, request_.path, **request_.more) for peer in (pair.theirs, pair.ours))
    if difference is None:
        assert theirs.status_code == ours.status_code
        assert ours.is_error or alike(theirs, ours)
    else:
        assert str(theirs.status_code) == told(difference.theirs)
        assert outcome(ours) == told(difference.ours) if ours.content else outcome(ours) in difference.ours
        assert theirs.status_code != ours.status_code or ours.is_error or not alike(theirs, ours), "it is gone"


@pytest.mark.parametrize("pair", ["several"], indirect=True, scope="module")
def test_the_comparison_hears_another_speaker(pair: Pair) -> None:
    theirs = pair.theirs.get("/api/tts", params={"text": A, "speaker_id": "anna"})
    heard = {name: pair.ours.get("/api/tts", params={"text": A, "speaker_id": name}) for name in SPEAKERS}
    assert [name for name, ours in heard.items() if alike(theirs, ours)] == ["anna"]


@pytest.mark.parametrize("pair", ["polyglot"], indirect=True, scope="module")
def test_the_comparison_hears_another_language(pair: Pair) -> None:
    asked = {"text": A, "speaker_id": "anna"}
    theirs = pair.theirs.get("/api/tts", params=asked | {"language_id": "de"})
    heard = {name: pair.ours.get("/api/tts", params=asked | {"language_id": name}) for name in ("de", "en")}
    assert [name for name, ours in heard.items() if alike(theirs, ours)] == ["de"]


@pytest.mark.parametrize("pair", ["single"], indirect=True, scope="module")
def test_the_details_tell_no_path(pair: Pair) -> None:
    page = pair.ours.get("/details").text
    assert "<td>vits</td>" in page
    assert str(pair.folder) not in page
    assert str(pair.folder.parent) not in page


def test_the_document_has_the_same_list() -> None:
    assert in_markdown() in DOCUMENT.read_text()


def told(cell: str) -> str:
    """Return the status and code that a cell of the list begins with."""
    return cell.partition(":")[0]


def outcome(answer: httpx.Response) -> str:
    """Return the status, with the code of an error in our shape, as the list has it."""
    if not answer.is_error or not answer.content:
        return str(answer.status_code)
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert error["message"]
    return f"{answer.status_code} `{error['code']}`"


def alike(theirs: httpx.Response, ours: httpx.Response) -> bool:
    """Tell whether two good answers have one type and one body, but for the differences that every audio has."""
    if theirs.headers["content-type"] != ours.headers["content-type"]:
        return False
    if not ours.content or ours.headers["content-type"] != "audio/wav":
        return theirs.content == ours.content
    return same_audio(samples(theirs.content), samples(ours.content))


def same_audio(theirs: Samples, ours: Samples) -> bool:
    """Compare what is spoken; their volume and their last pause are differences that must be there."""
    peak = np.abs(ours).max()
    assert peak < LOUDEST - 1 <= np.abs(theirs).max()
    assert ours[-PAUSE_SAMPLES:].any()
    assert not theirs[-PAUSE_SAMPLES:].any()
    spoken, scale = theirs[:-PAUSE_SAMPLES], LOUDEST / peak
    # Both were cut to whole numbers, ours before it is scaled here.
    return len(spoken) == len(ours) and bool(np.abs(spoken - ours * scale).max() <= 2 * scale + 2)


def samples(wav: bytes) -> Samples:
    with wave.open(io.BytesIO(wav)) as audio:
        assert (audio.getnchannels(), audio.getsampwidth(), audio.getframerate()) == (1, 2, 22_050)
        return np.frombuffer(audio.readframes(audio.getnframes()), "<i2").astype(np.int64)
