"""What the site needs and no plugin of MkDocs gives; mkdocs.yml names this file as a hook.

MkDocs, Material and their plugins do the rest: `make site` copies the pages into one folder as
they lie in the repository, so that their links hold; mkdocs.yml has the navigation, and a page
that it lacks ends the build. Four things remain. The first page is Chinese: MkDocs takes
README.md. A page of docs/zh/ and the page of the same name in docs/ lead to each other:
mkdocs-static-i18n has one first language for all pages and takes the others from suffixes or
folders of their own. The stored notebook is a page: mkdocs-jupyter brings a kernel and fifty
packages for it, and pages that name a host for scripts. Chinese lines are joined: browsers show
their break as a space, and the one extension for it (pymdownx-cjk-autojoin) is young.
"""

import json
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

CHINESE, ENGLISH = "README.zh-CN.md", "README.md"
FIRST_PAGES = {CHINESE: "index.html", ENGLISH: "english.html"}
HAN = "[\u3000-\u9fff\uff00-\uffef]"
FENCE = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)


class Notebook(File):
    """A notebook that is a page, where links to its file lead."""

    def is_documentation_page(self) -> bool:
        """It is read by `on_page_read_source`."""
        return True


def on_files(files: Any, config: Any) -> Any:
    """The first pages are where a reader looks for them, and notebooks are pages."""
    for name, place in FIRST_PAGES.items():
        files.get_file_from_path(name).dest_uri = place
    for file in [file for file in files if file.src_uri.endswith(".ipynb")]:
        files.remove(file)
        files.append(Notebook(file.src_uri, config.docs_dir, config.site_dir, False))
    return files


def on_page_read_source(*, page: Any, **_: Any) -> str | None:
    """A notebook as Markdown; nothing for a page that is Markdown already."""
    path = Path(page.file.abs_src_path)
    return notebook_page(path) if path.suffix == ".ipynb" else None


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Lines of Chinese joined, but not within code."""
    return "".join(
        part if part.startswith("```") else joined(part) for part in FENCE.split(markdown)
    )


def on_page_context(context: Any, *, page: Any, config: Any, nav: Any) -> Any:
    """The theme speaks the page's language, and its switch leads to the page in the other."""
    here = page.file.src_uri
    chinese = here == CHINESE or here.startswith("docs/zh/")
    others = {other.file.src_uri: other.file for other in nav.pages}
    twin = here.replace("docs/zh/", "docs/") if chinese else here.replace("docs/", "docs/zh/")
    first = ENGLISH if chinese else CHINESE
    there = others[twin if twin in others and twin != here else first].dest_uri
    own = page.file.dest_uri
    config.theme["language"] = "zh" if chinese else "en"
    config.extra["alternate"] = [
        {"name": "中文", "lang": "zh", "link": own if chinese else there},
        {"name": "English", "lang": "en", "link": there if chinese else own},
    ]
    return context


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
