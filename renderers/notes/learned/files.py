"""The files of a checkpoint that may be opened, and how large a model they may make.

What transformers would open depends on names and settings in the folder: an index may name pickles, a setting may name
code, other weights, or kernels on the hub. So it is given another folder, which holds nothing but weights in
safetensors, plain settings, and vocabularies.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....errors import NosographError, fail
from ....ontology.output import join_path

if TYPE_CHECKING:
    import torch

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
SETTINGS = ("generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
VOCABULARIES = (
    *("tokenizer.json", "vocab.json", "vocab.txt", "merges.txt", "chat_template.jinja"),
    *("spiece.model", "tokenizer.model", "sentencepiece.bpe.model", "source.spm", "target.spm"),
)
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".h5", ".msgpack")
NEEDED = "a folder with config.json, model.safetensors and tokenizer.json"

_CODE = ("auto_map", "custom_generate", "custom_pipelines")
_ELSEWHERE = ("quantization_config", "transformers_weights")  # weights, or code for them, that lie elsewhere
_LONGEST_SETTINGS = 8_000_000  # bytes of a file
_GREATEST = 2**24  # of a whole number in config.json: layers, widths, tokens
_COPIES = 4  # a model may have a table of words up to four times that its weights hold once
_BUFFERS = 2**26  # elements that a model may have besides, such as masks


@dataclass(frozen=True)
class StagedWeights:
    """How many tensors the weights hold, and how many numbers in them."""

    tensors: int
    elements: int


def check_checkpoint(folder: Path) -> None:
    """Raise NosographError where `stage_checkpoint` does."""
    with tempfile.TemporaryDirectory(prefix="nosograph-") as staged:
        stage_checkpoint(folder, Path(staged))


def stage_checkpoint(folder: Path, into: Path) -> StagedWeights:
    """Put what may be opened of the checkpoint `folder` into the empty folder `into`, as links and checked settings.

    Raises NosographError, with what is missing, for a folder that cannot be a checkpoint with safetensors, and for
    settings that name code, or weights that lie elsewhere.
    """
    if not folder.is_dir():
        raise fail("there is no such folder", value=folder, fix=NEEDED)
    config = _read_settings(folder, CONFIG)
    if config is None:
        raise fail("the folder is no checkpoint: it has no config.json", value=folder, fix=NEEDED)
    _check_numbers(config, folder / CONFIG)
    _write(into / CONFIG, config)
    for name in SETTINGS:
        settings = _read_settings(folder, name)
        if settings is not None:
            _write(into / name, settings)
    for name in VOCABULARIES:
        if (folder / name).is_file():
            (into / name).symlink_to(join_path(folder, name).resolve())
    if not any((into / name).exists() for name in (*VOCABULARIES, "tokenizer_config.json")):
        raise fail("the checkpoint has no tokenizer: no tokenizer.json", value=folder, fix=NEEDED)
    return _stage_weights(folder, into)


def _stage_weights(folder: Path, into: Path) -> StagedWeights:
    names = [WEIGHTS]
    if not (folder / WEIGHTS).is_file() and (folder / INDEX).is_file():
        index = _read_settings(folder, INDEX) or {}
        places = index.get("weight_map")
        if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
            raise fail("the index names no files", value=folder / INDEX, fix='{"weight_map": {"…": "….safetensors"}}')
        names = sorted(set(places.values()))
        _write(into / INDEX, {"metadata": {}, "weight_map": places})
    shapes: list[tuple[int, ...]] = []
    for name in names:
        if not name.endswith(".safetensors"):
            raise _refuse_pickle(folder / name)
        path = join_path(folder, name)
        if not path.is_file():
            pickled = sorted(found.name for found in folder.iterdir() if found.suffix in PICKLES)
            if pickled:
                raise _refuse_pickle(folder / pickled[0])
            raise fail(f"the checkpoint has no weights: no {name}", value=folder, fix=NEEDED)
        (into / name).symlink_to(path.resolve())
        shapes += _read_shapes(path)
    return StagedWeights(len(shapes), sum(map(math.prod, shapes)))


def _refuse_pickle(path: Path) -> NosographError:
    return fail(
        "the weights are in a format that can run code, and are not opened",
        value=path,
        fix="convert them where you trust them: model.save_pretrained(folder, safe_serialization=True)",
    )


def _read_shapes(path: Path) -> list[tuple[int, ...]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as weights:
            return [tuple(weights.get_slice(name).get_shape()) for name in weights.keys()]  # noqa: SIM118
    except SafetensorError as error:
        raise fail(f"the checkpoint does not load: {error}", value=path, fix="weights in safetensors, whole") from error


def _read_settings(folder: Path, name: str) -> dict[str, Any] | None:
    """The settings in a file, if it is there, without those that choose how to compute."""
    if not (folder / name).is_file():
        return None
    path = join_path(folder, name)
    fix = "the file as save_pretrained has written it"
    if path.stat().st_size > _LONGEST_SETTINGS:
        raise fail(f"the file is longer than {_LONGEST_SETTINGS:,} bytes", file=str(path), fix=fix)
    try:
        settings = json.loads(path.read_bytes())
        if not isinstance(settings, dict):
            raise ValueError("no object")
        clean: dict[str, Any] = _check(settings, path)
    except (ValueError, RecursionError) as error:
        raise fail(f"the file holds no JSON object: {error}", file=str(path), fix=fix) from error
    return clean


def _check(value: Any, path: Path) -> Any:
    if isinstance(value, list):
        return [_check(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    for key in _CODE:
        if value.get(key):
            raise fail(f"the checkpoint needs code of its own, which is not run: {key}", value=path, fix="none")
    for key in _ELSEWHERE:
        if value.get(key):
            raise fail(f"the weights are not all in the checkpoint: {key}", value=path, fix="plain weights, as trained")
    return {
        key: _check(item, path)
        for key, item in value.items()
        if "implementation" not in key and not (key.endswith("_file") and isinstance(item, str))
    }


def _check_numbers(value: Any, path: Path) -> None:
    items: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        _check_numbers(item, path)
    if isinstance(value, int) and abs(value) > _GREATEST:
        raise fail("the settings ask for too much", value=value, file=str(path), fix=f"{_GREATEST:,} at most")


def _write(path: Path, settings: dict[str, Any]) -> None:
    path.write_text(json.dumps(settings), encoding="utf-8")


def refuse_oversized(build: Callable[[], object], weights: StagedWeights, *, folder: Path) -> None:
    """Raise NosographError where `build` makes a model that the weights cannot fill.

    It is built without memory (on torch's meta device), and counted as it is built.
    """
    import torch

    with torch.device("meta"), _counting(weights, folder):
        build()


@contextmanager
def _counting(weights: StagedWeights, folder: Path) -> Iterator[None]:
    from torch.nn.modules import module as torch_module

    count = elements = 0

    def add(_module: object, _name: str, tensor: torch.Tensor | None) -> None:
        nonlocal count, elements
        if tensor is None:
            return
        count, elements = count + 1, elements + tensor.numel()
        # as many again for the buffers that weights do not hold, and for tables that are tied in the end
        if count > 2 * weights.tensors + 1_000 or elements > _COPIES * weights.elements + _BUFFERS:
            held = f"{folder}: {weights.tensors:,} tensors with {weights.elements:,} numbers"
            problem = f"{CONFIG} asks for a larger model than the weights hold"
            raise fail(problem, value=held, fix="the config.json of these very weights")

    handles = (
        torch_module.register_module_parameter_registration_hook(add),
        torch_module.register_module_buffer_registration_hook(add),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
