"""Rules as Pandera checks, and the checks Dagster shows of them."""
