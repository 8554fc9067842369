"""The package's order: layers that import one way, folders and files of a size that can be overseen."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "symface_cli"
MODULES = sorted(PACKAGE.rglob("*.py"))
FOLDERS = sorted({module.parent for module in MODULES} - {PACKAGE})
LINT = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"


def imported(module: Path) -> set[str]:
    """The packages outside of symface that a module imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_the_layers_contract_names_an_import_that_runs_upwards_or_sideways(tmp_path: Path) -> None:
    shutil.copytree(
        PACKAGE,
        tmp_path / "symface_cli",
        ignore=lambda _, names: [n for n in names if "." in n[1:] and n[-3:] != ".py"],
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, line in (
        ("geometry/frames", "import symface_cli.imaging.photo"),
        ("rendering/plan", "import symface_cli.evaluation.plot"),
    ):
        with (tmp_path / "symface_cli" / f"{name}.py").open("a") as file:
            file.write(f"\n{line}\n")
    finished = subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(tmp_path)},
    )
    told = [line.strip() for line in finished.stdout.splitlines()]
    assert finished.returncode == 1, finished.stderr
    assert sorted(line for line in told if line.endswith("import:") or " is not allowed to import " in line) == [
        "symface_cli.geometry is not allowed to import symface_cli.imaging:",
        "symface_cli.rendering is not allowed to import symface_cli.evaluation:",
    ]


def test_at_most_9_modules_lie_at_the_top() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= 9


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(PACKAGE).as_posix())
def test_a_folder_has_at_most_12_modules(folder: Path) -> None:
    assert len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= 12


def test_a_file_has_at_most_350_lines() -> None:
    assert {module.name: lines for module in MODULES if (lines := module.read_text("utf-8").count("\n")) > 350} == {}


def test_only_the_command_line_imports_typer_and_rich() -> None:
    elsewhere = [module for module in MODULES if PACKAGE / "cli" not in module.parents]
    assert [module for module in elsewhere if imported(module) & {"typer", "click", "rich"}] == []
    assert {"typer", "rich"} <= set().union(*map(imported, MODULES))
