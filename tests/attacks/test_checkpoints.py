"""A checkpoint from a stranger: no pickle is opened, no code runs, nothing is fetched, and no terabyte is asked for."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from nosograph.errors import NosographError
from nosograph.renderers.notes.learned.checkpoint import open_checkpoint

from .listener import Listener


class Opened:
    """Unpickled, it leaves a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (str(self.mark), "w")


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Path]:
    """The file that code of a checkpoint would leave."""
    path = tmp_path / "mark"
    yield path
    assert not path.exists()


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    signs = ["<pad>", "</s>", *map(chr, range(32, 127))]
    tokenizer = Tokenizer(models.BPE({sign: number for number, sign in enumerate(signs)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    with torch.random.fork_rng():
        config = GPT2Config(vocab_size=len(signs), n_embd=8, n_layer=1, n_head=2, n_positions=64, eos_token_id=1)
        GPT2LMHeadModel(config).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>").save_pretrained(folder)
    return folder


def change(path: Path, **settings: object) -> None:
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**known, **settings}))


def leave_pickle(path: Path, mark: Path) -> None:
    path.write_bytes(pickle.dumps(Opened(mark)))


def test_a_pickle_would_leave_its_mark(tmp_path: Path) -> None:
    """Otherwise the lack of one would mean nothing."""
    leave_pickle(tmp_path / "x", tmp_path / "mark")
    pickle.loads((tmp_path / "x").read_bytes()).close()  # noqa: S301
    assert (tmp_path / "mark").exists()


def test_a_sound_one_opens(checkpoint: Path) -> None:
    opened = open_checkpoint(checkpoint)
    assert len(opened.answer(["pain"], [None])) == 1


def test_an_index_may_name_files_of_the_folder(checkpoint: Path) -> None:
    (checkpoint / "model.safetensors").rename(checkpoint / "model-00001-of-00001.safetensors")
    with safe_open(checkpoint / "model-00001-of-00001.safetensors", framework="pt") as weights:
        places = dict.fromkeys(weights.keys(), "model-00001-of-00001.safetensors")
    change(checkpoint / "model.safetensors.index.json", metadata={}, weight_map=places)
    open_checkpoint(checkpoint)


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "weights.pt", "x.PKL", "../weights.bin", "../other.safetensors", "/etc/passwd", ""]
)
def test_an_index_may_not_name_pickles_or_other_folders(name: str, checkpoint: Path, mark: Path) -> None:
    weights = checkpoint / "model.safetensors"
    weights.rename(checkpoint.parent / "other.safetensors")
    for pickled in (checkpoint / "pytorch_model.bin", checkpoint / "weights.pt", checkpoint.parent / "weights.bin"):
        leave_pickle(pickled, mark)
    (checkpoint / "decoy.safetensors").write_bytes((checkpoint.parent / "other.safetensors").read_bytes())
    change(checkpoint / "model.safetensors.index.json", metadata={}, weight_map={"transformer.wte.weight": name})
    with pytest.raises(NosographError, match=r"can run code|cannot be that of a file"):
        open_checkpoint(checkpoint)


@pytest.mark.parametrize("index", ["[]", "{}", '{"weight_map": []}', '{"weight_map": {"a": 1}}', "{", "[" * 100_000])
def test_a_broken_index_is_named(index: str, checkpoint: Path) -> None:
    (checkpoint / "model.safetensors").unlink()
    (checkpoint / "model.safetensors.index.json").write_text(index)
    with pytest.raises(NosographError, match=r"index\.json"):
        open_checkpoint(checkpoint)


def test_weights_that_are_a_link_out_of_the_folder_are_refused(checkpoint: Path) -> None:
    moved = (checkpoint / "model.safetensors").rename(checkpoint.parent / "elsewhere")
    (checkpoint / "model.safetensors").symlink_to(moved)
    with pytest.raises(NosographError, match="leads out"):
        open_checkpoint(checkpoint)


def test_what_else_lies_there_is_not_opened(checkpoint: Path, mark: Path) -> None:
    for name in ("pytorch_model.bin", "vocab.pkl", "training_args.bin", "adapter_model.bin", "x.pt"):
        leave_pickle(checkpoint / name, mark)
    for name in ("modeling_own.py", "tokenization_own.py", "custom_generate/generate.py"):
        (checkpoint / name).parent.mkdir(exist_ok=True)
        (checkpoint / name).write_text(f"open({str(mark)!r}, 'w')")
    change(checkpoint / "adapter_config.json", base_model_name_or_path=str(checkpoint.parent), peft_type="LORA")
    open_checkpoint(checkpoint).answer(["pain"], [None])


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "generation_config.json"])
def test_code_is_refused(name: str, checkpoint: Path, mark: Path) -> None:
    (checkpoint / "own.py").write_text(f"open({str(mark)!r}, 'w')")
    change(checkpoint / name, auto_map={"AutoModelForCausalLM": "own.Model", "AutoTokenizer": ["own.T", None]})
    with pytest.raises(NosographError, match="code of its own"):
        open_checkpoint(checkpoint)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_layer": 1_000_000},
        {"n_layer": 10**30},
        {"n_embd": 2_000_000},
        {"n_positions": 10_000_000},
        {"vocab_size": 10**12},
        {"n_inner": 16_000_000},
        {"model_type": "t5", "num_layers": 16_000_000},
        {"model_type": "llama", "hidden_size": 8_000_000, "num_hidden_layers": 1_000},
        {"model_type": "mixtral", "num_local_experts": 1_000_000, "hidden_size": 64},
    ],
    ids=str,
)
def test_a_model_larger_than_its_weights_is_refused(settings: dict[str, Any], checkpoint: Path) -> None:
    change(checkpoint / "config.json", **settings)
    with pytest.raises(NosographError, match=r"larger model than the weights hold|ask for too much"):
        open_checkpoint(checkpoint)


@pytest.mark.parametrize(
    "settings",
    [
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}},
        {"transformers_weights": "../other.safetensors"},
        {"text_config": {"quantization_config": {"quant_method": "gptq"}}},
    ],
    ids=str,
)
def test_weights_elsewhere_are_refused(settings: dict[str, Any], checkpoint: Path) -> None:
    change(checkpoint / "config.json", **settings)
    with pytest.raises(NosographError, match="not all in the checkpoint"):
        open_checkpoint(checkpoint)


def test_the_hub_is_not_asked(checkpoint: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", listener.url)
    change(checkpoint / "config.json", _attn_implementation="kernels-community/flash-attn", attn_implementation="a/b")
    change(checkpoint / "config.json", _name_or_path="a/b", base_model_name_or_path="a/b", adapter="a/b")
    change(checkpoint / "adapter_config.json", base_model_name_or_path="a/b", peft_type="LORA")
    change(checkpoint / "tokenizer_config.json", name_or_path="a/b", processor_class="BertProcessor")
    change(checkpoint / "generation_config.json", penalty_alpha=0.6, top_k=4, dola_layers="high", num_beams=4)
    opened = open_checkpoint(checkpoint)
    assert opened.model.config._attn_implementation in ("sdpa", "eager")
    opened.answer(["pain"], [None])
