"""Times as histograms: which bucket a time falls into, and the median and other quantiles that a histogram tells.

Each bound is a fifth more than the one before, so a quantile is off by a tenth of itself at most.
"""

from collections.abc import Mapping

FIRST, GROWTH, LAST = 0.1, 1.2, 100_000.0  # seconds


def _bounds() -> tuple[float, ...]:
    found = [FIRST]
    while found[-1] < LAST:
        found.append(round(found[-1] * GROWTH, 4))
    return tuple(found)


# Bucket n (0 and up) holds times from BOUNDS[n - 1] up to, and without, BOUNDS[n]: as PostgreSQL's width_bucket has it.
BOUNDS = _bounds()


def quantile(histogram: Mapping[int, int], share: float) -> float | None:
    """The time in seconds that this share of all does not exceed; None for an empty histogram.

    Within a bucket, times are taken to be spread evenly.
    """
    wanted, before = sum(histogram.values()) * share, 0
    for bucket, count in sorted(histogram.items()):
        if count and before + count >= wanted:
            low, high = _edges(bucket)
            return low + (high - low) * (wanted - before) / count
        before += count
    return None


def _edges(bucket: int) -> tuple[float, float]:
    """What is beyond the last bound counts as the last bound."""
    low = BOUNDS[bucket - 1] if bucket else 0.0
    return low, BOUNDS[min(bucket, len(BOUNDS) - 1)]
