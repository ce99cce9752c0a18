"""The reference matches the models, and the docs explain every reason and condition."""

import re
from pathlib import Path

import pytest

from tests.support.operator.schema import leaves
from tools import apidoc, reasons
from tools.crd import structural_schema
from ttscontract.reason import Severity
from ttscontract.reasons import Reason
from ttsoperator.names import Condition
from ttsoperator.spec import TTSServiceSpec

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "status-conditions.md").read_text()
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|$", GUIDE, re.MULTILINE))


def test_the_reference_is_up_to_date() -> None:
    assert (DOCS / "api.md").read_text() == apidoc.render(), "run `python -m tools.apidoc`"


def test_the_reference_is_what_the_program_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apidoc.main([str(tmp_path / "api.md")])
    assert capsys.readouterr().out == f"{tmp_path}/api.md\n"
    assert (tmp_path / "api.md").read_text() == apidoc.render()


def test_the_reference_has_every_field() -> None:
    text = apidoc.render()
    for path, _ in leaves(structural_schema(TTSServiceSpec)):
        if "affinity" not in path:
            named = [step for step in path if step not in {"[]", "{}"}]
            assert f"`{named[-1]}`" in text, path


@pytest.mark.parametrize("page", reasons.PAGES)
def test_the_tables_of_reasons_are_up_to_date(page: str) -> None:
    text = (DOCS / page).read_text()
    assert text.count("<!-- reasons: ") >= 1
    assert text == reasons.render(text), "run `python -m tools.reasons`"


def test_the_tables_of_reasons_are_what_the_program_writes(tmp_path: Path) -> None:
    for page in reasons.PAGES:
        (tmp_path / page).write_text(re.sub(r"\| `\w+` .*\n", "", (DOCS / page).read_text()))
    reasons.main([str(tmp_path)])
    assert "`DiskFull`" in (tmp_path / "models.md").read_text()
    assert "`NameConflict`" in (tmp_path / "status-conditions.md").read_text()


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained(reason: Reason) -> None:
    assert reason.value in ROWS
    assert len(ROWS[reason.value]) > 20


def test_nothing_is_explained_that_there_is_not() -> None:
    assert set(ROWS) == {*Reason, *Condition}


def test_reasons_are_grouped_by_their_effect() -> None:
    stalled = GUIDE.split("## Stalled")[1]
    for reason in Reason:
        assert (f"`{reason.value}`" in stalled) is (reason.severity is Severity.STALLED), reason
