"""A row of the metrics catalogue is enough: whatever else knows of a metric is derived from it, and is up to date."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ttscontract
from tools import metrics
from ttscontract.metric import Metric, Type
from ttscontract.metrics import CATALOGUE, SCALING_TARGETS

ROOT = Path(__file__).parents[2]
ADDED = """
ADDED = Metric(
    "tts_added", Type.GAUGE, "requests", "A metric that nobody knew before.", scope=Scope.OBJECT,
    scaling=ScalingTarget("addedTarget", "A target that nobody knew before.", minimum=2, maximum=9, scale=0.5),
)

CATALOGUE"""


@pytest.mark.parametrize(("path", "text"), [(metrics.PAGE, metrics.page()), (metrics.RULES, metrics.rules())])
def test_what_is_generated_is_up_to_date(path: Path, text: str) -> None:
    assert (ROOT / path).read_text() == text, "make generate"


def test_the_program_writes_both_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics.main([str(tmp_path)])
    assert capsys.readouterr().out == f"{tmp_path / metrics.PAGE}\n{tmp_path / metrics.RULES}\n"
    assert (tmp_path / metrics.PAGE).read_text() == metrics.page()
    assert (tmp_path / metrics.RULES).read_text() == metrics.rules()


@pytest.mark.parametrize("row", CATALOGUE, ids=lambda row: row.name)
def test_every_row_is_whole(row: Metric) -> None:
    assert row.name.startswith("tts_")
    assert ":" not in row.name
    assert row.name.endswith("_total") is (row.type is Type.COUNTER)
    assert bool(row.buckets) is (row.type is Type.HISTOGRAM)
    assert list(row.buckets) == sorted(row.buckets)
    assert row.unit
    assert row.help.endswith(".")
    assert "|" not in row.help, "it would end a cell of the table"
    assert not row.optional or (row.type is Type.GAUGE and not row.labels), "read at each scrape, as one number"
    assert row.scope is None or not row.labels, "the API has one value for each metric"
    assert row.scaling is None or row.scope is not None, "an autoscaler reads only what the API serves"


def test_no_name_and_no_field_is_there_twice() -> None:
    names = [row.name for row in CATALOGUE]
    fields = [target.field for target in SCALING_TARGETS.values()]
    assert len(set(names)) == len(names)
    assert len(set(fields)) == len(fields)


def test_a_target_that_is_set_by_default_needs_no_gpu() -> None:
    defaults = [target for target in SCALING_TARGETS.values() if target.default is not None]
    assert defaults
    for target in defaults:
        assert not target.needs_gpu
        assert target.minimum <= (target.default or 0) <= target.maximum


def test_a_row_alone_brings_the_collector_the_target_the_api_the_rights_and_the_docs(tmp_path: Path) -> None:
    shutil.copytree(Path(ttscontract.__file__).parent, tmp_path / "ttscontract")
    catalogue = tmp_path / "ttscontract/metrics.py"
    catalogue.write_text(catalogue.read_text().replace("\nCATALOGUE", ADDED))
    seen = json.loads(
        subprocess.run(
            [sys.executable, "-m", "tests.support.contract.added_metric", "tts_added", "2.5", "addedTarget"],
            env=os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"},
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
    )
    assert seen["schema"] == {
        "description": "A target that nobody knew before.", "type": "integer", "minimum": 2, "maximum": 9,
    }  # fmt: skip
    assert any("has(self.addedTarget)" in rule for rule in seen["rules"])
    assert seen["hpa"] == [
        {
            "type": "Object",
            "object": {
                "metric": {"name": "tts_added"},
                "describedObject": {"apiVersion": "tts-operator.io/v1alpha1", "kind": "TTSService", "name": "english"},
                "target": {"type": "AverageValue", "averageValue": "3500m"},
            },
        }
    ]
    assert {"ttsservices.tts-operator.io/tts_added", "pods/tts_added"} <= set(seen["resources"])
    assert seen["values"] == ["2500m", "2500m"], "of the service and of its pod, as the worker exports it"
    assert "ttsservices.tts-operator.io/tts_added" in seen["rbac"]
    assert "| `tts_added` | gauge | requests | A metric that nobody knew before. |" in seen["page"]
    assert "| `tts_added` | `addedTarget` | sum over its Ready workers | yes |" in seen["page"]
    assert "| `addedTarget` | integer, 2 to 9 |  | A target that nobody knew before. |" in seen["fields"]
