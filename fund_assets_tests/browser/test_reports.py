"""The reports in a real browser: dark, light, narrow, printed, and without a word to the network.

The status page stands beside them where it is narrow: it is looked at on telephones as well.
"""

import base64
import json
import os
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fund_assets.observability.server.page import Page
from fund_assets.report.page import walk_forward_page, weekly_page
from fund_assets_tests.browser.chromium import HIDDEN
from fund_assets_tests.unit.observability.server import test_page as status_page
from fund_assets_tests.unit.report import test_page as report_page
from scripts.screenshots import chromium, wait_for

pytestmark = pytest.mark.slow


class Listener:
    """A server of this machine that nobody should ask for anything."""

    def __init__(self):
        self.asked = asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A browser, a report in which every text asks for something, and who would hear it."""
    if not (os.environ.get("CHROMIUM") or shutil.which("chromium")):
        pytest.skip("Chromium is absent: scripts/system.sh installs it")
    folder = tmp_path_factory.mktemp("reports")
    listener = Listener()
    name = (
        f"<b>粗</b>🚀\"'&<img src={listener.address}/a onerror=fetch('{listener.address}/b')>"
        f"<script>fetch('{listener.address}/c')</script><style>@import '{listener.address}/d'"
        f"</style><link rel=stylesheet href={listener.address}/e>"
    )
    before = report_page.NAME
    report_page.NAME = name
    try:
        page = weekly_page(report_page.facts(), report_page.OPERATIONS)
    finally:
        report_page.NAME = before
    (folder / "weekly.html").write_text(page, encoding="utf-8")
    walked = walk_forward_page(report_page.walk(), report_page.NOW, "akshare")
    (folder / "walk.html").write_text(walked, encoding="utf-8")
    status = Page(status_page.UI).render(status_page.RICH)
    (folder / "status.html").write_text(status, encoding="utf-8")
    with chromium(folder / "chromium") as browser:
        browser("Page.enable")
        yield browser, folder, listener, name
    listener.close()


def show(browser, file, *, width=1180, scheme="light", media="screen"):
    browser("Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=False)  # fmt: skip
    browser("Emulation.setEmulatedMedia", media=media,
            features=[{"name": "prefers-color-scheme", "value": scheme}])  # fmt: skip
    browser("Page.navigate", url=file.as_uri())
    wait_for(file.name, lambda: browser.ask("document.readyState === 'complete'"))


def luminance(browser, what):
    """How bright a colour is, from 0 to 1: `what` is a script that gives rgb(...)."""
    red, green, blue = json.loads(
        browser.ask(f"JSON.stringify(({what}).match(/[0-9.]+/g).slice(0, 3).map(Number))")
    )
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


def test_no_request_leaves_the_page(opened):
    """Stops a name from fetching anything, and the page from needing the network."""
    browser, folder, listener, name = opened
    for file in ("weekly.html", "walk.html"):
        show(browser, folder / file)
        assert browser.ask("performance.getEntriesByType('resource').length") == 0
        assert browser.ask("document.scripts.length + document.images.length") == 0
        assert (
            browser.ask(
                "document.querySelectorAll('main link, main :not(defs) > style').length"
            )
            == 0
        )
    show(browser, folder / "weekly.html")
    assert browser.ask("document.body.innerText").count(name) >= 6, "it is shown as it is"
    labels = browser.ask("document.querySelector('.chart[aria-label*=粗]') !== null")
    assert labels, "in the name of a picture too"
    assert listener.asked == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_charts_stand_out(opened, scheme):
    """Stops black charts on a black page: text, axes and curves against what is behind them."""
    browser, folder, _, _ = opened
    show(browser, folder / "weekly.html", scheme=scheme)
    ground = luminance(
        browser, "getComputedStyle(document.querySelector('section')).backgroundColor"
    )
    assert (ground < 0.2) == (scheme == "dark")
    ink = luminance(browser, "getComputedStyle(document.body).color")
    of = "getComputedStyle([...document.querySelectorAll('.chart {}')].at({})).{}"
    curve = luminance(browser, of.format("g[id*=return-] path", 0, "stroke"))
    text = luminance(browser, of.format("text", -1, "fill"))
    for what in (ink, curve, text):
        assert abs(what - ground) > 0.3, (what, ground)


@pytest.mark.parametrize("width", [390, 800, 1400])
@pytest.mark.parametrize("file", ["weekly.html", "walk.html"])
def test_pages_fit(opened, width, file):
    """Stops a page that has to be pushed sideways on a telephone."""
    browser, folder, _, _ = opened
    show(browser, folder / file, width=width)
    assert browser.ask("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("file", "least"), [("weekly", 2), ("walk", 1), ("status", 1)])
def test_a_telephone_hides_nothing(opened, scheme, file, least):
    """Stops texts too small to read, and columns beyond an edge that nothing tells of."""
    browser, folder, _, _ = opened
    show(browser, folder / f"{file}.html", width=390, scheme=scheme)
    found = json.loads(browser.ask(HIDDEN))
    shaded = found.pop("shaded")
    assert found == {"beyond": [], "silent": [], "small": []}
    assert shaded >= least, "what is too wide is there to be pushed"


def test_it_prints_on_white_in_the_dark_too(opened):
    """Stops pages of black ink, and a table whose head is on its first sheet alone."""
    browser, folder, _, _ = opened
    show(browser, folder / "weekly.html", scheme="dark", media="print")
    assert (
        luminance(
            browser, "getComputedStyle(document.querySelector('section')).backgroundColor"
        )
        > 0.99
    )
    assert luminance(browser, "getComputedStyle(document.body).color") < 0.01
    assert (
        browser.ask("getComputedStyle(document.querySelector('thead')).display")
        == "table-header-group"
    )
    printed = base64.b64decode(browser("Page.printToPDF", printBackground=True)["data"])
    assert printed.startswith(b"%PDF") and len(printed) > 20_000
