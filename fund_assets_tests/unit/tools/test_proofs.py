"""The command that holds docs/returns.md against its figures: what it must not let pass."""

import pandas as pd

from fund_assets_tests.real_data import proofs

PAGE = """
| published, with a NAV at the window's start | 3 | 2 |
| equal to the last digit | 1 | |
| every return equal | | 1 |
| different | 2 | 1 |
| `unrecorded_dividend` | 2 | 1 |
| located on its day | | 1 |

| fund | windows | published return is higher by the factor | why |
|---|---|---|---|
| 000002 | 6m, 1y | 0.96, 4.4 % | one dividend |

Other words.
"""


def table():
    rows = [
        ("000001", "6m", 1.0, "equal", None),
        ("000001", "1y", 1.0, "not_compared", None),
        ("000002", "6m", 0.9615, "unrecorded_dividend", 20251030),
        ("000002", "1y", 4.41, "unrecorded_dividend", 20251030),
    ]
    names = ["fund_code", "window", "factor", "verdict", "located_on"]
    frame = pd.DataFrame(rows, columns=names)
    frame["factor"] /= 100
    return frame.assign(ours=10.0, theirs=11.0)


def contradictions(page, ranks):
    proof = proofs.Proof(page)
    proofs.prove_rank(proof, ranks, page)
    return proof.wrong


def test_a_page_that_says_what_is_computed_stands(capsys):
    """Stops a right page from being called wrong, and an exception without its reason."""
    assert contradictions(PAGE, table()) == []
    why = "(published 11.00, unrecorded_dividend)"
    assert f"000002: 6m 10.00 {why}, 1y 10.00 {why}: one dividend" in capsys.readouterr().out


def test_every_contradiction_is_told():
    """Stops a figure, an exception, its windows or its factor from differing unseen."""
    (told,) = contradictions(PAGE.replace("| 1 | |\n", "| 2 | |\n", 1), table())
    assert told == "docs/returns.md does not say: | equal to the last digit | 1 | |"
    (told,) = contradictions(PAGE.replace("day | | 1 |", "day | | 0 |"), table())
    assert told == "docs/returns.md does not say: | located on its day | | 1 |"
    assert contradictions(PAGE.replace("0.96, 4.4", "0.97, 4.4"), table()) == [
        "000002: 0.962 % higher, docs/returns.md says ['0.97', '4.4']"
    ]
    assert contradictions(PAGE.replace("6m, 1y |", "1y |"), table()) == [
        "000002 differs in ['6m', '1y'], docs/returns.md says ['1y']"
    ]
    told = contradictions(PAGE.replace("| 000002 |", "| 000003 |"), table())
    assert told[0] == "000003 is no exception, docs/returns.md lists it"
    assert "000002 differs in ['6m', '1y'], docs/returns.md says []" in told


def test_without_real_data_the_command_says_so(monkeypatch, tmp_path, capsys):
    """Stops absent data from looking like proof."""
    both = pd.DataFrame({"fund_code": ["000001"], "ours": [1.0], "truth": [1.0 + 2e-9]})
    monkeypatch.setenv("FUND_REAL_DATA", str(tmp_path))
    monkeypatch.setattr(proofs.evidence, "simulated_beside_truth", lambda _: both)
    assert proofs.main() == 1, "the truth is missed by more than nine digits"
    page = tmp_path / "returns.md"
    page.write_text("the index of each of 1 funds equals the truth to nine digits", "utf-8")
    monkeypatch.setattr(proofs, "PAGE", page)
    monkeypatch.setattr(
        proofs.evidence, "simulated_beside_truth", lambda _: both.assign(ours=both["truth"])
    )
    assert proofs.main() == 2
    assert f"real fund data is absent: {tmp_path}" in capsys.readouterr().out
