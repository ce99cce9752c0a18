"""Helpers live in tests/support: a test that imports another test would move and break with it."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("file", sorted(TESTS.rglob("*.py")), ids=lambda file: str(file.relative_to(TESTS)))
def test_no_module_imports_a_test(file: Path) -> None:
    imports = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)]
    modules = [node.module for node in imports if node.module and node.module.startswith("tests.")]
    assert not [module for module in modules if module.rpartition(".")[2].startswith("test_")]
