"""The causal claims of a model, counted by their evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .model import Claim


@dataclass(frozen=True)
class ClaimCounts:
    """`claims` = `cited` + `assumed`. Of the cited, `curated` come from a database whose curators read the source, and
    `recalled` were cited from memory alone. The link from a measurement to what it measures (`of`) needs no evidence:
    without any, it counts as `structural` and not as a claim."""

    claims: int
    cited: int
    curated: int
    recalled: int
    assumed: int
    structural: int


def count_claims(claims: Iterable[Claim]) -> ClaimCounts:
    """Count the claims by their evidence."""
    claims = list(claims)
    checked = [{item.checked for item in claim.evidence if not item.assumed} for claim in claims]
    cited = sum(map(bool, checked))
    structural = sum(claim.structural and not claim.evidence for claim in claims)
    return ClaimCounts(
        claims=len(claims) - structural,
        cited=cited,
        curated=sum("curated" in words and words <= {"curated", "recalled"} for words in checked),
        recalled=sum(words == {"recalled"} for words in checked),
        assumed=len(claims) - structural - cited,
        structural=structural,
    )
