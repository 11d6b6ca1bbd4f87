"""The notebooks run from the first cell to the last, and the README's Python says what there is."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.verification
@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()


def test_notebooks_hold_no_paths_of_a_machine() -> None:
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        text = json.dumps(json.loads(path.read_text())["cells"])
        assert not re.search(r"site-packages|/home/|/root/|/tmp/", text)


def test_the_readme_s_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(((?!https?:)[^)#]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).is_file(), target


def test_the_page_s_example_of_parameters_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "runs.md").read_text(), re.DOTALL)
    (block,) = (block for block in blocks if "parameters=" in block)
    value = re.search(r"parameters\[.*\.value  # ([\d.]+); the document has ([\d.]+)", block)
    code = f"{block}\nassert faster.parameters['amyloid_growth'].value == {value[1]}\n"
    code += f"assert ng.load('alzheimers').parameters['amyloid_growth'].value == {value[2]}\n"
    code += "usual = ng.simulate('alzheimers', patients=1_000).truth['amyloid'].sel(world='factual', time=1).mean()\n"
    code += "assert cohort.truth['amyloid'].sel(world='factual', time=1).mean() > usual"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_simulate_is_a_function_whatever_came_first() -> None:
    code = "import nosograph as ng, nosograph.simulate.cohort\nfrom nosograph.causal.model.load import load_model\n"
    code += f"print(len(ng.simulate(load_model({str(ROOT / 'tests/models/six.yaml')!r}), patients=3)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "3", done.stderr
