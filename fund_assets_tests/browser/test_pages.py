"""The status page and Dagster's UI in a headless Chromium: what must be there, is there.

Skipped, and says so, where there is no Chromium: scripts/system.sh installs it.
"""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from fund_assets.schemas.profiles import every_evening, label
from fund_assets_tests.browser.chromium import Browser
from fund_assets_tests.graph.test_definitions import ORDER, WEEK
from scripts.screenshots import GROUPS, chromium, free_port, running, wait_for

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOT = json.loads((ROOT / "fund_assets_tests/graph/snapshot.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """One evening of a small market, its status page, Dagster's UI, and a browser."""
    if not (os.environ.get("CHROMIUM") or shutil.which("chromium")):
        pytest.skip("Chromium is absent: scripts/system.sh installs it")
    folder = tmp_path_factory.mktemp("browser")
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("FUND_", "DAGSTER_"))},
        "FUND_STATE": str(folder / "state"), "DAGSTER_HOME": str(ROOT),
        "FUND_SIM_FUNDS": "60", "FUND_SIM_YEARS": "1", "FUND_CLOCK": "2026-09-17T23:45",
        "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    quiet = {"cwd": ROOT, "env": environment, "stdout": subprocess.DEVNULL,
             "stderr": subprocess.DEVNULL}  # fmt: skip
    program = [sys.executable, "-m", "fund_assets"]
    subprocess.run([*program, "run"], check=True, **quiet)
    ui, status = free_port(), free_port()
    webserver = str(Path(sys.executable).parent / "dagster-webserver")
    with ExitStack() as stack:
        for command in (
            [webserver, "-h", "127.0.0.1", "-p", str(ui)],
            [*program, "serve", "--port", str(status)],
        ):
            stack.enter_context(running(command, **quiet))
        for url in (f"http://127.0.0.1:{ui}/server_info", f"http://127.0.0.1:{status}/health"):
            wait_for(url, lambda url=url: urllib.request.urlopen(url).status == 200)
        page = stack.enter_context(chromium(folder / "chromium"))
        page("Page.enable")
        yield Browser(page, f"http://127.0.0.1:{ui}", f"http://127.0.0.1:{status}")


def test_status_page(browser):
    """Stops a page that lacks a figure, or shows one of another evening."""
    browser.open(browser.status)
    tables = [label(asset) for asset in every_evening()]
    browser.sees("一切正常", "2026-09-17 23:45", "新鲜度", *tables,
                 "当晚覆盖率曲线", "各类型覆盖率", "混合型", "最近运行", "daily_pipeline",
                 "未通过的检查", "最近批次", "全市场", "历史", "分红", "隔离区", "守护进程与日历")  # fmt: skip
    assert browser.ask("document.title") == "一切正常 · 基金数据平台"
    links = browser.ask("JSON.stringify([...document.links].map(a => a.href))")
    assert f"{browser.status}/health" in json.loads(links)
    assert any("/runs/" in link for link in json.loads(links))


def test_chinese_is_drawn(browser):
    """Stops pictures and pages of empty boxes: a stroke and a dense character differ."""
    browser.open(browser.status)
    ink = """
    (character => {
        const canvas = document.createElement('canvas'), brush = canvas.getContext('2d');
        brush.font = '40px ' + getComputedStyle(document.body).fontFamily;
        brush.fillText(character, 5, 45);
        return brush.getImageData(0, 0, 60, 60).data.filter((v, i) => i % 4 === 3 && v > 99).length;
    })
    """
    line, dense = (browser.ask(f"{ink}('{character}')") for character in "一鑫")
    assert 0 < line < dense / 3, (line, dense)


def test_status_page_needs_nothing_else(browser):
    """Stops a script, a font or a picture from elsewhere, which a closed network lacks."""
    browser.open(browser.status)
    assert browser.ask("performance.getEntriesByType('resource').length") == 0
    assert browser.ask("document.scripts.length") == 0
    browser.page("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(browser.status)
        browser.sees("新鲜度", "最近运行")
        assert browser.ask("document.querySelectorAll('.curve circle').length") >= 1
    finally:
        browser.page("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_status_page_fits(browser, width):
    """Stops a page that has to be pushed sideways on a telephone."""
    browser.open(browser.status, width=width)
    browser.sees("新鲜度")
    assert browser.ask("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("group", "assets"),
    [
        ("evening", [*ORDER, "fund_benchmark"]),
        ("weekly", [asset for asset in WEEK if asset != "fund_benchmark"]),
    ],
)
def test_lineage(browser, group, assets):
    """Stops an asset from missing in the pictures that everybody looks at first."""
    browser.open(f"{browser.ui}/asset-groups")
    browser.sees("evening", "weekly")
    browser.open(f"{browser.ui}{GROUPS}/{group}/lineage")
    browser.sees(*assets)
    browser.wait("document.querySelectorAll('svg path').length > 5", "edges")


@pytest.mark.parametrize("asset", ORDER)
def test_checks(browser, asset):
    """Stops a check from being declared and not shown."""
    browser.open(f"{browser.ui}/assets/{asset}?view=checks", height=2000)
    browser.sees(*SNAPSHOT["checks"][asset])


def test_schedules_and_sensors(browser):
    """Stops a schedule or sensor from missing, or from being off where it should be on."""
    browser.open(f"{browser.ui}/automation")
    names = [*SNAPSHOT["schedules"], *SNAPSHOT["sensors"]]
    browser.sees(*names)
    browser.sees("At 07:00 PM GMT+8, Monday through Friday")
    switched_on = "document.querySelectorAll('input[type=checkbox]:checked').length"
    browser.wait(f"{switched_on} === {len(names)}", "all of them on")
    browser.open(f"{browser.ui}/locations/fund_assets.definitions/schedules/source_canary")
    browser.sees("source_canary", "30 18 * * 1-5", "Asia/Shanghai", "Running")


def test_the_evening_is_told(browser):
    """Stops a run of the command line from being invisible in the UI."""
    browser.open(f"{browser.ui}/runs")
    browser.sees("daily_pipeline", "Success")
    browser.open(f"{browser.ui}/assets/validated_nav?view=overview")
    browser.sees("rows_new", "2026-09-17")
