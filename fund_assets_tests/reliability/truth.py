"""The command: a year of the market with seeded faults, judged by what the market really was.

    python -m fund_assets_tests.reliability.truth [--seeds 1 2] [--sessions 242] [--short]

Belongs here: options and the table. Does not belong here: the play (`played.py`).
"""

import argparse
import multiprocessing
import os
import secrets
import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

from fund_assets_tests import mariadb, stores
from fund_assets_tests.reliability.played import Account, Play, cause, told_at
from fund_assets_tests.reliability.wrongs import SHORT, YEAR

YEAR_FIRST, YEAR_SESSIONS = date(2025, 1, 2), 242
#: Has the long holiday of October, with a working weekend before and after it.
SHORT_FIRST, SHORT_SESSIONS = date(2025, 8, 20), 40
SHOWN = 25
LEAST_SESSIONS = 30


def played(
    seed: int, *, short: bool, sessions: int, funds: int, quiet: bool = False
) -> tuple[Account, list[str]]:
    """One play in a folder of its own; the account, and what broke a promise in words."""
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        prefix="truth-", dir=shm if shm.is_dir() else None
    ) as name:
        folder = Path(name)
        play = Play(
            folder,
            stores.url_for(folder) or f"sqlite:///{folder}/w.db",
            seed=seed,
            first=SHORT_FIRST if short else YEAR_FIRST,
            sessions=sessions,
            funds=funds,
            years=0.1 if short else 1.0,
            wanted=SHORT if short else YEAR,
        )
        account = play.live(
            (lambda words: None) if quiet else (lambda words: print(words, file=sys.stderr))
        )
        return account, words_of(play)


def words_of(play: Play) -> list[str]:
    """What broke a promise, some of each sort, with its cause as far as it can be told."""
    account = play.account
    sorts = {
        "step broken": account.broken,
        "weekly job": account.weeks_failed,
        "false alarm": account.false,
        "alarm still open": account.alarms_open,
        "still blocked": account.open,
        "blocked without a way out": [
            f"{told_at(b.at)} {b.batch_id} {b.words}"
            for b in account.blocked
            if not b.has_way_out
        ],
        "": [
            f"{spell.words(told_at(spell.since))} [{cause(play.wrongs, spell)}]"
            for spell in account.too_long
        ],
        "income missing": [f"{code} {day}" for code, day in account.missing_incomes],
        "NAV missing": [f"{code} {day}" for code, day in account.missing_navs],
        "index": [
            f"{code} {day} {step:+.4%}, right {right:+.4%}"
            for code, day, step, right in account.index_errors
        ],
        "chained to the old fund": account.codes_chained,
        "rows of the old fund are lost": account.old_rows_lost,
    }
    words = []
    for sort, found in sorts.items():
        words += [": ".join(filter(None, (sort, line))) for line in found[:SHOWN]]
        if len(found) > SHOWN:
            words.append(f"{sort or 'values'}: and {len(found) - SHOWN} more")
    return words


def table(accounts: list[Account]) -> str:
    """The figures, a column for each seed."""
    head = ["", *(f"seed {account.seed}" for account in accounts)]
    rows = [
        ("sessions, closed days", [f"{a.sessions}, {a.closed_days}" for a in accounts]),
        ("waves, histories requested", [f"{a.waves:,}, {a.histories:,}" for a in accounts]),
        ("accepted rows", [f"{a.rows:,}" for a in accounts]),
        ("faults", [f"{sum(a.drawn.values())}" for a in accounts]),
        (
            "Sundays, with the whole weekly job",
            [f"{a.weeks}, {a.whole_weeks}" for a in accounts],
        ),
        ("batches blocked for a while", [f"{len(a.blocked)}" for a in accounts]),
        ("alarms sent", [f"{sum(a.alarms.values())}" for a in accounts]),
        *((name, [f"**{a.figures[name]}**" for a in accounts]) for name in accounts[0].figures),
        ("seconds", [f"{a.seconds:.0f}" for a in accounts]),
    ]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join([name, *cells]) + " |" for name, cells in rows]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Play, print the figures; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m fund_assets_tests.reliability.truth")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--short", action="store_true", help="40 sessions, each fault once")
    parser.add_argument(
        "--sessions", type=int, help=f"fewer of them, at least {LEAST_SESSIONS}"
    )
    parser.add_argument("--funds", type=int, default=150, help="share classes of the market")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    sessions = options.sessions or (SHORT_SESSIONS if options.short else YEAR_SESSIONS)
    if sessions < LEAST_SESSIONS:
        parser.error(f"--sessions: at least {LEAST_SESSIONS}, so that there is room for faults")
    for name in [n for n in os.environ if n.startswith("FUND_")]:
        if not name.startswith("FUND_TEST_"):
            del os.environ[name]
    own: mariadb.Server | None = None
    if stores.on_mysql():
        os.environ.setdefault(stores.RUN, secrets.token_hex(3))
        own = stores.provide_server()
    context = multiprocessing.get_context("spawn")
    wanted = {"short": options.short, "sessions": sessions, "funds": options.funds}
    try:
        with context.Pool(min(options.processes, len(options.seeds))) as pool:
            waiting = [pool.apply_async(played, (seed,), wanted) for seed in options.seeds]
            results = [one.get() for one in waiting]
            pool.close()
            pool.join()  # they end by themselves, also where SIGTERM is ignored
    finally:
        if own is not None:
            own.stop()
        elif stores.on_mysql():
            stores.drop_all()
    accounts = [account for account, _ in results]
    print(table(accounts))
    drawn = sum((account.drawn for account in accounts), Counter())
    print("\nfaults: " + ", ".join(f"{kind} {n}" for kind, n in sorted(drawn.items())))
    skipped = sum((account.skipped for account in accounts), Counter())
    if skipped:
        print("no room for: " + ", ".join(f"{kind} {n}" for kind, n in skipped.items()))
    for account, words in results:
        for line in words:
            print(f"seed {account.seed}: {line}")
    return 0 if not any(words for _, words in results) else 1


if __name__ == "__main__":
    sys.exit(main())
