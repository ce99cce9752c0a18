"""What the operator may do is derived from its children: the chart's rules and the table in docs/install.md."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.support.contract.chart import ROOT
from tools import rbac
from ttsoperator.children.registry import CHILDREN
from ttsoperator.kube.resources import Resource

OPTIONAL = replace(CHILDREN[0], resource=Resource("Gadget", "gadgets.example/v1", "gadgets", optional=True), why="fun")


def test_the_rules_and_the_table_are_up_to_date() -> None:
    assert (ROOT / rbac.RULES).read_text() == rbac.rules(), "make generate"
    guide = (ROOT / rbac.GUIDE).read_text()
    assert rbac.with_table(guide) == guide, "make generate"


def test_they_are_what_the_program_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / rbac.GUIDE).write_text(f"before\n{rbac.BEGIN}old\n{rbac.END}after\n")
    rbac.main([str(tmp_path)])
    assert capsys.readouterr().out == f"{tmp_path / rbac.RULES}\n{tmp_path / rbac.GUIDE}\n"
    assert (tmp_path / rbac.RULES).read_text() == rbac.rules()
    assert (tmp_path / rbac.GUIDE).read_text() == f"before\n{rbac.BEGIN}\n{rbac.table()}\n{rbac.END}after\n"


def test_a_row_more_is_a_rule_more() -> None:
    before, after = (yaml.safe_load(rbac.rules(rows)) for rows in (CHILDREN, (*CHILDREN, OPTIONAL)))
    [rule] = [rule for rule in after if rule not in before]
    verbs = ["get", "list", "create", "patch", "delete"]  # no watch: an API that comes and goes is listed
    assert rule == {"apiGroups": ["gadgets.example"], "resources": ["gadgets"], "verbs": verbs}
    assert "| `gadgets.example` | `gadgets` | get, list, create, patch, delete | fun |" in rbac.table(
        (*CHILDREN, OPTIONAL)
    )
