"""The job on a Ray cluster: the same bytes as here, also where machines are lost on the way; and what is not the same
on every machine is told."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import nosograph as ng
from nosograph.causal.model.load import load_model
from nosograph.causal.model.world import FACTUAL
from nosograph.errors import NosographError, fail
from nosograph.ontology.output import DRAFT
from nosograph.simulate.runs import cluster
from nosograph.simulate.runs.build import describe_build
from nosograph.simulate.runs.cluster import run_parts_on_ray
from nosograph.simulate.runs.inventory import FileEntry
from nosograph.simulate.runs.job import ASIDE, JobFolder, JobManifest, PartFiles, PartMaker, Receipt
from nosograph.simulate.runs.run import write_run
from nosograph.simulate.runs.shard import Job

MODEL = load_model(Path(__file__).parents[2] / "models" / "core_everything.yaml")
MEMORY = 80_000_000  # bytes of a node's object store: as good as none


def write(folder: Path, **keys: Any) -> None:
    write_run(Job(MODEL, (FACTUAL,), 0, MODEL.clock.steps), folder, patients=900, shard_size=100, **keys)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("here") / "run"
    write(folder)
    return contents(folder)


# Without a cluster


def test_an_engine_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(NosographError, match="no such engine") as caught:
        write(tmp_path / "run", engine="dask")
    assert caught.value.problems[0].fix == "--engine processes or --engine ray"


def test_where_ray_is_not_installed_the_fix_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(NosographError, match="Ray is not installed") as caught:
        write(tmp_path / "run", engine="ray")
    assert "nosograph[ray]" in caught.value.problems[0].fix
    assert list(tmp_path.iterdir()) == []


def test_a_part_is_not_made_where_the_job_is_not_seen(tmp_path: Path) -> None:
    with pytest.raises(NosographError, match="not seen on this machine"):
        PartMaker(tmp_path, make_slowly)((0, "ash"))
    assert list(tmp_path.iterdir()) == []


# A cluster of this machine, for as long as the job runs


def test_the_same_bytes_on_a_cluster_that_is_started_for_the_job(tmp_path: Path, whole: dict[str, bytes]) -> None:
    ray = pytest.importorskip("ray")
    before = signal.getsignal(signal.SIGTERM)
    write(tmp_path / "run", engine="ray", workers=2)
    assert contents(tmp_path / "run") == whole
    assert not ray.is_initialized()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.verification
def test_a_command_that_is_interrupted_leaves_nobody_and_goes_on(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    words = ["simulate", "alzheimers", "-n", "2000", "--shard-size", "100", "--out", str(tmp_path / "run")]
    command = [sys.executable, "-c", "from nosograph.commands import main; main()", *words, "--engine", "ray"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True) as held:
        wait_for(lambda: (tmp_path / "run" / "truth").is_dir() and any((tmp_path / "run" / "truth").iterdir()))
        held.send_signal(signal.SIGINT)
        held.communicate(timeout=60)
    assert held.returncode != 0
    wait_for(lambda: not list_session(held.pid))
    assert not list((tmp_path / "run" / ASIDE).glob(f"{DRAFT}*"))
    subprocess.run(command, check=True, timeout=300, stdout=subprocess.DEVNULL)
    ng.simulate("alzheimers", patients=2000).save(tmp_path / "here", shard_size=100)
    assert contents(tmp_path / "run") == contents(tmp_path / "here")


def list_session(leader: int) -> list[int]:
    """The processes that a session has left; zombies don't count."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, session = path.read_text().rpartition(")")[2].split()[:4]
            if int(session) == leader and state != "Z":
                found.append(int(path.parent.name))
    return found


def wait_for(condition: Any, *, seconds: float = 120) -> None:
    """Until the condition holds. Fails where it does not in time."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds
        time.sleep(0.05)


# A cluster of several machines


@pytest.fixture
def own_random_numbers() -> Iterator[None]:
    """Ray draws from Python's when a test adds or removes a machine, and that is the test's own doing."""
    state = random.getstate()
    yield
    random.setstate(state)


@pytest.fixture(scope="module")
def machines() -> Iterator[Any]:
    """Three nodes on this machine, a CPU each, to whose first this process is connected."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    before, state = signal.getsignal(signal.SIGTERM), random.getstate()
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": MEMORY})
    try:
        for _ in range(2):
            nodes.add_node(num_cpus=1, object_store_memory=MEMORY)
        ray.init(address=nodes.address, log_to_driver=False)
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers need not find this file
        yield nodes
    finally:
        ray.shutdown()
        nodes.shutdown()
        signal.signal(signal.SIGTERM, before)
        random.setstate(state)


def make_slowly(files: PartFiles, tree: str) -> dict[str, Any]:
    """A part that signs in the folder `begun` beside the job's, where there is one, and waits to be let go on."""
    begun = files.folder.parent / "begun"
    if begun.exists():
        import ray

        (begun / f"{files.index}-{os.getpid()}-{ray.get_runtime_context().get_node_id()}").touch()
        wait_for(lambda: (begun.parent / "go").exists())
    files.write_bytes("trees", f"{files.index}.txt", content=tree.encode())
    return {}


class TreesManifest(JobManifest):
    files: dict[str, FileEntry]


def make_trees(folder: Path, *, work: Any = make_slowly, progress: Any = lambda receipt: None, **keys: Any) -> None:
    def summarise(receipts: Iterable[Receipt]) -> tuple[dict[str, Any], dict[str, bytes]]:
        return {"files": {name: digest for receipt in receipts for name, digest in receipt.listed.items()}}, {}

    job = JobFolder(folder, {}, noun="list", another="another {key}", schema=TreesManifest)
    parts = ["ash", "birch", "cedar", "date", "elder", "fir", "gorse", "hazel"]
    job.complete(work, parts, summarise=summarise, progress=progress, **{"workers": None, "engine": "ray", **keys})


def list_nodes() -> set[str]:
    import ray

    return {node["NodeID"] for node in ray.nodes() if node["Alive"]}


def find_repeated(folder: Path) -> list[int]:
    """The parts that were begun more than once."""
    begun = [int(path.name.partition("-")[0]) for path in folder.iterdir()]
    return sorted({part for part in begun if begun.count(part) > 1})


@contextmanager
def while_a_part_is_made(folder: Path, act: Any, *, where: str = "") -> Iterator[None]:
    """Have `act` done with the path that a part at work has signed: any part, or one on the node `where`."""
    begun = folder / "begun"
    begun.mkdir()

    def wait() -> None:
        wait_for(lambda: list(begun.glob(f"*{where}")))
        act(next(begun.glob(f"*{where}")))
        (folder / "go").touch()

    other = Thread(target=wait)
    other.start()
    yield
    other.join()


@pytest.mark.verification
@pytest.mark.usefixtures("own_random_numbers")
def test_a_machine_that_is_lost_costs_its_part_only(machines: Any, tmp_path: Path) -> None:
    make_trees(tmp_path / "here", engine="processes")
    others = list_nodes()
    lost = machines.add_node(num_cpus=1, object_store_memory=MEMORY)
    (identity,) = list_nodes() - others
    told: list[int] = []

    def lose(signed: Path) -> None:
        machines.remove_node(lost, allow_graceful=False)
        os.kill(int(signed.name.split("-")[1]), signal.SIGKILL)  # it would finish its part, and tell

    with while_a_part_is_made(tmp_path, lose, where=identity):
        make_trees(tmp_path / "there", progress=lambda receipt: told.append(receipt.index))
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert told == list(range(8))
    assert len(find_repeated(tmp_path / "begun")) == 1


@pytest.mark.verification
@pytest.mark.usefixtures("own_random_numbers")
def test_a_worker_that_is_killed_costs_its_part_only(machines: Any, tmp_path: Path) -> None:
    make_trees(tmp_path / "here", engine="processes")

    def kill(signed: Path) -> None:
        os.kill(int(signed.name.split("-")[1]), signal.SIGKILL)

    with while_a_part_is_made(tmp_path, kill):
        make_trees(tmp_path / "there")
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert len(find_repeated(tmp_path / "begun")) == 1


@pytest.mark.verification
@pytest.mark.usefixtures("own_random_numbers")
def test_a_run_and_its_notes_are_the_same_where_a_machine_is_lost(machines: Any, tmp_path: Path) -> None:
    ng.simulate("alzheimers", patients=600).save(tmp_path / "here", shard_size=50)
    ng.render(tmp_path / "here", patients="0-250")
    lost = machines.add_node(num_cpus=1, object_store_memory=MEMORY)
    model = load_model("alzheimers")
    job = Job(model, (FACTUAL,), 0, model.clock.steps)

    def lose(patients: int) -> None:
        if lost in machines.worker_nodes:
            machines.remove_node(lost, allow_graceful=False)

    write_run(job, tmp_path / "there", patients=600, shard_size=50, engine="ray", progress=lose)
    ng.render(tmp_path / "there", patients="0-250", engine="ray")
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


@pytest.mark.verification
@pytest.mark.usefixtures("own_random_numbers")
def test_a_part_that_kills_whoever_takes_it_ends_the_job(machines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "RETRIES", 1)
    with pytest.raises(NosographError, match="lost again and again"):
        list(run_parts_on_ray(lambda part: os.kill(os.getpid(), signal.SIGKILL), range(1), workers=None))


@pytest.mark.verification
@pytest.mark.usefixtures("own_random_numbers")
def test_what_a_part_raises_comes_whole_and_ends_the_others(machines: Any, tmp_path: Path) -> None:
    def refuse(files: PartFiles, tree: str) -> dict[str, Any]:
        if tree == "birch":
            raise fail("no birches", value=tree, fix="ashes", line=3)
        return make_slowly(files, tree)

    with pytest.raises(NosographError) as caught:
        make_trees(tmp_path / "job", work=refuse)
    assert caught.value.problems == fail("no birches", value="birch", fix="ashes", line=3).problems
    seen = contents(tmp_path / "job") if (tmp_path / "job").exists() else {}
    time.sleep(2)
    assert (contents(tmp_path / "job") if (tmp_path / "job").exists() else {}) == seen
    assert not [name for name in seen if DRAFT in name]
    make_trees(tmp_path / "job")


@pytest.mark.verification
@pytest.mark.usefixtures("own_random_numbers")
def test_a_folder_that_the_machines_do_not_see_is_told(machines: Any, tmp_path: Path) -> None:
    def hide(files: PartFiles, tree: str) -> dict[str, Any]:  # as if the folder were on another disk
        shutil.rmtree(files.folder / ASIDE)
        return PartMaker(files.folder, make_slowly)((files.index, tree)).counts  # type: ignore[return-value]

    with pytest.raises(NosographError, match="not seen on this machine"):
        make_trees(tmp_path / "job", work=hide)


@pytest.mark.verification
@pytest.mark.usefixtures("own_random_numbers")
def test_a_machine_of_another_build_is_told(machines: Any) -> None:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    others = list_nodes()
    machines.add_node(num_cpus=1, object_store_memory=MEMORY, env_vars={"ATEN_CPU_CAPABILITY": "default"})
    (identity,) = list_nodes() - others
    there = ray.remote(cluster._do).options(scheduling_strategy=NodeAffinitySchedulingStrategy(identity, soft=False))
    with pytest.raises(ray.exceptions.RayTaskError) as caught:
        ray.get(there.remote([ray.put(str)], describe_build(), "ash"))
    (problem,) = caught.value.cause.problems
    assert "another build" in problem.problem
    assert "cpu_capability DEFAULT, not " in problem.value
