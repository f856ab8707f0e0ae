"""The command that plays the fault matrix: python -m fund_assets_tests.faults.matrix."""

import argparse
import logging
import sys
import warnings

from fund_assets_tests.faults.cells import CELLS
from fund_assets_tests.faults.play import a_stage


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cells whose name contains this")
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    cells = [cell for cell in CELLS if chosen.only in cell.name]
    well = 0
    with a_stage() as stage:
        for cell in cells:
            played = stage.play(cell)
            well += not played.wrong
            told = ", ".join(sorted(played.told)) or "none"
            print(f"{'ok ' if not played.wrong else 'NOT'} {cell.name:60} {played.end:12} {told:24} {played.seconds:5.1f} s", flush=True)
            for wrong in played.wrong:
                print(f"      {wrong}", flush=True)
    print(f"{well} of {len(cells)} cells hold")
    return 0 if well == len(cells) else 1


if __name__ == "__main__":
    sys.exit(main())
