"""The status page and the weekly report on a telephone."""

import json
import urllib.request

from fund_assets_tests.browser.chromium import HIDDEN
from fund_assets_tests.reliability.gestures.walk import LAST, Part, Walk
from scripts.screenshots import free_port

PART = Part("page")
WIDTH = 390


def fits(walk: Walk, address: str, *texts: str) -> str:
    """What a narrow page shows; nothing of it is hidden."""
    see = walk.browser
    see.open(address, width=WIDTH)
    see.sees(*texts)
    wide = see.ask("document.documentElement.scrollWidth")
    assert wide <= WIDTH, f"{wide} px wide"
    found = json.loads(see.ask(HIDDEN))
    shaded = found.pop("shaded")
    assert found == {"beyond": [], "silent": [], "small": []}, found
    return f"{wide} px, {shaded} tables to push, with a shade"


@PART.walks(12, f"the status page, {WIDTH} px wide")
def status(walk: Walk) -> str:
    """It says what the dashboard says."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    from fund_assets_tests.reliability.gestures.walk import BIN

    with walk.running(str(BIN / "fund-assets"), "serve", "--port", str(port)):
        walk.wait("the status page", lambda: urllib.request.urlopen(f"{base}/livez"))
        told = walk.dashboard(clock=LAST, code=None)
        return fits(walk, base, "新鲜度", "daily_pipeline", LAST[:10], f"{told['nav_rows']:,}")


@PART.walks(12, f"the weekly report, {WIDTH} px wide")
def report(walk: Walk) -> str:
    """Kinds and movers are there, each figure with its label, which the style writes."""
    saw = fits(walk, walk.report.as_uri(), "市场概览", "本周最好与最差")
    labels = "[...document.querySelectorAll('.cards td')].filter(e => "
    labels += "getComputedStyle(e, '::before').content.includes('今年来中位')).length"
    kinds = walk.browser.ask(labels)
    assert kinds >= 5, f"{kinds} medians of the year have their label"
    return f"{saw}; {kinds} kinds"
