"""Takes the pictures in docs/images/: Dagster's UI, the status page, the weekly report.

    make screenshots
    scripts/screenshots.py STATE    the same over a state folder that exists already

Needs Chromium (Debian: `apt install chromium fonts-wqy-microhei`; CHROMIUM=... names
another) and a few minutes. The pipeline runs in a temporary state; nothing else is touched.
"""

import base64
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
BIN = Path(sys.executable).parent
LAST_DAY = "2026-11-23"
EVENINGS = (
    *(f"{day}T23:40" for day in ("2026-11-18", "2026-11-19", "2026-11-20")),
    *(f"{LAST_DAY}T{at}" for at in ("19:00", "21:30", "23:40")),
)
#: The Sunday between them, on which the weekly job runs.
SUNDAY = "2026-11-22T02:00"
LARGEST = 300_000
#: A telephone.
NARROW = 390
PATIENCE_S = 90

#: Scripts that run in the page again and again until one is true: then it shows what is
#: wanted. `press` clicks what bears the given text, once per page.
PRELUDE = """
window.pressed ??= new Set();
var press = (text, element) => {
    element ??= [...document.querySelectorAll('button, a, [role=button]')]
        .find(e => e.textContent.trim() === text);
    if (element && !window.pressed.has(text)) { window.pressed.add(text); element.click(); }
    return window.pressed.has(text);
};
var sees = text => document.body.innerText.includes(text);
"""
LINEAGE = "press('Hide navigation') && sees('fund_metrics') && sees('Materialized');"
CHECKS = "sees('R08_jump') && sees('Latest execution') && sees('threshold');"
PLOTS = """
sees('Metadata') && press('Columns') && press('Plots')
    && document.querySelectorAll('canvas').length > 3;
"""
STATUS_PAGE = "sees('新鲜度') && document.querySelectorAll('.curve circle').length > 1;"
LANDING = "sees('Timeline') && document.querySelectorAll('a[href*=daily_pipeline]').length > 0;"
RUNS = "sees('Success') && document.querySelectorAll('a[href*=\"/runs/\"]').length > 0;"
METRICS = "sees('Row count') && sees('rows_complete');"

GROUPS = "/locations/fund_assets.definitions/asset-groups"
#: name → (page, width, height, script)
SHOTS = {
    "landing-page": ("/", 1500, 560, LANDING),
    "job-page": (
        "/locations/fund_assets.definitions/jobs/daily_pipeline/runs",
        1500,
        560,
        RUNS,
    ),
    "lineage": (f"{GROUPS}/evening/lineage", 1500, 760, LINEAGE),
    "checks": ("/assets/validated_nav?view=checks&checkDetail=R08_jump", 1500, 1040, CHECKS),
    "metadata-plots": ("/assets/validated_nav?view=overview", 1500, 1200, PLOTS),
    "metrics": ("/assets/fund_metrics?view=overview", 1500, 1000, METRICS),
    "status-page": ("/", 1200, 936, STATUS_PAGE),
    "status-page-narrow": ("/", NARROW, 1200, STATUS_PAGE),
}
STATUS_SHOTS = [name for name in SHOTS if name.startswith("status-page")]
UI_SHOTS = [name for name in SHOTS if name not in STATUS_SHOTS]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, found: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """What `found` returns once it is true; names `what` when it never is."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            if answer := found():
                return answer
        except OSError:
            pass
        time.sleep(0.3)
    raise SystemExit(f"gave up after {patience_s} s waiting for {what}")


@contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A program and its children, stopped at the end."""
    process = subprocess.Popen(command, start_new_session=True, **options)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def run_evenings(environment: dict[str, str]) -> None:
    """The evening pipeline, once per moment of EVENINGS, and the weekly job on their Sunday."""
    for command, moment in sorted(
        [*(("run", evening) for evening in EVENINGS), ("weekly", SUNDAY)],
        key=lambda run: run[1],
    ):
        print(f"fund-assets {command} of {moment}", flush=True)
        subprocess.run(
            [str(BIN / "fund-assets"), command],
            cwd=ROOT,
            env={**environment, "FUND_CLOCK": moment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )


class Page:
    """A page of a running Chromium, driven over its debugging protocol."""

    def __init__(self, url: str) -> None:
        self._socket = connect(url, max_size=None, legacy=True)
        self._ids = itertools.count(1)

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=PATIENCE_S))
            if answer.get("id") == number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return dict(answer["result"])

    def ask(self, script: str) -> Any:
        """The value of a script in the page."""
        result = self("Runtime.evaluate", expression=script, returnByValue=True)["result"]
        return result.get("value")


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """A fresh headless Chromium with an empty profile in `folder`."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not program:
        raise SystemExit("Chromium is needed: apt install chromium fonts-wqy-microhei")
    flags = [
        "--headless",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--remote-debugging-port=0",
    ]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # Chromium refuses root otherwise
    command = [program, *flags, f"--user-data-dir={folder}", "about:blank"]
    with running(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        port_file = folder / "DevToolsActivePort"
        port = wait_for(
            "Chromium", lambda: port_file.is_file() and port_file.read_text()
        ).split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            targets = json.load(answer)
        yield Page(next(t["webSocketDebuggerUrl"] for t in targets if t["type"] == "page"))


def shoot(page: Page, base: str, name: str) -> None:
    """Take the picture `name` of SHOTS."""
    path, width, height, ready = SHOTS[name]
    page(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=height,
        deviceScaleFactor=1,
        mobile=False,
    )
    page("Page.navigate", url=base + path)
    wait_for(f"{path} to show what {name} is of", lambda: page.ask(PRELUDE + ready))
    time.sleep(3)  # charts and the graph move into place
    keep(page, name)


def keep(page: Page, name: str) -> None:
    """Write what the page shows as a picture."""
    picture = base64.b64decode(page("Page.captureScreenshot", format="png")["data"])
    if len(picture) > LARGEST:
        raise SystemExit(f"{name}.png has {len(picture):,} bytes, {LARGEST:,} are allowed")
    (IMAGES / f"{name}.png").write_bytes(picture)
    print(f"docs/images/{name}.png  {len(picture):,} bytes", flush=True)


def shoot_reports(page: Page, state: Path) -> None:
    """The weekly report and the walk-forward page, opened as files without a network."""
    for name, pattern, width, height in (
        ("weekly-report", "weekly-*.html", 1100, 1300),
        ("weekly-report-narrow", "weekly-*.html", NARROW, 1200),
        ("walk-forward", "walk-forward.html", 1100, 900),
    ):
        (file, *_) = sorted((state / "simulated" / "reports").glob(pattern), reverse=True)
        page(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        page("Page.navigate", url=file.as_uri())
        wait_for(file.name, lambda: page.ask("document.querySelectorAll('svg').length > 0"))
        keep(page, name)


def shoot_status_page(page: Page, environment: dict[str, str]) -> None:
    """Take the pictures of the page that `fund-assets serve` shows after the last evening."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "fund_assets", "serve", "--port", str(port)]
    clock = {"FUND_CLOCK": f"{LAST_DAY}T23:45", "PYTHONPATH": str(ROOT)}
    with running(command, cwd=ROOT, env=environment | clock, stderr=subprocess.DEVNULL):
        wait_for(
            "the status page", lambda: urllib.request.urlopen(f"{base}/livez").status == 200
        )
        for name in STATUS_SHOTS:
            shoot(page, base, name)


def main() -> None:
    """Run the evenings, serve the UI, take every picture."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment = {k: v for k, v in os.environ.items() if not re.match("FUND_|DAGSTER_", k)}
        environment |= {"FUND_STATE": str(Path(folder) / "state"), "DAGSTER_HOME": str(ROOT)}
        environment |= {"PYTHONWARNINGS": "ignore"}
        if len(sys.argv) > 1:
            environment["FUND_STATE"] = str(Path(sys.argv[1]).resolve())
        else:
            run_evenings(environment)
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        server = [str(BIN / "dagster-webserver"), "-h", "127.0.0.1", "-p", str(port)]
        with (
            running(
                server,
                cwd=ROOT,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ),
            chromium(Path(folder) / "chromium") as page,
        ):
            wait_for(
                "the UI", lambda: urllib.request.urlopen(f"{base}/server_info").status == 200
            )
            for name in UI_SHOTS:
                shoot(page, base, name)
            shoot_status_page(page, environment)
            shoot_reports(page, Path(environment["FUND_STATE"]))


if __name__ == "__main__":
    main()
