"""The documentation site: built without a network, complete, and asking nobody for anything."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest

from scripts.screenshots import chromium, free_port, running, wait_for
from scripts.site_pages import joined, notebook_page

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
#: Folders whose Markdown is on the site, and what lies in the root.
PAGES = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "benchmarks/*.md", "docs/**/*.md")
    for path in ROOT.glob(pattern)
)
MOVED = {"README.zh-CN": "index", "README": "english", "docs/adr/README": "docs/adr/index"}
#: Where whatever is asked for outside of this machine would go.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built with a proxy that answers nothing. (With --quiet, --strict sees no warning.)"""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        ["make", "-s", "site", f"SITE={folder}", f"VENV={sys.prefix}"],
        cwd=ROOT,
        env={
            **os.environ,
            "https_proxy": NOWHERE,
            "http_proxy": NOWHERE,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return folder


class Links(HTMLParser):
    """What a page loads, what it links to, and the anchors that it has."""

    def __init__(self, text):
        super().__init__()
        self.loaded, self.linked, self.anchors = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if "id" in given:
            self.anchors.add(given["id"])
        if tag == "a" and "href" in given:
            self.linked.append(given["href"])
        elif link := given.get("src") or (tag == "link" and given.get("href")):
            self.loaded.append(link)


def test_nothing_is_loaded_from_elsewhere_and_no_link_is_dead(site):
    """Stops a font or script of another host, and a link that leads nowhere."""
    found = {path: Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    assert len(found) > len(PAGES)
    for path, links in found.items():
        if path.name == "404.html":
            continue  # its links are from the root of the host that it is put on
        for link in links.loaded:
            assert not urlsplit(link).netloc, f"{path.name} loads {link}"
        for link in [*links.loaded, *links.linked]:
            parts = urlsplit(link)
            if parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.exists(), f"{path.relative_to(site)} links to {link}"
            anchor = unquote(parts.fragment)
            if anchor and not anchor.startswith("__") and target.suffix == ".html":
                assert anchor in found[target].anchors, f"{path.name}: {link}"
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert not re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//", styles)


def test_every_page_is_there_and_says_what_it_should(site):
    """Stops the first page from being another, and generated parts from staying empty."""
    for page in PAGES:
        name = page.with_suffix("").as_posix()
        assert (site / f"{MOVED.get(name, name)}.html").is_file(), name
    assert "中国公募基金的开放数据平台" in (site / "index.html").read_text(encoding="utf-8")
    api = (site / "docs/api.html").read_text(encoding="utf-8")
    for name in ("Funds.nav", "Funds.asof", "Funds.returns", "PolarsFunds", "compute_metrics"):
        assert f'{name}"' in api, name
    assert "as they were known at a past moment" in api
    for concepts in ("docs/concepts.html", "docs/zh/concepts.html"):
        assert "images/lineage.png" in (site / concepts).read_text(encoding="utf-8")
    notebook = (site / "docs/research.html").read_text(encoding="utf-8")
    assert "total_return_index" in notebook
    assert "<svg" in notebook
    assert (site / "deploy/grafana/fund-assets.json").is_file(), "a linked file goes along"


def test_a_page_that_nobody_can_reach_ends_the_build():
    """Stops a new page from standing beside the navigation, and a decision from missing in its list."""
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert "omitted_files: warn" in config  # with --strict, a warning ends it
    listed = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    for path in (ROOT / "docs/adr").glob("0*.md"):
        title = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert f"- [{title}]({path.name})\n" in listed


def test_notebook_escapes_what_it_shows(tmp_path):
    """Stops a name with < in it from becoming markup."""
    path = tmp_path / "n.ipynb"
    path.write_text(
        '{"cells": [{"cell_type": "code", "source": ["1"], "outputs": [{"text": ["<b>\\n"]}]}]}',
        encoding="utf-8",
    )
    assert notebook_page(path) == "```python\n1\n```\n\n```text\n<b>\n```\n"


def test_each_page_has_its_language_and_leads_to_the_other(site):
    """Stops a switch that always leads to the first page, and Chinese buttons on English pages."""
    for place, lang, chinese, english in (
        ("index", "zh", "index.html", "english.html"),
        ("english", "en", "index.html", "english.html"),
        ("docs/rules", "en", "zh/rules.html", "rules.html"),
        ("docs/zh/rules", "zh", "rules.html", "../rules.html"),
        ("docs/zh/runbook", "zh", "runbook.html", "../runbook.html"),
        ("docs/returns", "en", "../index.html", "returns.html"),  # there is no Chinese one
        ("docs/adr/index", "en", "../../index.html", "index.html"),
        ("docs/research", "en", "../index.html", "research.html"),
    ):
        text = (site / place).with_suffix(".html").read_text(encoding="utf-8")
        assert f'<html lang="{lang}"' in text, place
        for hreflang, link in (("zh", chinese), ("en", english)):
            wanted = f'<a href="{link}" hreflang="{hreflang}" class="md-select__link"'
            assert wanted in text, (place, wanted)


def test_lines_of_chinese_are_joined():
    """Stops a space in the middle of a Chinese word, and a heading that swallows its text."""
    text = "## 区间\n区间止于净值\n日。\n\n- 一只\n  基金\n- 另一只\n| 甲 |\n"
    assert joined(text) == "## 区间\n区间止于净值日。\n\n- 一只基金\n- 另一只\n| 甲 |\n"


#: Query → a page that has it, and what is marked there.
QUERIES = {
    "最大回撤": ("docs/zh/metrics.html", "最大回撤"),
    "单位净值 分红": ("docs/zh/concepts.html", "分红"),
    "大面积更正": ("docs/zh/runbook.html", "大面积更正"),
    "净值怎么算": ("docs/zh/metrics.html", "净值"),
    "Sharpe": ("docs/metrics.html", "sharpe"),
    "<b>": ("docs/data-dictionary.html", None),
}


def test_opened_from_disk_it_finds_chinese_and_follows_the_system(site, tmp_path):
    """Stops a search that needs a server or cannot tell Chinese words, and a white page at night."""
    if not shutil.which(os.environ.get("CHROMIUM", "chromium")):
        pytest.skip("there is no Chromium: scripts/system.sh installs it")
    with chromium(tmp_path / "profile") as page:
        for query, (place, word) in QUERIES.items():
            page("Page.navigate", url=f"{(site / 'index.html').as_uri()}?q={quote(query)}")
            meta = "document.querySelector('.md-search-result__meta')?.textContent"
            wait_for(query, lambda meta=meta: "符合条件" in (page.ask(meta) or ""))
            found = page.ask(
                "[...document.querySelectorAll('.md-search-result__link')]"
                ".map(a => [a.href, ...[...a.querySelectorAll('mark')]"
                ".map(m => m.textContent.toLowerCase())].join(' ')).join('\\n')"
            )
            hits = [line for line in found.splitlines() if f"/{place}" in line]
            assert bool(hits) == (word is not None), (query, found)
            assert word is None or any(f" {word}" in line for line in hits), (query, hits)
        for scheme, wanted in (("light", "default"), ("dark", "slate")):
            page("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": scheme}])  # fmt: skip
            wait_for(
                scheme,
                lambda wanted=wanted: page.ask("document.body.dataset.mdColorScheme") == wanted,
            )
            ground = page.ask("getComputedStyle(document.body).backgroundColor")
            dark = max(map(int, re.findall(r"\d+", ground)[:3])) < 100
            assert dark == (scheme == "dark"), ground


def test_a_browser_asks_nobody_else(site, tmp_path):
    """Stops a script from fetching something that the pages' markup does not show."""
    if not shutil.which(os.environ.get("CHROMIUM", "chromium")):
        pytest.skip("there is no Chromium: scripts/system.sh installs it")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    server = [sys.executable, "-m", "http.server", str(port), "-b", "127.0.0.1", "-d", site]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with running(server, **quiet), chromium(tmp_path / "profile") as page:
        wait_for(
            "the server", lambda: page("Page.navigate", url=address).get("errorText", "") == ""
        )
        pages = (
            "index",
            *(f"docs/{name}" for name in ("concepts", "api", "research", "data-dictionary")),
        )
        for name in pages:
            page("Page.navigate", url=f"{address}/{name}.html")
            wait_for(name, lambda: page.ask("document.readyState") == "complete")
            asked = page.ask(
                "performance.getEntriesByType('resource').map(e => new URL(e.name).host).join()"
            )
            assert set(asked.split(",")) == {f"127.0.0.1:{port}"}, name
            assert page.ask("document.documentElement.scrollWidth <= innerWidth"), name
        page("Page.navigate", url=f"{address}/index.html?q=sharpe")
        wait_for("a hit of the search", lambda: page.ask(
            "document.querySelectorAll('.md-search-result__item').length > 0"))  # fmt: skip
