"""What is done in a terminal, before, during and after the first runs.

Does not belong here: the hundred bad inputs over all commands (`integration/test_bad_inputs.py`).
"""

import csv
import json
import re
import socket
import sys
import time
from functools import partial
from typing import Any

from fund_assets_tests.reliability.gestures.walk import FIRST, MODULE, ROOT, Part, Walk

PART = Part("terminal")
ON_NOTHING = (
    "nav 000001", "metrics 000001", "compare 000001", "screen sharpe_ratio>1", "gaps",
    "export nav", "quarantine list", "report weekly", "weekly",
)  # fmt: skip
#: What is written in error, and what the sentence must hold.
REFUSED = (
    ("backfill --codes 999999", "known funds: 999999"),
    ("collect --code 99999", "six digits, such as 000001"),
    ("nav 999999", "unknown fund '999999'"),
    ("quarantine list --rule R07_nav_bound", "did you mean R07_nav_bounds?"),
    ("backfill --kind bonds", "did you mean bond?"),
    ("report weekly --week 2031-W01", "the newest are of 2026-W38"),
    ("export nav --since 2026-02-01 --until 2026-01-01", "the start is after the end"),
    ("export nav --format csv --out x.parquet", "contradicts --out x.parquet"),
    ("nav 000001 --since 20269999", "write it as 2026-11-24"),
    ("screen sharp_ratio>1", "did you mean sharpe_ratio"),
)
#: A run that its own configuration lets fail, after the funds have been listed.
NO_DATE = {"ops": {"fund_nav": {"config": {"missing_on": 20269999}}}}
OLDER_DAYS = 401

#: Runs the lines of an example and tells the frame that each gives: its kinds, columns and length.
EXAMPLE = """
import ast, json, sys
import pandas as pd
names, told = {}, []
for node in ast.parse(sys.stdin.read()).body:
    if not isinstance(node, ast.Expr):
        exec(ast.unparse(node), names)
        continue
    found = eval(ast.unparse(node.value), names)
    if isinstance(found, list):
        found = pd.DataFrame(found)
    if isinstance(found, pd.DataFrame):
        told.append({"rows": len(found), "columns": list(map(str, found.columns)),
                     "empty": int(found.isna().all(axis=1).sum()),
                     "index": sorted(map(str, found.index.unique(0)))[:99],
                     "kinds": sorted(set(found["kind"])) if "kind" in found else []})
print(json.dumps(told))
"""
API = """
from fund_assets import Funds
f = Funds()
f.nav(1)
f.nav("000001.OF")
f.nav("000001,000003")
f.metrics(["1y", "近3月"], kind="混合型")
"""


def prepare(walk: Walk) -> None:
    """A folder to work in, whose `.fund` is the market."""
    here = walk.folder / "here"
    here.mkdir()
    (here / ".fund").symlink_to(walk.folder / "state")


def run_first(walk: Walk, line: str) -> str:
    """A command that reads, where nothing has run."""
    none = walk.folder / "none"
    said = walk.fund_assets(line, code=2, FUND_STATE=str(none))
    assert said.startswith("Error: the warehouse ") and said.count("\n") == 1, said
    assert said.endswith(" yet: run `fund-assets run` first\n"), said
    assert not none.exists(), "it made the state folder"
    return "one sentence, 2, and no folder"


for _line in ON_NOTHING:
    PART.walks(9, f"`{_line}` where nothing has run")(partial(run_first, line=_line))


@PART.walks(9, "`dashboard` and `doctor` where nothing has run")
def examined(walk: Walk) -> str:
    """They say so, and what to run."""
    none = walk.folder / "none"
    for line, code in (("dashboard", 1), ("doctor", 0)):
        said = walk.fund_assets(line, code=code, FUND_STATE=str(none))
        assert "fund-assets run" in said, said
        assert not none.exists(), f"{line} made the state folder"
    return "both name `fund-assets run`"


@PART.walks(9, "`Funds()` where nothing has run")
def funds_say_the_same(walk: Walk) -> str:
    """The Python API says what the commands say."""
    none = walk.folder / "none"
    code = "from fund_assets import Funds\nfrom fund_assets.warehouse import WarehouseError\ntry:\n    Funds()\n"
    code += "except WarehouseError as error:\n    print(error)"
    said = walk.command(sys.executable, "-c", code, FUND_STATE=str(none))
    assert said.endswith(" yet: run `fund-assets run` first\n"), said
    assert said.startswith("the warehouse ") and not none.exists(), said
    return said.split(" yet: ")[1].strip()


@PART.walks(9, "`run` in a folder that takes nothing")
def no_room(walk: Walk) -> str:
    """A sentence that names the folder."""
    said = walk.fund_assets("run", code=2, FUND_STATE="/dev/null/state")
    assert said.startswith("Error: ") and "/dev/null/state" in said, said
    return said.splitlines()[0].removeprefix("Error: ")


@PART.walks(9, "`make run VENV=/elsewhere/venv`")
def elsewhere(walk: Walk) -> str:
    """What make would do: the environment lies where it was asked for."""
    said = walk.command("/usr/bin/make", "-n", "run", "VENV=/elsewhere/venv")
    assert "/elsewhere/venv/bin/fund-assets run" in said and ".venv/" not in said, said
    return "/elsewhere/venv/bin/fund-assets run"


@PART.walks(4, "job daily_validation before anything was collected")
def too_early(walk: Walk) -> str:
    """A run that fails, and says in a sentence what comes before it."""
    said = walk.command(
        "dagster", *f"job execute -m {MODULE} -j daily_validation".split(),
        code=1, FUND_STATE=str(walk.folder / "early"),
    )  # fmt: skip
    words = "nothing has been collected yet: run `fund-assets collect`, or the job"
    assert words in said, said[-2000:]
    return "the run fails: " + words.removesuffix(", or the job")


@PART.walks(9, "the first `fund-assets run`")
def first_run(walk: Walk) -> str:
    """A whole evening; what the dashboard then tells."""
    last = walk.fund_assets("run", clock=FIRST).splitlines()[-1]
    assert "succeeded" in last, last
    told = walk.dashboard()
    assert (told["verdict"], told["fund_count"]) == ("healthy", 40), told["problems"]
    assert told["coverage_on"] == FIRST[:10] and told["today_nav_count"] > 30, told["coverage"]
    assert told["nav_rows"] > 10_000
    return f"{told['nav_rows']:,} NAVs of {told['fund_count']} funds, {told['verdict']}"


@PART.walks(9, "`serve` on a port that another program has")
def busy(walk: Walk) -> str:
    """A sentence that names the port and the option."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        said = walk.fund_assets(f"serve --port {port}", code=2)
    assert port in said and "choose another port" in said, said
    return "choose another port"


def refused(walk: Walk, line: str, hint: str) -> str:
    """Wrong use, after the first run: one sentence that names the thing and the remedy."""
    said = walk.fund_assets(line, code=2)
    assert hint in said and said.startswith("Error: ") and said.count("\n") == 1, said
    return hint


for _line, _hint in REFUSED:
    PART.walks(7, f"`{_line}`")(partial(refused, line=_line, hint=_hint))


@PART.walks(7, "runs, checks and alerts after all of these")
def nothing_began(walk: Walk) -> str:
    """No run was made, no asset turned red, no alert rang."""
    told = walk.dashboard()
    assert [run["job"] for run in told["runs"]] == ["daily_pipeline"], told["runs"]
    assert (told["failing_checks"], told["problems"]) == ([], [])
    said = walk.fund_assets("alert list")
    assert said.startswith("no alerts"), said
    return "the first run alone, healthy, no alerts"


@PART.walks(10, "`nav 000001.OF`")
def suffixed(walk: Walk) -> str:
    """The fund of that code, its newest NAV last."""
    lines = walk.fund_assets("nav 000001.OF").strip().splitlines()
    assert lines[0].startswith("000001 ") and lines[-1].startswith(FIRST[:10]), lines
    return " ".join(lines[-1].split())


@PART.walks(10, "`screen 夏普比率>-9 --kind 混合型`")
def chinese(walk: Walk) -> str:
    """Chinese words choose and rank funds of one kind."""
    said = walk.fund_assets("screen 夏普比率>-9 --kind 混合型")
    rows = re.findall(r"^(\d{6})\s.*?(\w+)\s+(-?[\d.]+)\s+-?[\d.]+%\s*$", said, re.M)
    assert len(rows) >= 5 and {kind for _, kind, _ in rows} == {"mixed"}, said
    ratios = [float(ratio) for *_, ratio in rows]
    assert ratios == sorted(ratios, reverse=True), ratios
    return f"{len(rows)} mixed funds, Sharpe ratio {ratios[0]} to {ratios[-1]}"


@PART.walks(10, "`screen sharpe_ratio>1` without a kind")
def of_all_kinds(walk: Walk) -> str:
    """It says that money-market funds are among what it ranks."""
    said = " ".join(walk.fund_assets("screen sharpe_ratio>1").split())
    assert "money-market funds" in said and "--kind mixed shows one kind" in said, said
    return "says that money-market funds are among them"


def readme(words: str) -> str:
    """The one block of Python in README.md that has these words."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    (found,) = (block for block in blocks if words in block)
    return str(found)


def frames(walk: Walk, code: str) -> list[dict[str, Any]]:
    """What the lines of an example give, run in a folder of their own."""
    said = walk.command(sys.executable, "-c", EXAMPLE, cwd=walk.folder / "here", stdin=code)
    return list(json.loads(said.splitlines()[-1]))


@PART.walks(10, "the Python lines of README.md")
def readme_python(walk: Walk) -> str:
    """Each gives rows, the ranking of one kind; the day as it was known is not empty."""
    code = readme("from fund_assets import Funds")
    nav, returns, top, asof = frames(walk, code)
    assert nav["rows"] > 200 and asof["rows"] == nav["rows"], (nav, asof)
    assert returns["rows"] > 11 and returns["columns"] == ["000001", "000003"], returns
    assert returns["empty"] < 3, returns
    assert (top["rows"], top["kinds"]) == (10, ["mixed"]), top
    assert {"name", "fund_type"} <= set(top["columns"])
    return f"{nav['rows']} NAVs, {returns['rows']} months, 10 mixed funds with their names"


@PART.walks(10, "the SQL lines of README.md")
def readme_sql(walk: Walk) -> str:
    """Ten funds with names and figures."""
    code = readme("import sqlite3")
    (found,) = frames(walk, code)
    assert (found["rows"], len(found["columns"]), found["empty"]) == (10, 4, 0), found
    return "10 funds"


@PART.walks(10, "`f.nav(1)`, `000001.OF`, `000001,000003`, several windows of a Chinese kind")
def python_api(walk: Walk) -> str:
    """Codes as people write them; metrics carry name and type."""
    one, suffix, two, several = frames(walk, API)
    assert one["rows"] == suffix["rows"] > 200
    assert two["rows"] > 1.5 * one["rows"] and two["index"] != one["index"], (one, two)
    assert several["kinds"] == ["mixed"] and several["rows"] == 2 * len(several["index"])
    assert {"name", "fund_type", "kind"} <= set(several["columns"])
    return f"{one['rows']} and {two['rows']} NAVs; {several['rows']} rows of metrics"


@PART.walks(8, "a failed collection, then a good canary")
def not_hidden(walk: Walk) -> str:
    """The verdict tells of the collection, because each job is judged by its own newest run."""
    file = walk.folder / "no-date.json"
    file.write_text(json.dumps(NO_DATE))
    said = walk.command(
        "dagster", *f"job execute -m {MODULE} -j daily_collection -c {file}".split(), code=1
    )
    assert "20269999 is not a date" in said, said[-2000:]
    walk.fund_assets("canary")
    time.sleep(3)  # a failure counts once Dagster had time to try again
    told = walk.dashboard(code=1)
    (problem,) = told["problems"]
    assert "daily_collection" in problem and "20269999 is not a date" in problem, problem
    newest = {run["job"]: run["status"] for run in reversed(told["runs"])}
    assert (newest["source_canary"], newest["daily_collection"]) == ("success", "failure")
    return f"{told['verdict']}: the newest run failed: daily_collection"


@PART.walks(8, "the next collection is good")
def made_good(walk: Walk) -> str:
    """The problem is gone."""
    walk.fund_assets("collect")
    told = walk.dashboard()
    assert told["problems"] == [], told["problems"]
    return str(told["verdict"])


@PART.walks(5, f"`weekly`, where a run is {OLDER_DAYS} days old")
def pruned(walk: Walk) -> str:
    """The old run leaves Dagster's records and is kept as a line of the archive."""
    query = "SELECT run_id FROM runs WHERE pipeline_name = 'daily_collection' AND status = ?"
    ((old,),) = walk.records("runs.db", query, "FAILURE")
    walk.records(
        "runs.db",
        "UPDATE runs SET create_timestamp = datetime(create_timestamp, ?) WHERE run_id = ?",
        f"-{OLDER_DAYS} days", old,
    )  # fmt: skip
    walk.fund_assets("weekly")
    assert walk.records("runs.db", query, "FAILURE") == [], "it is still there"
    left = walk.records("runs.db", "SELECT COUNT(*) FROM runs")[0][0]
    assert left == 4, left
    with (walk.state / "dagster" / "pruned-runs.csv").open(encoding="utf-8") as file:
        (line,) = csv.DictReader(file)
    assert (line["run_id"], line["status"]) == (old, "FAILURE"), line
    return f"1 run went into pruned-runs.csv, {left} stay"


@PART.walks(11, "the first weekly report")
def whole_report(walk: Walk) -> str:
    """Every kind has its median of the year, within what its funds have earned."""
    said = walk.fund_assets("report weekly")
    text = walk.report.read_text("utf-8")
    assert str(walk.report) in said, said
    table = re.search(r"市场概览.*?<tbody>(.*?)</tbody>", text, re.S)
    assert table, text[:500]
    told = {}
    for row in table[1].split("<tr>")[1:]:
        cells = [re.sub(r"<.*?>", "", cell).strip() for cell in row.split("<td")]
        label, ytd = (re.sub(r"^[^>]*>", "", cell) for cell in (cells[1], cells[-1]))
        told[label] = float(ytd.rstrip("%").replace("−", "-")) / 100
    code = "import json\nfrom fund_assets import Funds\nm = Funds().metrics('ytd')\n"
    code += "r = m.groupby('kind')['total_return'].agg(['min', 'max'])\nprint(r.to_json())"
    spans = json.loads(walk.command(sys.executable, "-c", code))
    assert len(told) >= 5 and 0 not in told.values(), told
    from fund_assets.schemas.kinds import KINDS

    for kind, described in KINDS.items():
        if described.label in told:
            least, most = spans["min"][kind], spans["max"][kind]
            assert least - 5e-4 <= told[described.label] <= most + 5e-4, (kind, told, spans)
    assert "本周没有可计算收益的净值" not in text and "还没有指标" not in text
    return f"{len(told)} kinds, medians of the year {min(told.values()):+.1%} to {max(told.values()):+.1%}"
