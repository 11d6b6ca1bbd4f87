"""Fork a process for each command that a line on standard input asks for: see harness.Server."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from nosograph.errors import NosographError


def serve() -> None:
    import torch

    from nosograph.simulate.runs.job import JobFolder

    torch.set_num_threads(1)
    assert JobFolder
    if "--toy" not in sys.argv:
        warm_up()
    answer({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            run(request)
        _, status = os.waitpid(child, 0)
        wait_for_group(child)
        answer({"code": os.waitstatus_to_exitcode(status)})


def warm_up() -> None:
    """Import what the commands import."""
    import dowhy
    import matplotlib.pyplot
    import numba
    import pandas
    import phenopackets
    import pyoxigraph
    import rdflib

    from nosograph.causal.model.load import load_model
    from nosograph.renderers.render import render
    from nosograph.simulate.cohort import simulate
    from nosograph.simulate.verification.verify import verify

    assert all((dowhy, matplotlib.pyplot, numba, pandas, phenopackets, pyoxigraph, rdflib))
    assert all((load_model, render, simulate, verify))


def few_diseases() -> None:
    """Let `model from-hpo --all` find ten diseases."""
    from nosograph.ontology import annotations

    found = annotations.list_diseases
    annotations.list_diseases = lambda **options: dict(list(found(**options).items())[:10])


def answer(document: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def run(request: dict[str, object]) -> None:
    """In a child: be the command, in a process group of its own."""
    os.setsid()
    code = 70
    for number, name in ((0, os.devnull), (1, str(request["out"])), (2, str(request["error"]))):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | (os.O_TRUNC if number else 0), 0o666), number)
    os.chdir(str(request["folder"]))
    sys.argv = ["nosograph", *request["argv"]]  # type: ignore[misc]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    few_diseases()
    try:
        act = {"toy": do_toy, "store": do_store}.get(sys.argv[1])
        if act is not None:
            act(Path(sys.argv[2]))
        else:
            from nosograph.commands import main

            main()
        code = 0
    except NosographError:
        code = 2
    except KeyboardInterrupt:
        code = 130
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1 if ended.code else 0
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def do_toy(folder: Path) -> None:
    """A small job of three parts, each with two files and one aside."""
    from nosograph.simulate.runs.inventory import FileEntry
    from nosograph.simulate.runs.job import JobFolder, JobManifest, PartFiles, Receipt

    class TreesManifest(JobManifest):
        files: dict[str, FileEntry]

    def work(files: PartFiles, text: str) -> dict[str, int]:
        def write_halves(path: Path) -> None:
            with path.open("w") as file:
                file.write(text)
                file.flush()
                file.write(text.upper())

        files.write("words", f"{files.index}.txt", fill=write_halves)
        files.write("letters", text[0], f"{files.index}.txt", fill=write_halves)
        files.write_aside(".txt", fill=write_halves)
        return {"letters": len(text)}

    def summarise(receipts: Iterable[Receipt]) -> tuple[dict[str, object], dict[str, bytes]]:
        held = list(receipts)
        files = {name: entry for receipt in held for name, entry in receipt.listed.items()}
        letters = sum(receipt.counts["letters"] for receipt in held)
        return {"seed": 1, "letters": letters, "files": files}, {"about.txt": b"trees"}

    job = JobFolder(folder, {"seed": 1}, noun="list", another="another {key}", schema=TreesManifest)
    parts = ("ash", "birch", "cedar")
    job.complete(work, parts, summarise=summarise, workers=1, progress=lambda receipt: None)


def do_store(folder: Path) -> None:
    """Open a small store of the knowledge graph, built where it is not there, and print what it holds."""
    import pyoxigraph as ox

    from nosograph.ontology.store import open_cached

    def build() -> Iterable[ox.Quad]:
        for number in range(2_000):
            yield ox.Quad(ox.NamedNode(f"urn:{number}"), ox.NamedNode("urn:is"), ox.Literal(str(number)))

    store = open_cached(folder, "key", build)
    sys.stdout.write("".join(sorted(f"{quad}\n" for quad in store)))


def wait_for_group(leader: int, seconds: float = 30) -> None:
    """Wait until no process of the group is left; kill what is still there after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.killpg(leader, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
    sys.exit(f"processes of the command were still there after {seconds:g} s")


if __name__ == "__main__":
    serve()
