"""The pages of the site that are not in docs/, for MkDocs (mkdocs.yml names this file).

Pages are taken as they are in the repository: README.zh-CN.md is the first page, figures come
from benchmarks/, decisions get a list, the notebook becomes a page, and the graph of the assets
is drawn from the snapshot that tests hold against the code. Links lead to where a file stands
on the site; a file that pages link to and that is no page goes along as it is. A page of
docs/zh/ says in Chinese what the page of the same name in docs/ says; each links to the other.
"""

import json
import posixpath
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: Pages of the repository's root, beside the two that are first pages.
OF_THE_PROJECT = ("CHANGELOG.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md")
SNAPSHOT = ROOT / "fund_assets_tests" / "graph" / "snapshot.json"
GRAPH = "<!-- graph of the assets -->"
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
FENCE = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
HAN = "[\u3000-\u9fff\uff00-\uffef]"
ENGLISH, MORE = "English", "More"
FIGURES, EVIDENCE, DECISIONS = "Performance", "Evidence", "Decisions"
BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y = 150, 40, 60, 22


def pages() -> dict[str, str]:
    """Path in the repository → path on the site, of every page."""
    found = {"README.zh-CN.md": "index.md", "README.md": "english.md"}
    found |= {name: name.lower().replace("_", "-") for name in OF_THE_PROJECT}
    for folder, pattern in (
        ("benchmarks", "*.md"),
        ("docs", "**/*.md"),
        ("docs", "*.ipynb"),
    ):
        for path in sorted((ROOT / folder).glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            place = name.removeprefix("docs/")
            found[name] = f"{place}.md" if path.suffix == ".ipynb" else place
    return found


def on_config(config: Any) -> Any:
    """Pages that the navigation does not name are added to it."""
    named = set(_named(config.nav))
    places = list(pages().values())
    figures = [place for place in places if place.startswith("benchmarks/")]
    decisions = ["adr/index.md", *(place for place in places if place.startswith("adr/"))]
    rest = [place for place in places if place not in {*named, *figures, *decisions}]
    english = next(part[ENGLISH] for part in config.nav if ENGLISH in part)
    for section in english:
        if EVIDENCE in section:
            section[EVIDENCE] += [{FIGURES: figures}]
    english.append({MORE: [*rest, {DECISIONS: decisions}]})
    return config


def on_files(files: Any, config: Any) -> Any:
    """Everything that pages link to is on the site."""
    from mkdocs.structure.files import File

    places = pages()
    for name, place in places.items():
        source = ROOT / name
        if source.suffix == ".ipynb":
            if plain := files.get_file_from_path(name.removeprefix("docs/")):
                files.remove(plain)
            files.append(File.generated(config, place, content=notebook_page(source)))
        elif not name.startswith("docs/"):
            content = source.read_text(encoding="utf-8")
            files.append(File.generated(config, place, content=content))
    titles = [
        (place.removeprefix("adr/"), (ROOT / name).read_text(encoding="utf-8").split("\n")[0])
        for name, place in places.items()
        if place.startswith("adr/")
    ]
    index = "\n".join(f"* [{title.removeprefix('# ')}]({place})" for place, title in titles)
    files.append(File.generated(config, "adr/index.md", content=f"# Decisions\n\n{index}\n"))
    for name in sorted(_plain_files(places)):
        files.append(File.generated(config, _shown(name), abs_src_path=str(ROOT / name)))
    return files


def is_chinese(place: str) -> bool:
    """Whether a page of the site is written in Chinese."""
    return place == "index.md" or place.startswith("zh/")


def beside(place: str) -> str:
    """The page that says the same in the other language, or else its first page."""
    if place in ("index.md", "english.md"):
        return "english.md" if place == "index.md" else "index.md"
    other = place.removeprefix("zh/") if is_chinese(place) else f"zh/{place}"
    return other if other in pages().values() else "index.md"


def on_page_context(context: Any, *, page: Any, config: Any, **_: Any) -> Any:
    """The theme speaks the page's language, and its switch leads to the page beside it."""
    place = page.file.src_uri
    chinese = is_chinese(place)
    config.theme["language"] = "zh" if chinese else "en"
    here, there = page.file.dest_uri, f"{beside(place).removesuffix('.md')}.html"
    config.extra["alternate"] = [
        {"name": "中文", "lang": "zh", "link": here if chinese else there},
        {"name": "English", "lang": "en", "link": there if chinese else here},
    ]
    return context


def on_post_build(config: Any) -> None:
    """The index of the search as a script too: a page from disk may load no data."""
    index = Path(config.site_dir) / "search" / "search_index.json"
    words = index.read_text(encoding="utf-8")
    index.with_suffix(".js").write_text(f"var __index = {words}\n", encoding="utf-8")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Links lead to where things stand on the site; the graph is drawn."""
    places = pages()
    place = page.file.src_uri
    source = next((name for name, at in places.items() if at == place), None)
    if GRAPH in markdown:
        markdown = markdown.replace(GRAPH, graph())
    if source is None:
        return markdown

    def moved(match: re.Match[str]) -> str:
        words, target, anchor = match.groups()
        if ":" in target:
            return match[0]
        name = _resolved(source, target)
        if name == "docs/adr":
            there = "adr/index.md"
        elif (ROOT / name).is_dir():
            return words  # a folder is no page
        else:
            there = places.get(name) or _shown(name)
        link = posixpath.relpath(there, posixpath.dirname(place) or ".")
        return f"[{words}]({link}{anchor or ''})"

    return "".join(
        part if part.startswith("```") else LINK.sub(moved, joined(part))
        for part in FENCE.split(markdown)
    )


def joined(text: str) -> str:
    """Lines that break between Chinese characters as one: browsers would show a space there."""
    lines: list[str] = []
    for line in text.split("\n"):
        before = lines[-1] if lines else "#"
        goes_on = re.search(f"{HAN}$", before) and re.match(f" *{HAN}", line)
        if goes_on and not before.startswith("#"):
            lines[-1] += line.lstrip()
        else:
            lines.append(line)
    return "\n".join(lines)


def notebook_page(path: Path) -> str:
    """A notebook as Markdown: its texts, its code, and what the code gave."""
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(text)
            continue
        parts.append(f"```python\n{text}\n```")
        for output in cell["outputs"]:
            data = output.get("data", {})
            if html := "".join(data.get("text/html", "")):
                rows = html[html.index("<thead>") : html.index("</table>")]
                parts.append(f"<div><table>{rows}</table></div>".replace("\n", ""))
            elif svg := "".join(data.get("image/svg+xml", "")):
                parts.append(f"<div>{svg}</div>".replace("\n", " "))
            else:
                said = "".join(output.get("text") or data["text/plain"])
                parts.append(f"```text\n{said.rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def graph() -> str:
    """The assets and what each is made from, as an SVG that takes the page's colours."""
    assets = json.loads(SNAPSHOT.read_text(encoding="utf-8"))["assets"]
    parents = {name: [p for p in of["parents"] if p in assets] for name, of in assets.items()}

    children = {name: [c for c in parents if name in parents[c]] for name in parents}

    def depth(name: str) -> int:
        return 1 + max((depth(parent) for parent in parents[name]), default=-1)

    def column(name: str) -> int:
        """As late as what is made from it allows, so that lines are short."""
        return min((column(child) for child in children[name]), default=depth(name) + 1) - 1

    columns: dict[int, list[str]] = {}
    for name in sorted(parents):
        columns.setdefault(column(name), []).append(name)
    tallest = max(map(len, columns.values())) * (BOX_HEIGHT + GAP_Y)
    at = {}
    for place, names in columns.items():
        top = (tallest - len(names) * (BOX_HEIGHT + GAP_Y)) / 2 + GAP_Y / 2
        for row, name in enumerate(names):
            at[name] = (place * (BOX_WIDTH + GAP_X), top + row * (BOX_HEIGHT + GAP_Y))
    width = len(columns) * (BOX_WIDTH + GAP_X) - GAP_X
    shapes = []
    for name, (x, y) in at.items():
        for parent in parents[name]:
            x0, y0 = at[parent][0] + BOX_WIDTH, at[parent][1] + BOX_HEIGHT / 2
            y1, middle = y + BOX_HEIGHT / 2, x - GAP_X / 2
            shapes.append(
                f'<path d="M{x0:g} {y0:g} C{middle:g} {y0:g} {middle:g} {y1:g} {x:g} {y1:g}" '
                'fill="none" stroke="currentColor" stroke-opacity=".45"/>'
            )
        shapes.append(
            f'<rect x="{x:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6" '
            'fill="none" stroke="currentColor"/>'
            f'<text x="{x + BOX_WIDTH / 2:g}" y="{y + BOX_HEIGHT / 2 + 5:g}" font-size="14" '
            f'text-anchor="middle" fill="currentColor">{escape(name)}</text>'
        )
    return (
        f'<svg role="img" aria-label="{escape(", ".join(at))}" '
        f'viewBox="-2 -2 {width + 4:g} {tallest + 4:g}" '
        f'style="width:100%;max-width:{width:g}px">{"".join(shapes)}</svg>'
    )


def _named(nav: Any) -> Iterator[str]:
    for entry in nav:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            yield from [value] if isinstance(value, str) else _named(value)


def _resolved(source: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))


def _shown(name: str) -> str:
    """Where a file that is no page stands; MkDocs leaves names with a leading dot out."""
    name = name.removeprefix("docs/")
    return f"{name[1:]}.txt" if name.startswith(".") else name


def _plain_files(places: dict[str, str]) -> set[str]:
    """Files outside docs/ that pages link to and that are no pages."""
    found = set()
    for name in places:
        if name.endswith(".ipynb"):
            continue
        text = FENCE.sub("", (ROOT / name).read_text(encoding="utf-8"))
        for _, target, _ in LINK.findall(text):
            linked = "" if ":" in target else _resolved(name, target)
            if linked not in places and not linked.startswith("docs/"):
                found |= {linked} if (ROOT / linked).is_file() else set()
    return found
