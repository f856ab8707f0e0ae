"""Decoding the market snapshot: our decoder against akshare's, on the same bytes.

    python benchmarks/bench_decode.py [--funds 26000] [--repeat 5]

Both run in this process on one core, without network: ours from bytes to the frames of a
wave, akshare's from the same bytes to its frame of texts (its numbers are still texts then).
Ours is the median of some runs, akshare's one run; seconds are CPU seconds.
"""

import argparse
import resource
from datetime import date
from statistics import median
from time import process_time

import numpy as np

from fund_assets.sources.eastmoney.akshare_client import replay, run
from fund_assets.sources.eastmoney.decode_snapshot import decode_snapshot
from fund_assets.transport.http_answer import Answer
from fund_assets_tests.server import wire


def snapshot_of(funds: int, seed: int = 20260104) -> bytes:
    """A snapshot of `funds` share classes, one in six not published at the newer date."""
    rng = np.random.default_rng(seed)
    unit = np.round(rng.lognormal(0.2, 0.5, funds), 4)
    step = np.round(rng.normal(0, 0.01, funds) * unit, 4)
    late = rng.random(funds) < 1 / 6
    rows = []
    for at, (now, moved, blank) in enumerate(zip(unit, step, late, strict=True)):
        before = f"{now - moved:.4f}"
        today = ("", "", "", "") if blank else (
            f"{now:.4f}", f"{now + 1:.4f}", f"{moved:.4f}", f"{100 * moved / now:.2f}"
        )  # fmt: skip
        code, name = f"{at:06d}", f"华夏成长精选混合发起式{at}C"
        rows.append((code, name, "HXCZJXHHFQSC", *today[:2], before, before, *today[2:]))
    return wire.snapshot((date(2026, 11, 20), date(2026, 11, 19)), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--funds", type=int, default=26_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    body = snapshot_of(options.funds)
    print(f"{options.funds:,} share classes, {len(body):,} bytes")

    decode_snapshot(body)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours = []
    for _ in range(options.repeat):
        start = process_time()
        decoded = decode_snapshot(body)
        ours.append(process_time() - start)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    own = median(ours)
    print(
        f"own      {own:7.3f} s  median of {options.repeat}, peak memory +{grown / 1024:.0f} MB"
    )

    answer = Answer("open_funds", "https://fund.eastmoney.com/", 200, {}, body, "")
    import akshare  # its import is not its decoder's time

    start = process_time()
    theirs = run("fund_open_fund_daily_em", replay(answer)).frame
    akshares = process_time() - start
    print(f"akshare  {akshares:7.3f} s  version {akshare.__version__}")
    assert len(theirs) == decoded.rows == options.funds
    print(f"ratio    {akshares / own:7.1f} times faster")


if __name__ == "__main__":
    main()
