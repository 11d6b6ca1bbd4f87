"""Exogenous noise: every draw is a pure function of (seed, name, purpose, component, patient number, step).

The bits are those of the counter-based generator Philox4x32-10 (J. K. Salmon et al., "Parallel random numbers: as easy
as 1, 2, 3", SC11, doi:10.1145/2063384.2063405). The key is a hash of (seed, name, purpose, component); the counter is
(patient, step // 4), so that one block of four words serves four consecutive steps of one patient.

Only additions, multiplications, divisions, square roots and integer operations are used, each rounded by IEEE 754, so
a draw has the same bits whatever the batch, its order, the vector width or the processor.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

import numba
import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import check_whole

Kernel = TypeVar("Kernel", bound=Callable[..., Any])
Patients = torch.Tensor | NDArray[np.int64]

WORDS = 4  # in one Philox block: consecutive steps of one patient
CHUNK = 1024  # patients per chunk: their words fit in the first-level cache
NORMAL, UNIFORM, UNIFORM64 = 0, 1, 2
BELOW_ONE = np.float32(1 - 2**-24)  # the largest float32 under 1


def _compile(kernel: Kernel) -> Kernel:
    """Compile `kernel` with numba, without reordering arithmetic.

    Not cached on disk: numba cannot inline cached kernels, so loops that call them do not vectorise (8 times slower).
    """
    return cast(Kernel, numba.njit(error_model="numpy")(kernel))


def compile_kernel(kernel: Kernel) -> Kernel:
    """As `_compile`, but cached on disk for later processes if numba finds a writable folder.

    Only for kernels called from Python, never for those called by other kernels (see `_compile`).
    """
    try:
        return cast(Kernel, numba.njit(error_model="numpy", cache=True)(kernel))
    except RuntimeError:  # numba found no such folder
        return _compile(kernel)


@_compile
def _philox(counters: NDArray[np.uint32], count: int, key: np.uint64) -> None:
    """Ten rounds of Philox4x32, in place: each of the first `count` columns of `counters` (4, n) becomes its block.

    Round by round over the columns, because LLVM vectorises that loop (4 times faster).
    """
    k0, k1 = np.uint32(key), np.uint32(key >> np.uint64(32))
    for _ in range(10):
        for i in range(count):
            p0 = np.uint64(0xD2511F53) * np.uint64(counters[0, i])
            p1 = np.uint64(0xCD9E8D57) * np.uint64(counters[2, i])
            counters[0, i] = np.uint32(p1 >> np.uint64(32)) ^ counters[1, i] ^ k0
            counters[1, i] = np.uint32(p1)
            counters[2, i] = np.uint32(p0 >> np.uint64(32)) ^ counters[3, i] ^ k1
            counters[3, i] = np.uint32(p0)
        k0 = np.uint32(k0 + np.uint32(0x9E3779B9))
        k1 = np.uint32(k1 + np.uint32(0xBB67AE85))


@_compile
def _log(x: np.float32) -> np.float32:
    """Natural logarithm of a positive normal float32: exponent and mantissa, then the series of artanh."""
    bits = np.float32(x).view(np.int32)
    exponent = (bits - np.int32(0x3F3504F3)) >> np.int32(23)
    mantissa = np.int32(bits - (exponent << np.int32(23))).view(np.float32)  # in [sqrt(1/2), sqrt(2))
    s = (mantissa - np.float32(1)) / (mantissa + np.float32(1))
    z = s * s
    series = np.float32(1 / 9)
    series = series * z + np.float32(1 / 7)
    series = series * z + np.float32(1 / 5)
    series = series * z + np.float32(1 / 3)
    series = series * z + np.float32(1)
    return np.float32(exponent) * np.float32(0.6931471805599453) + np.float32(2) * s * series


@_compile
def _normal(word: np.uint32) -> np.float32:
    """The standard normal quantile of (word + 1/2) / 2**32, from the side of the nearer tail.

    M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988)
    477-484, routine PPND7 (one part in 10**7). Its third region, probabilities under 1.4e-11, is never reached.
    """
    below = word < np.uint32(0x80000000)
    small = word if below else np.uint32(~word)
    half = np.float32(0.5)
    p = (np.float32(np.int32(small)) + half) * np.float32(2.0**-32)
    q = (np.float32(np.int32(np.uint32(0x7FFFFFFF) - small)) + half) * np.float32(2.0**-32)  # 1/2 - p
    r = np.float32(0.180625) - q * q
    top = ((np.float32(59.109374720) * r + np.float32(159.29113202)) * r + np.float32(50.434271938)) * r
    low = ((np.float32(67.187563600) * r + np.float32(78.757757664)) * r + np.float32(17.895169469)) * r
    central = q * ((top + np.float32(3.3871327179)) / (low + np.float32(1)))
    r = np.sqrt(-_log(p)) - np.float32(1.6)
    top = ((np.float32(0.17023821103) * r + np.float32(1.3067284816)) * r + np.float32(2.7568153900)) * r
    low = (np.float32(0.12021132975) * r + np.float32(0.73700164250)) * r
    tail = (top + np.float32(1.4234372777)) / (low + np.float32(1))
    inner = np.float32(q <= np.float32(0.425))  # select by arithmetic: exact, and it vectorises
    size = inner * central + (np.float32(1) - inner) * tail
    return np.float32(-size if below else size)


@_compile
def _count(patients: NDArray[np.int64], quad: int, counters: NDArray[np.uint32]) -> None:
    """The counters of `patients` for steps 4 * quad to 4 * quad + 3."""
    for i in range(len(patients)):
        patient = np.uint64(patients[i])
        counters[0, i] = np.uint32(patient)
        counters[1, i] = np.uint32(patient >> np.uint64(32))
        counters[2, i] = np.uint32(quad)
        counters[3, i] = np.uint32(0)


@_compile
def _transform(kind: int, words: NDArray[np.uint32], out: NDArray[Any]) -> None:
    if kind == NORMAL:
        for i in range(len(out)):
            out[i] = _normal(words[i])
    elif kind == UNIFORM:
        for i in range(len(out)):
            out[i] = min(np.float32((np.float64(words[i]) + 0.5) * 2.0**-32), BELOW_ONE)
    else:
        for i in range(len(out)):
            out[i] = (np.float64(words[i]) + 0.5) * 2.0**-32


@compile_kernel
def _fill(kind: int, key: np.uint64, patients: NDArray[np.int64], first: int, out: NDArray[Any]) -> None:
    """out[s, i]: the draw of patients[i] at step first + s."""
    words = np.empty((WORDS, CHUNK), np.uint32)
    last = first + out.shape[0]
    for quad in range(first // WORDS, (last + WORDS - 1) // WORDS):
        for start in range(0, len(patients), CHUNK):
            stop = min(start + CHUNK, len(patients))
            _count(patients[start:stop], quad, words)
            _philox(words, stop - start, key)
            for step in range(max(first, quad * WORDS), min(last, (quad + 1) * WORDS)):
                _transform(kind, words[step - quad * WORDS], out[step - first, start:stop])


def check_seed(seed: int) -> int:
    """`seed`, where it is one. Raises NosographError elsewhere."""
    return check_whole(seed, "a seed", least=0, fix="--seed 0")


def _key(seed: int, name: str, purpose: str, component: str) -> np.uint64:
    """A 64-bit key, the same on every machine and in every process."""
    text = json.dumps([seed, name, purpose, component])  # unique for each combination
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))


def _draw(kind: int, dtype: type, key: np.uint64, patients: Patients, steps: range | int) -> torch.Tensor:
    numbers = np.ascontiguousarray(patients, dtype=np.int64)
    window = range(steps) if isinstance(steps, int) else steps
    if window.step != 1 or window.start < 0:
        raise ValueError(f"steps are consecutive and start at 0 or later, not {window}")
    out: NDArray[Any] = np.empty((len(window), len(numbers)), dtype)
    _fill(kind, key, numbers, window.start, out)
    return torch.from_numpy(out)


def draw_normal(
    *, seed: int, name: str, patients: Patients, steps: range | int, purpose: str = "world", component: str = ""
) -> torch.Tensor:
    """Standard normal noise, float32 (steps, patients).

    `patients` are numbers from 0 (int64), in any order; `steps` is a range, or a count from step 0. A draw depends only
    on seed, name, purpose, component, patient number and step. It is the normal quantile of a 32-bit uniform, so its
    tails reach to probability 2**-33 (6.3 standard deviations) on both sides.
    """
    return _draw(NORMAL, np.float32, _key(seed, name, purpose, component), patients, steps)


def draw_uniform(
    *, seed: int, name: str, patients: Patients, steps: range | int, purpose: str = "world", component: str = ""
) -> torch.Tensor:
    """Uniform noise strictly inside (0, 1), float32 (steps, patients), keyed as `draw_normal`.

    It is (word + 1/2) / 2**32 rounded to float32: almost exact near 0, and at most 1 - 2**-24. It can be
    compared with a small probability directly; if the upper tail matters too, use `draw_uniform64`.
    """
    return _draw(UNIFORM, np.float32, _key(seed, name, purpose, component), patients, steps)


def draw_uniform64(
    *, seed: int, name: str, patients: Patients, steps: range | int, purpose: str = "world", component: str = ""
) -> torch.Tensor:
    """The same uniform as `draw_uniform`, unrounded: float64 (steps, patients), both tails exact to 2**-33."""
    return _draw(UNIFORM64, np.float64, _key(seed, name, purpose, component), patients, steps)


def draw_number(*, seed: int, name: str, patient: int, step: int, purpose: str = "world", component: str = "") -> float:
    """One uniform, the same bits as `draw_uniform64`; 4 times faster for single draws."""
    out = np.empty((1, 1))
    _fill(UNIFORM64, _kept_key(seed, name, purpose, component), np.array([patient], np.int64), step, out)
    return float(out[0, 0])


_kept_key = lru_cache(maxsize=2**16)(_key)


DRAWS = {"normal": draw_normal, "uniform": draw_uniform, "uniform64": draw_uniform64}  # by a family's kind of noise
