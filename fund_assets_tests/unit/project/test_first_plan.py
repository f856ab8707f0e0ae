"""The READMEs' table of the first plan: every old command has its counterpart, and it is there."""

import re
from pathlib import Path

import click
import pytest

from fund_assets.cli import main
from fund_assets.observability.server import app

ROOT = Path(__file__).resolve().parents[3]
READMES = ("README.md", "README.zh-CN.md")
MARK = "<!-- table of the first plan"
#: The operations commands of the first plan, and the items of its acceptance list.
COMMANDS = (
    "python scheduler/run_scheduler.py", "nohup python scheduler/run_scheduler.py", "kill",
    "python scheduler/monitor.py", "python scheduler/health_check.py",
    "python main.py --action nav", "tail -f logs/collector.log", "tail -f logs/scheduler.log",
)  # fmt: skip
ITEMS = (
    "定时任务按时触发", "采集->校验->计算流程", "监控面板显示正确", "健康检查接口可用", "异常自动告警",
)  # fmt: skip


def table(readme):
    """(old, new) of every row."""
    text = (ROOT / readme).read_text(encoding="utf-8")
    lines = text[text.index(MARK) :].splitlines()[3:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def named(cells):
    return [command for cell in cells for command in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("readme", READMES)
def test_nothing_of_the_plan_is_forgotten(readme):
    """Stops a command or an acceptance item of the owner's plan without a counterpart."""
    rows = table(readme)
    assert len(rows) == 12
    assert {old for old, _ in rows if named([old]) or "验收" in old} == {old for old, _ in rows}
    old = " ".join(old for old, _ in rows)
    for wanted in (*COMMANDS, *ITEMS):
        assert wanted in old, wanted
    for _, new in rows:
        assert named([new]), new


def test_both_languages_name_the_same():
    """Stops the two READMEs from telling different commands."""
    assert [sorted(named(row)) for row in table(READMES[0])] == [
        sorted(named(row)) for row in table(READMES[1])
    ]


def exists(command):
    """Whether a command line is one that works here."""
    tool, *words = command.split()
    if tool == "fund-assets":
        found = main
        while isinstance(found, click.Group) and words:
            found = found.commands[words.pop(0)]
        context = click.Context(found)
        found.parse_args(context, words)
        return not isinstance(found, click.Group)
    if tool == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        return re.search(rf"^{words[0]}:.*## ", makefile, re.MULTILINE) is not None
    if tool == "systemctl":
        return (ROOT / "deploy" / "systemd" / f"{words[-1]}.service").is_file()
    if tool == "curl":
        served = app.make_app(None, dagster_ui="http://127.0.0.1:3000")
        paths = {route.path for route in served._app.routes}
        return words[0].removeprefix("localhost:5000") in paths
    return False


NEW = sorted({command for _, new in table(READMES[0]) for command in named([new])})


@pytest.mark.parametrize("command", NEW)
def test_the_counterpart_is_there(command):
    """Stops a table of commands that were renamed, or never made."""
    assert exists(command), command


def test_the_table_of_paths_and_times_is_the_plans():
    """Stops the four jobs of the plan from having another name or hour."""
    from fund_assets.automation.schedules import SCHEDULES

    crons = {schedule.name: schedule.cron_schedule for schedule in SCHEDULES}
    assert {name: crons[name] for name in (
        "daily_collection", "daily_validation", "daily_metrics", "weekly_full_calc",
    )} == {
        "daily_collection": "0 19 * * 1-5", "daily_validation": "30 19 * * 1-5",
        "daily_metrics": "30 20 * * 1-5", "weekly_full_calc": "0 2 * * 0",
    }  # fmt: skip
    assert {schedule.execution_timezone for schedule in SCHEDULES} == {"Asia/Shanghai"}
