"""Keyed noise: published vectors, scipy's quantiles, and the same bits for a patient wherever it is drawn."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
import torch
from scipy import special, stats

from nosograph.causal.program import noise
from nosograph.causal.program.noise import draw_normal, draw_uniform, draw_uniform64

DRAWS = [draw_normal, draw_uniform, draw_uniform64]
EVERYONE = np.arange(20_000)


# Random123, tests/kat_vectors: philox4x32 10, counter, key, answer.
@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_gives_random123s_known_answers(counter: str, key: str, answer: str) -> None:
    low, high = (int(word, 16) for word in key.split())
    words = philox([int(word, 16) for word in counter.split()], low + (high << 32))
    assert [f"{word:08x}" for word in words] == answer.split()


def philox(counter: list[int], key: int) -> list[int]:
    column = np.array(counter, dtype=np.uint32)[:, None]
    noise._philox(column, 1, np.uint64(key))
    return column[:, 0].tolist()


def test_a_draw_is_the_philox_word_of_its_patient_and_step() -> None:
    patients = np.array([0, 7, 2**32 - 1, 2**32 + 7, 2**62])
    key = int(noise._key(3, "amyloid", "world", ""))
    drawn = draw_uniform64(seed=3, name="amyloid", patients=patients, steps=range(5, 11)).numpy()
    for s, step in enumerate(range(5, 11)):
        for i, patient in enumerate(patients.tolist()):
            word = philox([patient & 0xFFFFFFFF, patient >> 32, step // 4, 0], key)[step % 4]
            assert drawn[s, i] == (word + 0.5) / 2**32


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("shard", [777, 131, 1])
def test_shards_windows_and_order_change_no_bit(draw, shard) -> None:
    patients = EVERYONE + 2**32 - 10_000 if shard != 1 else EVERYONE[:300] + 2**40
    whole = draw(seed=1, name="tau", patients=patients, steps=11)
    pieces = [
        torch.cat([draw(seed=1, name="tau", patients=part, steps=window) for window in (range(3), range(3, 11))])
        for part in np.split(patients, range(shard, len(patients), shard))
    ]
    assert torch.equal(torch.cat(pieces, dim=1), whole)
    order = np.random.default_rng(0).permutation(len(patients))
    assert torch.equal(draw(seed=1, name="tau", patients=torch.from_numpy(patients[order]), steps=11), whole[:, order])
    strided = np.repeat(patients, 3)[::3]
    assert torch.equal(draw(seed=1, name="tau", patients=strided, steps=range(10, 11))[0], whole[10])


def test_every_part_of_the_key_matters_and_none_runs_into_the_next() -> None:
    keys = [(0, "a", "b", "c"), (1, "a", "b", "c"), (0, "ab", "", "c"), (0, "a", "bc", ""), (0, "a", "b", "cc")]
    keys += [(-1, "a", "b", "c"), (2**64, "a", "b", "c"), (0, "é", "b", "c"), (0, 'a", "b', "", "c")]
    assert len({int(noise._key(*key)) for key in keys}) == len(keys)
    # `printf %s "[0, \"amyloid\", \"world\", \"\"]" | b2sum -l 64`, read as a little-endian number
    assert int(noise._key(0, "amyloid", "world", "")) == 10948314707520320722


def small_side(words: np.ndarray) -> np.ndarray:
    """scipy's quantile of (word + 1/2) / 2**32 in float64, from the nearer tail."""
    small = np.minimum(words, ~words)
    return special.ndtri((small + 0.5) * 2.0**-32) * np.where(words < 2**31, 1, -1)


def test_normal_agrees_with_scipy_to_a_few_float32_steps() -> None:
    spread = np.random.default_rng(0).integers(0, 2**32, 1_000_000, dtype=np.uint32)
    ends = np.concatenate([np.arange(50_000), 2**31 - np.arange(50_000), (2**31 * np.arange(0.07, 0.08, 1e-7))])
    words = np.concatenate([spread, ends.astype(np.uint32), ~ends.astype(np.uint32), spread >> 12])
    out = np.empty(len(words), np.float32)
    noise._transform(noise.NORMAL, words, out)
    assert np.abs(out / small_side(words) - 1).max() < 5e-7
    assert np.array_equal(out, -noise_of(~words))  # the two sides mirror each other exactly


def noise_of(words: np.ndarray) -> np.ndarray:
    out = np.empty(len(words), np.float32)
    noise._transform(noise.NORMAL, words, out)
    return out


def test_uniforms_stay_inside_and_keep_their_tails() -> None:
    words = np.array([0, 1, 2**24, 2**32 - 2**8, 2**32 - 2, 2**32 - 1], dtype=np.uint32)
    single, double = np.empty(6, np.float32), np.empty(6)
    noise._transform(noise.UNIFORM, words, single)
    noise._transform(noise.UNIFORM64, words, double)
    assert single[0] == 2.0**-33
    assert single[1] == np.float32(1.5 * 2.0**-32)
    assert single.max() == np.float32(1 - 2**-24)
    assert double.tolist() == [(word + 0.5) / 2**32 for word in words.tolist()]


def test_log_agrees_with_numpys() -> None:
    x = np.logspace(-33 * np.log10(2), np.log10(0.5), 20_001).astype(np.float32)
    ours = np.array([noise._log(value) for value in x])
    assert np.abs(ours / np.log(x.astype(np.float64)) - 1).max() < 3e-7


def test_empty_draws_have_a_shape_and_bad_windows_are_refused() -> None:
    assert draw_normal(seed=0, name="x", patients=np.arange(0), steps=3).shape == (3, 0)
    assert draw_normal(seed=0, name="x", patients=np.arange(3), steps=0).shape == (0, 3)
    with pytest.raises(ValueError, match="consecutive"):
        draw_normal(seed=0, name="x", patients=np.arange(3), steps=range(0, 9, 2))


def test_normals_and_uniforms_have_their_distributions() -> None:
    """Kolmogorov-Smirnov on 1.2 million draws, each test's false alarm 1e-6."""
    z = draw_normal(seed=0, name="ks", patients=np.arange(10_000), steps=120).numpy().ravel()
    u = draw_uniform64(seed=0, name="ks", patients=np.arange(10_000), steps=120).numpy().ravel()
    assert stats.kstest(z, "norm").pvalue > 1e-6
    assert stats.kstest(u, "uniform").pvalue > 1e-6


@pytest.mark.verification
def test_tails_come_as_often_as_they_should() -> None:
    """Counts beyond 2, 4 and 5 in 40 million draws, each tail: six exact binomial tests, false alarm 1e-6 each."""
    counts = np.zeros((3, 2), int)
    total = 0
    for block in range(10):
        z = draw_normal(seed=0, name="tails", patients=np.arange(100_000) + block * 100_000, steps=40).numpy()
        total += z.size
        counts += [[(z < -edge).sum(), (z > edge).sum()] for edge in (2, 4, 5)]
    for row, edge in zip(counts, (2, 4, 5), strict=True):
        for count in row:
            assert stats.binomtest(int(count), total, stats.norm.sf(edge)).pvalue > 1e-6


@pytest.mark.verification
def test_neighbouring_keys_are_uncorrelated() -> None:
    """Correlations between steps, patients, names, seeds, purposes and components; false alarm 1e-6 each, and for
    squares too (dependence without correlation)."""
    patients = np.arange(100_000)
    base = draw_normal(seed=0, name="x", patients=patients, steps=20).numpy()
    others = [
        draw_normal(seed=0, name="x", patients=patients, steps=range(1, 21)).numpy(),
        draw_normal(seed=0, name="x", patients=patients + 1, steps=20).numpy(),
        draw_normal(seed=0, name="x", patients=patients + 2**32, steps=20).numpy(),
        draw_normal(seed=1, name="x", patients=patients, steps=20).numpy(),
        draw_normal(seed=0, name="y", patients=patients, steps=20).numpy(),
        draw_normal(seed=0, name="x", patients=patients, steps=20, purpose="abduction").numpy(),
        draw_normal(seed=0, name="x", patients=patients, steps=20, component="red").numpy(),
    ]
    limit = stats.norm.isf(0.5e-6) / np.sqrt(base.size)  # the standard error of a null correlation is 1/sqrt(n)
    for other in others:
        assert abs(np.corrcoef(base.ravel(), other.ravel())[0, 1]) < limit
        assert abs(np.corrcoef(base.ravel() ** 2, other.ravel() ** 2)[0, 1]) < limit


def test_without_a_folder_to_keep_it_in_a_kernel_still_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_ = numba.njit

    def refuse_to_keep(*kernel: Any, **options: Any) -> Any:
        wrap = compile_(**options)

        def wrapped(function: Any) -> Any:
            if options.get("cache"):
                raise RuntimeError("cannot cache function: no locator available")
            return wrap(function)

        return wrapped(*kernel) if kernel else wrapped

    monkeypatch.setattr(numba, "njit", refuse_to_keep)
    assert noise.compile_kernel(lambda x: x + 1)(2) == 3


@pytest.mark.verification
def test_bits_are_the_same_on_a_processor_with_other_vectors(tmp_path: Path) -> None:
    """Exact: the same draws compiled for this processor, for 128-bit and for 256-bit vectors with fused arithmetic."""
    program = (
        "import numpy as np, hashlib; from nosograph.causal.program.noise import *\n"
        "draws = [d(seed=5, name='x', patients=np.arange(20_000), steps=9).numpy().tobytes()"
        " for d in (draw_normal, draw_uniform, draw_uniform64)]\n"
        "print(hashlib.sha256(b''.join(draws)).hexdigest())"
    )
    generic = {"NUMBA_CPU_NAME": "generic", "NUMBA_CACHE_DIR": str(tmp_path)}
    processors = [{}, {**generic, "NUMBA_CPU_FEATURES": ""}, {**generic, "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma"}]
    hashes = {
        subprocess.check_output([sys.executable, "-c", program], env={**os.environ, **processor}, text=True)
        for processor in processors
    }
    assert len(hashes) == 1
