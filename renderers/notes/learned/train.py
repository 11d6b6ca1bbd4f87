"""Train a small transformer that rewrites notes, on a folder of texts with facts: an encoder and decoder from scratch.

The architecture is T5's (C. Raffel et al., "Exploring the limits of transfer learning with a unified text-to-text
transformer", JMLR 21:140, 2020), the vocabulary byte-pair encoding with slots as words of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....errors import fail
from .checkpoint import SLOTTED
from .corpus import Pair, read_corpus
from .slots import SLOTS, strip_slots

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast, T5ForConditionalGeneration

STEPS = 2500
BATCH = 64  # pairs in a step
RATE, WARM_UP = 2e-3, 100  # AdamW's greatest learning rate, and the steps until it is reached
LONGEST = 128  # tokens: longer sentences are cut
WORDS = 2000  # of the vocabulary, at most
LAST = 100  # steps whose mean loss is told
PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
SIZE = {"d_model": 160, "d_kv": 32, "d_ff": 448, "num_heads": 5, "num_layers": 3, "num_decoder_layers": 3}


@dataclass(frozen=True)
class Training:
    """What was trained, on how many sentences (`pairs`): `loss` is the mean cross-entropy of a token over the last
    steps, in nats."""

    folder: Path
    steps: int
    pairs: int
    parameters: int
    loss: float


def train_rewriter(
    out: Path,
    *,
    corpus: Path,
    steps: int = STEPS,
    seed: int = 0,
    progress: Callable[[int], None] = lambda steps: None,
) -> Training:
    """Train a rewriter on a corpus (see `read_corpus`) and write its checkpoint into the new folder `out`; the same
    arguments give the same weights.

    It learns to write each sentence from the facts that the sentence tells, with slots in their place. Raises
    NosographError where `out` holds anything, for less than one step, and for what is no corpus.
    """
    import torch

    if steps < 1:
        raise fail("training takes at least one step", value=steps, fix=f"--steps {STEPS}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise fail("the folder for the checkpoint is not empty", value=out, fix="a new folder: --out rewriter")
    pairs = read_corpus(corpus)
    tokenizer = build_vocabulary(pairs)
    losses = []
    with torch.random.fork_rng(devices=[]):  # dropout draws from the generator that is everybody's
        torch.manual_seed(seed)
        model = build_model(tokenizer)
        for loss in fit(model, tokenizer, pairs, steps=steps):
            losses.append(loss)
            progress(1)
    save(model, tokenizer, out)
    last = losses[-LAST:]
    count = sum(weights.numel() for weights in model.parameters())
    return Training(out, steps, len(pairs), count, sum(last) / len(last))


def build_vocabulary(pairs: Iterable[Pair]) -> PreTrainedTokenizerFast:
    """Byte-pair encoding of the words between slots."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS,
        special_tokens=[PAD, END, UNKNOWN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((strip_slots(text) for pair in pairs for text in pair), trainer)
    tokenizer.add_tokens([AddedToken(slot, normalized=False) for slot in SLOTS])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, tokenizer.token_to_id(END))]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, unk_token=UNKNOWN)


def build_model(tokenizer: PreTrainedTokenizerFast) -> T5ForConditionalGeneration:
    from transformers import T5Config, T5ForConditionalGeneration

    options: dict[str, Any] = {
        **SIZE,
        "vocab_size": len(tokenizer),
        "relative_attention_max_distance": LONGEST,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "decoder_start_token_id": tokenizer.pad_token_id,
        SLOTTED: True,
    }
    return T5ForConditionalGeneration(T5Config(**options))


def fit(
    model: T5ForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, pairs: Sequence[Pair], *, steps: int
) -> Iterator[float]:
    """Take `steps` of AdamW, and yield each one's loss. The rate rises over `WARM_UP` steps and falls as a cosine."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    warm = min(WARM_UP, steps)

    def scale(step: int) -> float:
        return (
            (step + 1) / warm if step < warm else 0.5 + 0.5 * math.cos(math.pi * (step - warm) / max(steps - warm, 1))
        )

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, scale)
    model.train()
    for _, batch in zip(range(steps), _batches(tokenizer, pairs), strict=False):
        loss = model(**batch).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        yield float(loss.detach())


def _batches(tokenizer: PreTrainedTokenizerFast, pairs: Sequence[Pair]) -> Iterator[dict[str, torch.Tensor]]:
    """Batches without end: pass after pass over the pairs, in another order each time."""
    import torch

    while True:
        order = torch.randperm(len(pairs)).tolist()
        for start in range(0, len(order), BATCH):
            yield _encode(tokenizer, [pairs[index] for index in order[start : start + BATCH]])


def _encode(tokenizer: PreTrainedTokenizerFast, pairs: Sequence[Pair]) -> dict[str, torch.Tensor]:
    options: dict[str, Any] = {"return_tensors": "pt", "padding": True, "truncation": True, "max_length": LONGEST}
    read = tokenizer([question for question, _ in pairs], **options)
    written = tokenizer([sentence for _, sentence in pairs], **options)
    labels = written.input_ids.masked_fill(written.attention_mask == 0, -100)
    return {"input_ids": read.input_ids, "attention_mask": read.attention_mask, "labels": labels}


def save(model: T5ForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """The checkpoint as transformers reads it, its weights in half precision and safetensors."""
    model.generation_config.update(do_sample=True, temperature=0.7, top_p=0.95, max_new_tokens=LONGEST)
    out.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(out, safe_serialization=True)
    tokenizer.save_pretrained(out)
