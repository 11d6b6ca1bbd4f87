"""The command line as people and scripts use it: documents on standard output, messages elsewhere, exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

MODELS = Path(__file__).parents[1] / "models"
SIX = str(MODELS / "six.yaml")


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from nosograph.commands import main; main()", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=120)


def document(*arguments: str, cwd: Path | None = None, code: int = 0) -> dict:
    done = run(*arguments, "--json", cwd=cwd)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "run"
    found = document("simulate", SIX, "-n", "400", "--out", str(out), "--world", "given: treated = 1", "--seed", "3")
    assert found["patients"] == 400
    assert found["worlds"] == ["factual", "given"]
    assert found["seconds"] > 0
    assert found["patients_per_second"] > 0
    assert len(found["dataset_sha256"]) == 64
    return out


def test_help_names_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("demo", "model", "simulate", "verify", "report"):
        assert command in done.stdout


def test_checking_a_model_imports_no_torch() -> None:
    code = (
        "import sys\nfrom nosograph.causal.model.check import check_model\n"
        "assert check_model('alzheimers').ok\n"
        "heavy = {'torch', 'pyro', 'pandas', 'dowhy', 'numba', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_catalog_passes_its_own_check() -> None:
    models = document("model", "list")["models"]
    assert {"demographics", "alzheimers"} <= {model["id"] for model in models}
    for model in models:
        found = document("model", "check", model["id"])
        assert found["ok"]
        assert not found["errors"]
        assert found["claims"] == found["cited"] + found["assumed"] == model["claims"]
        assert found["recalled"] <= found["cited"]


def test_a_new_model_passes_check_and_runs(tmp_path: Path) -> None:
    document("model", "new", "my-own.yaml", cwd=tmp_path)
    assert document("model", "check", "my-own.yaml", cwd=tmp_path)["ok"]
    assert document("simulate", "my-own.yaml", "-n", "20", "--out", "run", cwd=tmp_path)["patients"] == 20
    document("model", "new", "my-own.yaml", cwd=tmp_path)  # is there already, and as it is to be
    edited = (tmp_path / "my-own.yaml").read_text() + "# mine"
    (tmp_path / "my-own.yaml").write_text(edited)
    assert "already exists" in run("model", "new", "my-own.yaml", cwd=tmp_path).stderr
    assert (tmp_path / "my-own.yaml").read_text() == edited


def test_explain_draw_document_diff_convert(tmp_path: Path) -> None:
    assert "severity" in run("model", "explain", SIX).stdout
    assert document("model", "explain", SIX, "severity")
    assert "treated" in run("model", "explain", SIX, "--do", "treated = 1 from 6 months").stdout
    document("model", "draw", SIX, "-o", str(tmp_path / "six.svg"))
    assert (tmp_path / "six.svg").read_text().startswith("<?xml")
    page = str(tmp_path / "six.md")
    assert document("model", "document", SIX, "-o", page) == {"path": page}
    assert "### `severity`" in Path(page).read_text()
    document("model", "convert", SIX, "-o", str(tmp_path / "six.ttl"))
    assert document("model", "diff", SIX, str(tmp_path / "six.ttl")) == {"equal": True, "differences": []}
    other = tmp_path / "other.yaml"
    other.write_text(Path(SIX).read_text().replace("value: 2.0", "value: 2.5"))
    found = document("model", "diff", SIX, str(other), code=1)
    assert not found["equal"]
    assert found["differences"][0]["node"].endswith("progression")


def test_a_run_says_how_to_make_it_again(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["seed"] == 3
    tables = ("patients", "record", "events", "truth")
    assert set(manifest["files"]) >= {f"{name}/part-00000.parquet" for name in tables}
    again = document("simulate", SIX, "-n", "400", "--out", str(folder), "--world", "given: treated = 1", "--seed", "3")
    assert again["dataset_sha256"] == manifest["dataset_sha256"]


def test_verify_of_a_model_and_of_a_run(folder: Path) -> None:
    found = document("verify", SIX, "-n", "4000")
    (effect,) = found["effects"]
    assert {"effect", "truth", "naive", "estimates", "refutations", "reason"} <= set(effect)
    assert effect["identifiable"]
    assert effect["recovered"]
    assert effect["naive_misses"]
    (effect,) = document("verify", str(folder), "--effect", "treated -> severity_rated @ 12 months")["effects"]
    assert effect["identifiable"]
    assert effect["rows"] <= 400


def test_people_from_elsewhere(tmp_path: Path) -> None:
    trial, people = str(MODELS / "trial.yaml"), tmp_path / "people.csv"
    rows = "".join(f"{k},{50 + k % 30},{k // 3 % 2},{20 - k // 3 % 2 + k % 7}\n" for k in range(600))
    people.write_text("patient,age,drug @ 0,score @ 12 months\n" + rows)
    found = document("verify", trial, "--data", str(people), "--effect", "drug -> score @ 12 months")
    assert found["patients"] == 600
    assert "recorded in the model, but not in the table: sex, weight, fall" in found["lacking"]
    (effect,) = found["effects"]
    assert effect["adjustment"] == ["age"]
    assert effect["estimates"][-1]["estimate"] == pytest.approx(-1, abs=0.5)
    tested = document("model", "test", trial, "--data", str(people), "-n", "50", "--permutations", "0")
    assert tested["survives"] == (not any(one["rejected"] for one in tested["independencies"]))
    people.write_text("patient,age\n1,unknown")
    for command in (["verify", trial, "--effect", "drug -> fall @ 1 year"], ["model", "test", trial]):
        (error,) = document(*command, "--data", str(people), code=2)["errors"]
        assert error["node"] == "line 2, age"


def test_a_missed_effect_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    from nosograph import commands
    from nosograph.simulate.contrast import Truth
    from nosograph.simulate.verification import verify as room

    honest = room.verify

    def mislead(model, **arguments):
        """The examiner is right; the truth it is held against is not."""
        wrong = Truth(value=5.0, error=0.0, patients=1000)
        with monkeypatch.context() as patch:
            patch.setattr(room, "find_truth", lambda *_, **__: wrong)
            return honest(model, **arguments)

    monkeypatch.setattr(room, "verify", mislead)
    done = CliRunner().invoke(commands.app, ["verify", SIX, "-n", "2000", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["effects"][0]["recovered"] is False


BAD = {
    "no such model": (["model", "check", "alzheimer"], "alzheimers"),
    "unknown parameter": (["simulate", SIX, "--set", "benefits=1", "-n", "5", "--out", "x"], "benefit"),
    "a setting without a number": (["simulate", SIX, "--set", "benefit", "-n", "5", "--out", "x"], "--set"),
    "nobody": (["simulate", SIX, "-n", "0", "--out", "x"], "1 or more"),
    "unknown variable": (["simulate", SIX, "--do", "treatd = 1", "-n", "5", "--out", "x"], "treated"),
    "off the grid": (["simulate", SIX, "--do", "treated = 1 from 10 days", "-n", "5", "--out", "x"], "grid"),
    "past the horizon": (["simulate", SIX, "--do", "treated = 1 from 9 years", "-n", "5", "--out", "x"], "horizon"),
    "a world without a name": (["simulate", SIX, "--world", "treated = 1", "-n", "5", "--out", "x"], "treated: "),
    "a condition on nothing": (["simulate", SIX, "--where", "aeg > 65", "-n", "5", "--out", "x"], "age"),
    "a condition that nobody meets": (["simulate", SIX, "--where", "age > 200", "-n", "5", "--out", "x"], "nobody"),
    "too many years": (["simulate", SIX, "--years", "99", "-n", "5", "--out", "x"], "at most"),
    "no such device": (["simulate", SIX, "--device", "abacus", "-n", "5", "--out", "x"], "cpu"),
    "an effect of nothing": (["verify", SIX, "--effect", "tretaed -> severity_rated @ 1 year"], "treated"),
    "not a run": (["report", "."], "no finished run"),
    "a picture of no kind": (["model", "draw", SIX, "-o", "six.docx"], "svg"),
    "a code injection": (["simulate", SIX, "--do", "treated = __import__('os')", "-n", "5", "--out", "x"], "language"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_says_what_to_write_instead(case: str, tmp_path: Path) -> None:
    arguments, hint = BAD[case]
    done = run(*arguments, "--json", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["errors"][0]["problem"]
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_another_run_is_left_alone(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = run("simulate", SIX, "-n", "401", "--out", str(folder))
    assert done.returncode == 2
    assert "another run" in done.stderr
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_impossible_probability_names_node_time_value_and_patient(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(Path(SIX).read_text().replace("Bernoulli(0.05 + 0.1 * risk)", "Bernoulli(0.05 + 2 * risk)"))
    done = run("simulate", str(bad), "-n", "50", "--out", str(tmp_path / "run"))
    assert done.returncode == 2
    for word in ("severity_rated", "probability of Bernoulli", "2.05", "t = 0", "patient"):
        assert word in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_run_folder_called_run_is_rendered(tmp_path: Path) -> None:
    """`run` is also the name under which `render DIR` is known inside."""
    done = run("simulate", SIX, "-n", "3", "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = document("render", "run", "--patients", "0-1", cwd=tmp_path)
    assert {artifact["patient"] for artifact in found["artifacts"]} == {0, 1}
    assert all((tmp_path / artifact["path"]).is_file() for artifact in found["artifacts"])


def test_a_probability_is_asked_as_people_write_it() -> None:
    found = document("ask", SIX, "P(death @ 1 year | risk == 1)", "-n", "500")
    assert found["question"] == "P(death @ 1 year | risk == 1)"
    assert 0 <= found["interval"][0] <= found["value"] <= found["interval"][1]
    refused = run("ask", SIX, "P(death | risk == 1)")
    assert refused.returncode == 2
    assert "write: death @ 1 year" in refused.stderr
    assert run("ask", SIX, "P(death @ 1 year)", "--effect", "treated -> death @ 1 year").returncode == 2
