"""The figures of docs/returns.md, computed anew and looked for on the page:

    python -m fund_assets_tests.real_data.proofs

Belongs here: printing figures, and comparing them with what the page says of them. Does not
belong here: how they are computed (`evidence.py`). The page is the one place that states
them: exits with 1 when it says something else, with 2 when there is no real data to
compute them from.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from fund_assets.schemas.columns import RETURN_STATUSES
from fund_assets_tests import real_data
from fund_assets_tests.real_data import evidence

PAGE = Path(__file__).resolve().parents[2] / "docs" / "returns.md"
#: What "to nine digits" means.
NINE_DIGITS = 1e-9


class Proof:
    """Prints figures as they come and keeps which of them the page contradicts."""

    def __init__(self, page: str) -> None:
        self.page = " ".join(page.split())
        self.wrong: list[str] = []

    def state(self, words: str) -> None:
        """A figure in the very words of the page, whatever its line breaks."""
        print(f"  {words}")
        if words not in self.page:
            self.fail(f"docs/returns.md does not say: {words}")

    def fail(self, words: str) -> None:
        """A contradiction."""
        print(f"  ✗ {words}")
        self.wrong.append(words)


def stated_exceptions(page: str) -> dict[str, tuple[list[str], list[str], str]]:
    """Fund code → (windows, factors in percent as written, reason) of the page's table."""
    lines = iter(page.splitlines())
    for line in lines:
        if line.startswith("| fund | windows |"):
            break
    next(lines, None)
    found = {}
    for line in lines:
        if not line.startswith("|"):
            break
        codes, windows, factors, reason = (cell.strip() for cell in line.strip("|").split("|"))
        for code in codes.split(", "):
            found[code] = (
                windows.split(", "),
                factors.removesuffix(" %").split(", "),
                reason,
            )
    return found


def prove_payloads(proof: Proof, folder: Path) -> None:
    """The four returns that each recorded answer states."""
    print("\nRecorded answers: return in percent, ours and the source's")
    equal = 0
    for name in evidence.RECORDED:
        code = name.partition("_")[0]
        found = evidence.agreement_of(evidence.recorded_payload(folder, name), code)
        for row in found.itertuples():
            print(f"  {code} {row.window}  {row.ours:8.2f}  {row.theirs:8.2f}")
        equal += int((found["verdict"] == "equal").sum())
        told = [f"{value:.2f}".replace("-", "−") for value in found["theirs"]]
        proof.state(f"{', '.join(told[:-1])} and {told[-1]} % over 1, 3, 6 and 12 months")
    proof.state(
        f"{equal} of {4 * len(evidence.RECORDED)} returns of recorded answers are equal"
    )


def prove_statuses(proof: Proof, steps: pd.DataFrame) -> None:
    """How many real steps have which status."""
    print(f"\nStatuses of {len(steps):,} real steps of {steps['fund_code'].nunique()} funds")
    counts = np.bincount(steps["status"], minlength=len(RETURN_STATUSES)).tolist()
    for status, count in list(zip(RETURN_STATUSES, counts, strict=True))[1:]:
        proof.state(f"| `{status}` | {count:,} |")


def prove_inference(proof: Proof, inference: evidence.Inference) -> None:
    """What is found of the recorded events, and how exactly."""
    print("\nInference, all recorded dividends and splits withheld")
    known, found, both = len(inference.known), len(inference.found), len(inference.both)
    error = inference.error
    exact = int((error < 0.00005).sum())
    for words in (
        f"| recorded events with a NAV before them | {known} |",
        f"| found (recall) | {both}: {100 * both / known:.1f} % |",
        f"| inferred where none was recorded (precision) | {found - both} of {found}: "
        f"{100 * both / found:.3g} % |",
        f"| of the right kind | {len(error)} |",
        f"| exact to 0.00005 yuan per share | {exact} of {len(error)}; "
        f"the largest error is {error.max():.1g} |",
    ):
        proof.state(words)


def prove_splits(proof: Proof, splits: pd.DataFrame) -> None:
    """What is found of recorded splits of other histories."""
    print("\nInference of splits, all recorded events withheld")
    found = int(splits["kind_found"].notna().sum())
    proof.state(f"| recorded splits | {len(splits)} |")
    proof.state(f"| found on their day (recall) | {found}: {100 * found / len(splits):.0f} % |")


def prove_rank(proof: Proof, table: pd.DataFrame, page: str) -> None:
    """How many returns of the rank list are ours, and why the others are not."""
    print("\nRank list of 2026-04-27: returns over a week, 1, 3, 6 and 12 months")
    table = table[table["verdict"] != "not_compared"]
    equal = table["verdict"] == "equal"
    apart = table[~equal]
    funds, different = table["fund_code"].nunique(), apart["fund_code"].nunique()
    proof.state(f"| published, with a NAV at the window's start | {len(table):,} | {funds} |")
    proof.state(f"| equal to the last digit | {int(equal.sum()):,} | |")
    proof.state(f"| every return equal | | {funds - different} |")
    proof.state(f"| different | {len(apart)} | {different} |")
    for verdict, rows in apart.groupby("verdict"):
        proof.state(f"| `{verdict}` | {len(rows)} | {rows['fund_code'].nunique()} |")
    located = apart.dropna(subset="located_on")["fund_code"].nunique()
    proof.state(f"| located on its day | | {located} |")
    stated = stated_exceptions(page)
    for code in sorted(stated.keys() - set(apart["fund_code"])):
        proof.fail(f"{code} is no exception, docs/returns.md lists it")
    for code, rows in apart.groupby("fund_code"):
        windows, factors, reason = stated.get(code, ([], [], "docs/returns.md does not say"))
        found = rows["window"].tolist()
        told = ", ".join(
            f"{row.window} {row.ours:.2f} (published {row.theirs:.2f}, {row.verdict})"
            for row in rows.itertuples()
        )
        print(f"  {code}: {told}: {reason}")
        if found != windows:
            proof.fail(f"{code} differs in {found}, docs/returns.md says {windows}")
        for factor in 100 * rows["factor"]:
            if not any(f"{factor:.{_decimals(text)}f}" == text for text in factors):
                proof.fail(f"{code}: {factor:.3f} % higher, docs/returns.md says {factors}")


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])


def prove_income(proof: Proof, incomes: pd.DataFrame) -> None:
    """What the 7-day yields say of real incomes."""
    print(f"\nIncomes of {incomes['fund_code'].nunique()} money-market funds")
    funds = incomes["fund_code"].nunique()
    proof.state(f"all real incomes at hand, {len(incomes):,} of {funds} funds")
    error = incomes["error_pct"].abs()
    whole, cut = error[~incomes["cut"]].dropna(), error[incomes["cut"]]
    proof.state(f"| weeks of seven known days | {len(whole):,} |")
    for limit in (0.005, 0.03):
        agree = (whole <= limit).sum()
        proof.state(f"| agree to {limit:g} percent points | {agree:,} |")
    words = "weeks that begin inside a sum, which counts by its share"
    proof.state(f"| {words} | {len(cut)} |")
    proof.state(f"| agree to 0.06 percent points | {(cut <= 0.06).sum()} |")
    late = incomes[incomes["gap"] > 1]
    proof.state(f"| figures with days before them that have no row | {len(late)} |")
    days = late["days_covered"]
    sums = f"{(days == 2).sum()} of two days, {(days == 8).sum()} of eight"
    proof.state(f"| sums of these days | {(days == late['gap']).sum()}: {sums}")
    proof.state(f"| the yields say that days are missing | {(days < late['gap']).sum()} |")
    held = incomes["contradicted"] | incomes["overlap"]
    proof.state(f"| incomes held | {held.sum()} |")


def prove_simulated(proof: Proof, both: pd.DataFrame) -> None:
    """Whether the index is the truth where the truth is known."""
    print("\nSimulated market, all events known: our index beside the truth")
    off = (both["ours"] / both["truth"] - 1).abs().max()
    funds = both["fund_code"].nunique()
    print(f"  {funds} funds, {len(both):,} rows, largest difference {off:.1e} of the index")
    proof.state(f"the index of each of {funds} funds equals the truth to nine digits")
    if not off < NINE_DIGITS:
        proof.fail(f"{off:.1e} is more than nine digits allow")


def main() -> int:
    """Compute, print and compare everything; returns the exit code."""
    page = PAGE.read_text(encoding="utf-8")
    proof = Proof(page)
    absent, folder = real_data.absence(), real_data.folder()
    if not absent:
        recorded, histories = (
            evidence.read_recorded(folder),
            evidence.read_histories(folder),
        )
        prove_payloads(proof, folder)
        rank = evidence.read_rank(folder)
        inference = evidence.withheld(histories, recorded)
        listed = evidence.read_listed(folder, rank)
        steps = evidence.listed_index(listed, recorded, inference.blind)
        prove_rank(proof, evidence.beside_published(steps, "index", rank), page)
        prove_inference(proof, inference)
        prove_splits(proof, evidence.withheld_splits(folder, recorded))
        prove_statuses(proof, evidence.steps_with_all_events(histories, recorded))
        prove_income(proof, evidence.read_incomes(folder))
    with TemporaryDirectory() as state:
        prove_simulated(proof, evidence.simulated_beside_truth(Path(state)))
    print()
    if proof.wrong:
        print(f"{len(proof.wrong)} figures differ from docs/returns.md")
        return 1
    if absent:
        print(f"{absent}: only the simulated market was proven")
        return 2
    print("Every figure is the one that docs/returns.md states.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
