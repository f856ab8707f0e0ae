"""What collecting benchmarks says of the check `benchmark_parsed`."""

from collections import Counter

import dagster as dg

from fund_assets.checks.catalog import BENCHMARK_PARSED, LEAST_PARSED
from fund_assets.checks.results import check_result


def benchmark_result(
    states: dict[str, int], not_understood: Counter[str]
) -> dg.AssetCheckResult:
    """How many of the texts that funds disclose were parsed, and what was not understood.

    Args:
        states: status → funds that have it, `undisclosed` among them.
        not_understood: part of a text → in how many funds it stands.
    """
    disclosed = sum(n for state, n in states.items() if state != "undisclosed")
    parsed = states.get("parsed", 0)
    few = disclosed > 0 and parsed < LEAST_PARSED * disclosed
    named = [f"{part}: in {count:,} funds" for part, count in not_understood.most_common()]
    return check_result(
        BENCHMARK_PARSED,
        looked_at=disclosed,
        cases=named or [],
        failed=disclosed - parsed if few else 0,
        told={
            "parsed_share": round(parsed / disclosed, 4) if disclosed else 1.0,
            "not_parsed": disclosed - parsed,
            "undisclosed": states.get("undisclosed", 0),
        },
    )
