"""A transformer that writes, from a folder: opened without network or pickles, its words drawn by our noise."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....errors import NosographError, fail
from .files import refuse_oversized, stage_checkpoint

if TYPE_CHECKING:
    import torch

SLOTTED = "nosograph_facts"  # what config.json says of a checkpoint of ours
AT_ONCE = 32  # texts that are continued together
ROOM = 32  # tokens that an answer may have beyond twice its question
TEMPERATURE, TOP = 0.8, 0.95  # where the checkpoint's own generation_config.json says nothing
KEPT = (  # of generation_config.json: which tokens may stand where
    *("bos_token_id", "eos_token_id", "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id"),
    *("suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "no_repeat_ngram_size", "repetition_penalty"),
)
INSTRUCTION = (
    "Rewrite this sentence of a clinical note in other words. Keep every number, date, unit and medical term exactly as"
    " it is, and add nothing.\nSentence: {}\nRewritten:"
)

Chance = Callable[[int], float]  # a uniform number in (0, 1) for each token that is drawn


@dataclass(frozen=True)
class Checkpoint:
    """An opened checkpoint. `slots`: it is told facts and writes sentences as `slots` has them, like those of `train`;
    others are given plain sentences with an instruction. `samples`: its generation_config.json asks for sampling, from
    the first try."""

    folder: Path
    model: Any
    tokenizer: Any
    slots: bool
    samples: bool
    temperature: float
    top: float

    def answer(self, texts: Sequence[str], chances: Sequence[Chance | None]) -> list[str]:
        """What the model writes for each text: the likeliest tokens, or drawn by its `chances`. Empty where it finds no
        end: neither a token that says so nor a line's.

        No random state but `chances` is used. An answer does not depend on the texts beside it, save that sums of
        floating-point numbers do in their last digits, which may tip the balance between two tokens that are as likely.
        """
        answers: list[str] = []
        for start in range(0, len(texts), AT_ONCE):
            answers += self._continue(texts[start : start + AT_ONCE], chances[start : start + AT_ONCE])
        return answers

    def _continue(self, texts: Sequence[str], chances: Sequence[Chance | None]) -> list[str]:
        import torch

        prompts = [text if self.slots else self._instruct(text) for text in texts]
        read = self.tokenizer(prompts, return_tensors="pt", padding=True, return_token_type_ids=False)
        question = read["input_ids"].shape[1]
        longest = max(len(ids) for ids in self.tokenizer(list(texts)).input_ids)
        room = min(2 * longest + ROOM, self._limit() - (0 if self.model.config.is_encoder_decoder else question))
        if room < 1 or question > self._limit():
            return [""] * len(texts)
        draw = _Sampling(chances, temperature=self.temperature, top=self.top)
        with torch.inference_mode():
            written = self.model.generate(
                **read, max_new_tokens=room, logits_processor=[draw], custom_generate=None, use_cache=True
            )
        first = 1 if self.model.config.is_encoder_decoder else question
        answers: list[str] = self.tokenizer.batch_decode(
            written[:, first:], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        ends = torch.tensor(_list_ends(self.model.generation_config.eos_token_id, self.tokenizer.eos_token_id))
        whole = torch.isin(written[:, first:], ends).any(-1)
        return [answer if ended or "\n" in answer.strip() else "" for answer, ended in zip(answers, whole, strict=True)]

    def _instruct(self, text: str) -> str:
        asked = INSTRUCTION.format(text)
        if getattr(self.tokenizer, "chat_template", None):
            messages = [{"role": "user", "content": asked.removesuffix("\nRewritten:")}]
            chat: str = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            return chat
        return asked

    def _limit(self) -> int:
        """The most tokens that the model can take in."""
        config = self.model.config
        named = [getattr(config, name, None) for name in ("max_position_embeddings", "n_positions")]
        return min([limit for limit in named if isinstance(limit, int) and limit > 0], default=1 << 20)


def _list_ends(*found: int | list[int] | None) -> list[int]:
    """The tokens that end a text, from a checkpoint's settings: each may be a number, several or none."""
    listed = (one if isinstance(one, list) else [one] for one in found)
    return sorted({number for numbers in listed for number in numbers if number is not None})


class _Sampling:
    """Draws each next token by given chances: all others are ruled out, so that greedy search takes it."""

    def __init__(self, chances: Sequence[Chance | None], *, temperature: float, top: float) -> None:
        self._chances, self._temperature, self._top = chances, temperature, top
        self._step = 0

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """`scores` (texts, tokens): log weights of the next token."""
        import torch

        ruled = scores
        if any(chance is not None for chance in self._chances):
            ruled = scores.clone()
            shares = torch.softmax(scores.double() / self._temperature, -1)
            shares, order = torch.sort(shares, dim=-1, descending=True, stable=True)
            total = shares.cumsum(-1)
            shares = shares * (total - shares < self._top)  # the fewest tokens that hold that much, and the likeliest
            total = shares.cumsum(-1)
            for row, chance in enumerate(self._chances):
                if chance is not None:
                    place = int(torch.searchsorted(total[row], chance(self._step) * float(total[row, -1])))
                    ruled[row] = -torch.inf
                    ruled[row, order[row, place]] = 0.0
        self._step += 1
        return ruled


def open_checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint of a folder, on the CPU in single precision.

    Nothing is fetched, no code of the checkpoint's own runs, and no pickle is opened: see files.py. Raises
    NosographError for a folder that is no checkpoint (naming what is missing), weights that are not safetensors or too
    few for the model that config.json describes, and a model that writes no text.
    """
    with tempfile.TemporaryDirectory(prefix="nosograph-") as staged:
        weights = stage_checkpoint(folder, Path(staged))
        import torch
        import transformers

        local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        with _quietly(), torch.random.fork_rng(devices=[]):
            try:
                config = transformers.AutoConfig.from_pretrained(staged, **local)
                kind = _choose_kind(config)
                refuse_oversized(lambda: kind.from_config(config, trust_remote_code=False), weights, folder=folder)
                tokenizer = transformers.AutoTokenizer.from_pretrained(staged, **local)
                model, told = kind.from_pretrained(
                    staged, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **local
                )
            except NosographError:
                raise
            except Exception as error:  # whatever transformers, tokenizers or safetensors say of a broken folder
                said = str(error).strip().split("\n")[0][:300].replace(staged, str(folder))
                fix = "a folder that save_pretrained has written, whole, and that needs no code of its own"
                raise fail(f"the checkpoint does not load: {said}", value=folder, fix=fix) from error
    if told["missing_keys"]:
        lost = ", ".join(sorted(told["missing_keys"])[:3])
        raise fail("weights are missing in the checkpoint", value=f"{folder}: {lost}", fix="a model that writes text")
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        raise fail("the tokenizer has more tokens than the model", value=folder, fix="the tokenizer of this very model")
    return _prepare(folder, model, tokenizer)


def _choose_kind(config: Any) -> Any:
    import transformers

    kinds = (
        (transformers.AutoModelForSeq2SeqLM, transformers.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING),
        (transformers.AutoModelForCausalLM, transformers.MODEL_FOR_CAUSAL_LM_MAPPING),
    )
    for kind, mapping in kinds if config.is_encoder_decoder else kinds[1:]:
        if type(config) in mapping:
            return kind
    raise fail("the model writes no text", value=config.model_type, fix="a causal or sequence-to-sequence model")


def _prepare(folder: Path, model: Any, tokenizer: Any) -> Checkpoint:
    own = model.generation_config
    samples, temperature, top = bool(own.do_sample), own.temperature, own.top_p
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    if not model.config.is_encoder_decoder:
        tokenizer.padding_side = "left"
    # one text, by the tokens that `_Sampling` leaves; another way to generate could want code from elsewhere
    settings: dict[str, Any] = {name: getattr(own, name, None) for name in KEPT}
    settings.update(do_sample=False, num_beams=1, num_return_sequences=1, temperature=None, top_p=None, top_k=None)
    settings.update(max_length=None, pad_token_id=tokenizer.pad_token_id)
    model.generation_config = type(own)(**settings)
    model.eval()
    return Checkpoint(
        folder=folder,
        model=model,
        tokenizer=tokenizer,
        slots=bool(getattr(model.config, SLOTTED, False)),
        samples=samples,
        temperature=temperature if temperature and samples else TEMPERATURE,
        top=top if top and samples else TOP,
    )


@contextmanager
def _quietly() -> Iterator[None]:
    """Without transformers' progress bars and warnings, which are switched on and off for the whole process."""
    from transformers.utils import logging

    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
