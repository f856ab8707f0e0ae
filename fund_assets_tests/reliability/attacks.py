"""What was tried against the platform, what should come of it, and what did.

    python -m fund_assets_tests.reliability.attacks [--short] [--only WORDS]
    ... --write     what was seen into docs/reliability.md too

Belongs here: the list of attacks and the command. Does not belong here: how an attack is made,
which is in the tests that it names. A test may record what it saw (`record_property("seen", …)`);
of one that records nothing it is told that all held.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from fund_assets_tests.reliability.page_tables import kept, with_table

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reliability.md"
#: Of a long attack that the page has not seen yet.
LONG = "in the slow suite"
NAME = "attacks"


@dataclass(frozen=True)
class Attack:
    """An attack, what should come of it, and the tests that try it.

    Attributes:
        subject: what is attacked.
        tests: file and name of each, below fund_assets_tests; all parameters are run.
        long: whether it takes longer than some seconds: left out of the short form.
    """

    subject: str
    attack: str
    expected: str
    tests: tuple[str, ...]
    long: bool = False


@dataclass
class Seen:
    """What came of an attack: tests that held, and what others said."""

    held: int
    told: list[str]
    failed: list[str]

    @property
    def well(self) -> bool:
        """Whether it was tried and every test held."""
        return self.held > 0 and not self.failed

    def words(self) -> str:
        """For the table."""
        if self.failed:
            return f"**{'; '.join(self.failed)[:200]}**"
        if not self.held:
            return "**not tried**"
        return "; ".join(self.told) or f"as expected, {self.held} of {self.held}"


_MIGRATIONS, _LIFE = (
    "unit/warehouse/test_migrations.py",
    "unit/observability/alerts/test_lifecycle.py",
)
_FUNDS, _DEPLOY = "faults/test_backfill.py", "integration/test_deploy.py"
_AKSHARE, _KEPT = "integration/test_akshare_contract.py", "unit/transport/test_archive.py"
_PLAIN = "unit/test_safe_text.py"
_FILES, _DOOR = (
    "unit/export/test_files.py",
    "unit/observability/server/test_connection_limits.py",
)

ATTACKS = (
    Attack("migrations", "interrupted at some statements, on SQLite", "the next run continues; the result is the same",
           (f"{_MIGRATIONS}::test_ended_at_some_statements_it_goes_on",)),
    Attack("migrations", "interrupted at every 41st statement, on both engines", "the same",
           ("faults/test_migration_walk.py::test_ended_at_every_41st_statement_it_goes_on",), long=True),
    Attack("migrations", "rows left between DROP and RENAME, or next to an empty table",
           "found and restored",
           (f"{_MIGRATIONS}::test_rows_between_a_drop_and_a_rename_are_found",
            f"{_MIGRATIONS}::test_rows_beside_an_empty_table_are_put_back")),
    Attack("migrations", "a table, index or view is missing; a condition was changed by hand",
           "created again; an unknown column is reported and kept",
           (f"{_MIGRATIONS}::test_what_is_missing_is_made",
            f"{_MIGRATIONS}::test_a_changed_condition_is_put_right_and_a_foreign_column_is_left")),
    Attack("bans", "closed connections, 514, 503, captcha pages, redirects to a page for people or "
           "words in JSON for every fund",
           "at most 10 more requests; the end of the pause is reported; resumes automatically",
           (f"{_FUNDS}::test_a_ban_stops_everything_and_says_until_when",
            f"{_FUNDS}::test_a_backfill_that_waits_goes_on_by_itself"), long=True),
    Attack("bans", "closed connections, 514, 503 or captcha pages while Dagster's evening continues: "
           "waves, retries, sensors",
           "at most 10 requests to a host; run, checks and one alert say until when; resumes automatically",
           ("faults/test_matrix.py::test_an_evening_under_a_ban",), long=True),
    Attack("bans", "5 % of 26,000 funds fail for reasons of their own", "no ban",
           ("unit/transport/test_rate_limit.py::test_of_26000_funds_a_twentieth_in_trouble_is_no_ban",)),
    Attack("one fund", "invalid redirects, headers, chunk sizes, names, surrogates",
           "that fund's typed error; the others are stored",
           (f"{_FUNDS}::test_strange_answers_are_each_their_funds_own_error",), long=True),
    Attack("one fund", "a defect of this program with one answer",
           "an error of that fund; log and check show that it is our defect",
           (f"{_FUNDS}::test_a_defect_of_ours_is_one_funds_error_and_seen_as_ours",), long=True),
    Attack("input", r"Location `https://host\\@evil/`, other schemes, hosts and ports",
           "not followed", (f"{_FUNDS}::test_strange_answers_are_each_their_funds_own_error",),
           long=True),
    Attack("input", "an address that moved within its host, or moved to itself",
           "requested there once, within the rate limit",
           (f"{_FUNDS}::test_an_address_that_has_moved_is_asked_there",)),
    Attack("input", "gzip of several members; cut; followed by something else",
           "all read; reported; refused", ("unit/transport/test_content_encoding.py",)),
    Attack("input", "pages with colspan 3000, rowspan 10⁹, 210,000 cells, tables in tables",
           "refused before their tables are built", (f"{_AKSHARE}::test_a_page_is_measured_before_its_tables_are_laid_out",)),
    Attack("input", "an answer for which the parser needs endless time or memory",
           "only this call ends",
           (f"{_AKSHARE}::test_what_takes_akshare_too_much_ends_its_call_alone",
            f"{_AKSHARE}::test_a_child_that_died_is_begun_anew")),
    Attack("input", "a history that is a program", "not executed unless a setting allows it; then without "
           "environment, files or network, and ended at 1 GB",
           (f"{_AKSHARE}::test_no_script_of_the_source_is_run_unless_a_setting_says_so",
            f"{_AKSHARE}::test_the_engine_has_no_environment_and_can_open_nothing",
            f"{_AKSHARE}::test_a_script_that_eats_memory_is_an_error_not_a_crash")),
    Attack("input", "a new format of all histories", "one engine is started, not 26,000",
           (f"{_AKSHARE}::test_what_akshare_cannot_read_of_one_fund_is_not_run_for_the_others",)),
    Attack("input", "control characters, escape sequences, bidirectional overrides in names",
           "replaced", (f"{_PLAIN}::test_what_acts_is_replaced",
                        f"{_PLAIN}::test_nothing_that_is_not_shown_is_left",
                        f"{_PLAIN}::test_one_bad_name_costs_nobody_else")),
    Attack("input", "the same in an answer that a library quotes, in a robot's refusal and in an "
           "imported file; line ends in a log",
           "replaced in tracebacks, logs and on terminals; no line looks like another one",
           (f"{_PLAIN}::test_no_error_in_a_chain_acts",
            f"{_PLAIN}::test_what_a_channel_answers_does_not_act",
            f"{_PLAIN}::test_what_a_file_says_does_not_act",
            "unit/test_logs.py::test_nothing_quoted_in_a_line_acts_or_passes_for_another")),
    Attack("input", "`<at user_id=\"all\">` in a name, sent to Feishu", "mentions nobody",
           ("unit/observability/alerts/test_channels.py::test_a_name_calls_nobody",)),
    Attack("input", "formulas in names, also after spaces, byte-order marks and zero-width characters",
           "texts in CSV and xlsx",
           (f"{_FILES}::test_csv_disarms_what_stands_behind_spaces_and_marks",
            f"{_FILES}::test_csv_disarms_formulas_and_tells_none_from_empty")),
    Attack("input", "an invalid figure or a short row in the market's page",
           "its row is held, the wave continues",
           ("unit/sources/eastmoney/test_decode_snapshot.py::test_a_figure_that_is_none_costs_its_row_and_no_other",
            "unit/sources/eastmoney/test_decode_snapshot.py::"
            "test_a_row_of_another_width_costs_its_row_until_they_are_many")),
    Attack("input", "500 mutated answers through all decoders",
           "typed errors only, within 2 s and 300 MB",
           ("reliability/test_fuzz.py::test_no_answer_ends_a_decoder_otherwise_than_it_says",),
           long=True),
    Attack("archive", "a file that is cut, empty, changed or another answer's",
           "reported, requested again, repaired",
           (f"{_KEPT}::test_a_damaged_answer_is_told_and_healed_by_the_next_that_is_the_same",)),
    Attack("archive", "a power cut", "file and folder are on the disk",
           (f"{_KEPT}::test_what_is_stored_is_on_the_disk_name_and_content",)),
    Attack("archive", "clean-up while others write", "no file that a writer needs is deleted",
           (f"{_KEPT}::test_pruning_beside_writers_takes_nothing_that_one_counts_on",)),
    Attack("clocks", "three days or a year ahead, then right, and the reverse",
           "no alert lost or late by more than its interval",
           (f"{_LIFE}::test_a_clock_that_was_wrong_keeps_nothing_quiet",
            f"{_LIFE}::test_what_ended_under_a_clock_ahead_explains_nothing",
            f"{_LIFE}::test_a_silence_of_a_clock_ahead_is_over",
            "integration/test_alerts.py::test_a_clock_that_was_wrong_holds_no_message_back")),
    Attack("clocks", "a heartbeat, a circuit breaker or a message with a time in the future",
           "missing; tested by a request; reported",
           ("integration/test_alerts.py::test_a_heartbeat_from_the_future_is_a_missing_one",
            "unit/transport/test_rate_limit.py::test_an_open_breaker_of_another_clock_is_asked",
            f"{_LIFE}::test_stored_times_in_the_future_are_told")),
    Attack("browsers", "mutations by GET, also to `/graphql%0a`, and requests from a foreign "
           "page's address", "403",
           (f"{_DEPLOY}::test_questions_by_get_and_from_elsewhere_are_refused",), long=True),
    Attack("browsers", "a foreign page in a real browser that has logged in",
           "nothing reaches Dagster, nothing is framed",
           (f"{_DEPLOY}::test_a_foreign_page_in_a_browser_that_has_logged_in",), long=True),
    Attack("browsers", "any page in a frame, error pages too", "refused by its header",
           (f"{_DEPLOY}::test_no_page_may_be_framed",), long=True),
    Attack("browsers", "a foreign name that points at `make dev`", "421",
           ("unit/instance/test_webserver.py::test_other_names_stay_out",)),
    Attack("browsers", "any page that is open together with `make dev`, with its queries and mutations",
           "403", ("unit/instance/test_webserver.py::test_other_pages_stay_out",)),
    Attack("health, mail", "40 slow connections, where one address may have 4",
           "other requests are answered", (f"{_DOOR}::test_who_asks_is_answered_beside_those_who_drip",)),
    Attack("health, mail", "1,600 slow connections", "99 % of /livez within 10 ms",
           (f"{_DOOR}::test_livez_beside_1600_connections_that_drip",), long=True),
    Attack("health, mail", "a slow mail server; an Apprise address that hangs",
           "ended at the channel's deadline, no other channel waits",
           ("unit/observability/alerts/test_channels.py::test_a_mail_server_that_drips_ends_with_the_deadline",
            "unit/observability/alerts/test_channels.py::test_apprise_has_a_deadline_and_delays_no_other",
            "integration/test_alerts.py::"
            "test_a_slow_channel_delays_neither_another_nor_the_next_look")),
    Attack("calendar", "4 January 2027 with today's calendar, and the notices imported afterwards",
           "collected, validated, measured, reported; the marks disappear; tables as if it had been known",
           ("integration/test_unknown_calendar.py::test_4_january_2027_goes_on_and_is_told",),
           long=True),
    Attack("calendar", "notices that are cut, mistyped, web pages, in other encodings, or with hidden characters",
           "read, or refused by line", ("unit/sources/test_holiday_notices.py",), long=True),
    Attack("other", "two daemons on one set of records", "reported, until ten minutes after",
           ("unit/observability/test_ticks.py::test_two_daemons_are_told_and_one_that_was_restarted_is_not",)),
    Attack("other", "all connections of the database server are used", "waits up to 15 s",
           ("unit/warehouse/engine/test_mysql.py::test_a_place_on_a_full_server_is_waited_for",)),
    Attack("other", "a database server that does not answer Dagster", "ended by timeouts",
           (f"{_DEPLOY}::test_a_frozen_server_holds_dagster_only_so_long",), long=True),
    Attack("other", "a migration fails under compose or systemd", "nothing else starts",
           (f"{_DEPLOY}::test_what_follows_a_migration_waits_for_its_success",)),
    Attack("other", "another image under the name of a used one", "not used: exact digests",
           (f"{_DEPLOY}::test_images_of_others_are_exact",)),
    Attack("other", "systemd-analyze security of every unit", "at most 3.0",
           (f"{_DEPLOY}::test_units_give_up_what_they_do_not_need",), long=True),
)  # fmt: skip


def run(attacks: Iterable[Attack]) -> dict[Attack, Seen]:
    """Try the attacks, each in the tests that it names, all in one process."""
    attacks = list(attacks)
    names = list(dict.fromkeys(test for attack in attacks for test in attack.tests))
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        report = Path(folder) / "report.xml"
        done = subprocess.run(
            [
                sys.executable, "-m", "pytest", "-q", "-m", "slow or not slow", "-p",
                "no:cacheprovider", "-o", "junit_family=xunit1", f"--junitxml={report}",
                *[f"fund_assets_tests/{name}" for name in names],
            ],
            cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
        if not report.is_file():
            raise RuntimeError(f"no attack could be tried: {done.stdout[-2_000:]}")
        cases = ElementTree.parse(report).getroot().iter("testcase")
        outcomes = [_outcome(case) for case in cases]
    return {attack: _seen(attack, outcomes) for attack in attacks}


def _outcome(case: ElementTree.Element) -> tuple[str, str, str]:
    """File and name of a test without its parameters, what went wrong, what it saw."""
    file = str(case.get("file")).removeprefix("fund_assets_tests/")
    name = f"{file}::{str(case.get('name')).partition('[')[0]}"
    wrong = next(
        (n for n in (case.find(t) for t in ("failure", "error")) if n is not None), None
    )
    skipped = case.find("skipped")
    seen = "; ".join(
        str(p.get("value")) for p in case.iter("property") if p.get("name") == "seen"
    )
    if wrong is not None:
        return name, str(wrong.get("message")).splitlines()[0], seen
    return name, "" if skipped is None else f"skipped: {skipped.get('message')}", seen


def _seen(attack: Attack, outcomes: Iterable[tuple[str, str, str]]) -> Seen:
    mine = [
        o for o in outcomes if any(o[0] == t or o[0].startswith(f"{t}::") for t in attack.tests)
    ]
    missing = [
        t for t in attack.tests if not any(o[0] == t or o[0].startswith(f"{t}::") for o in mine)
    ]
    return Seen(
        held=sum(not wrong for _, wrong, _ in mine),
        told=list(dict.fromkeys(seen for *_, seen in mine if seen)),
        failed=[wrong for _, wrong, _ in mine if wrong] + [f"no test {t}" for t in missing],
    )


def table(words: dict[Attack, str]) -> str:
    """The attacks as Markdown, with what was seen, and how many ended as they should."""
    tried = [said for said in words.values() if said != LONG]
    well = sum(not said.startswith("**") for said in tried)
    rows = [f"{_begin(attack)}{said} |" for attack, said in words.items()]
    head = ["| against | attack | expected | seen |", "|---|---|---|---|"]
    counted = f"{well} of {len(tried)} end as expected"
    more = len(words) - len(tried)
    counted += f"; {more} longer ones are tried by the slow suite alone." if more else "."
    return "\n".join([counted, "", *head, *rows]) + "\n"


def _begin(attack: Attack) -> str:
    return f"| {attack.subject} | {attack.attack} | {attack.expected} | "


def page(text: str, found: dict[Attack, Seen]) -> str:
    """The page with what was found; of attacks that were not tried it keeps what it has."""
    words = {}
    for attack in ATTACKS:
        untried = LONG if attack.long else Seen(0, [], []).words()
        words[attack] = (
            found[attack].words()
            if attack in found
            else kept(text, NAME, _begin(attack)) or untried
        )
    return with_table(text, NAME, table(words))


def main(arguments: list[str] | None = None) -> int:
    """Try the attacks and print the table; 0 when all ended as they should."""
    parser = argparse.ArgumentParser(prog="python -m fund_assets_tests.reliability.attacks")
    parser.add_argument("--short", action="store_true", help="those that take some seconds")
    parser.add_argument("--only", default="", help="attacks whose words contain this")
    parser.add_argument(
        "--write", action="store_true", help="all, and into docs/reliability.md"
    )
    asked = parser.parse_args(arguments)
    chosen = [
        a
        for a in ATTACKS
        if asked.only in f"{a.subject}: {a.attack}" and not (asked.short and a.long)
    ]
    found = run(chosen)
    print(table({attack: seen.words() for attack, seen in found.items()}), end="")
    if asked.write:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    return 0 if all(seen.well for seen in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
