"""Looking at a page in Chromium: what it says, and what it hides where it is narrow.

Does not belong here: what must be there (the tests beside it, and the walk of
`reliability/gestures`), or starting Chromium (`scripts/screenshots.py`).
"""

import json
import time
from typing import Any

from scripts.screenshots import PRELUDE, Page

#: What a narrow page hides: elements beyond its edge, places to push sideways that show no shade
#: at the edge, and texts under 10 px, in charts as they are scaled; and how many places have one.
HIDDEN = """
JSON.stringify((() => {
    const style = e => getComputedStyle(e);
    const pushed = e => e.scrollWidth > e.clientWidth + 1 && style(e).overflowX === "auto";
    const shaded = e => style(e).backgroundAttachment.includes("local")
        && style(e).backgroundAttachment.includes("scroll");
    const within = e => e && (pushed(e) || within(e.parentElement));
    const found = {beyond: [], silent: [], small: [], shaded: 0};
    for (const e of document.querySelectorAll("main *")) {
        const box = e.getBoundingClientRect();
        if (box.width && box.right > innerWidth + 1 && !within(e.parentElement))
            found.beyond.push(e.outerHTML.slice(0, 99));
        if (pushed(e)) shaded(e) ? found.shaded++ : found.silent.push(e.outerHTML.slice(0, 99));
        if ([...e.childNodes].every(n => n.nodeType !== 3 || !n.textContent.trim())) continue;
        let size = parseFloat(style(e).fontSize);
        if (e.ownerSVGElement) {
            const matrix = e.getScreenCTM?.();
            if (!matrix) continue;  // a title, which is not drawn
            size *= Math.hypot(matrix.a, matrix.b);
        }
        if (size < 10) found.small.push(`${size} ${e.textContent.slice(0, 30)}`);
    }
    return found;
})())
"""


class Browser:
    """A page of Chromium, and the addresses of what it looks at."""

    def __init__(self, page: Page, ui: str, status: str = "", patience_s: float = 60) -> None:
        self.page, self.ui, self.status, self.patience_s = page, ui, status, patience_s

    def open(self, url: str, width: int = 1400, height: int = 1000) -> None:
        """Go there, in a window of this size."""
        self.page("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)  # fmt: skip
        self.page("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'", url)

    def ask(self, script: str) -> Any:
        """The value of a script in the page."""
        return self.page.ask(PRELUDE + script)

    def wait(self, script: str, what: str) -> None:
        """Until a script in the page is true; tells what the page says when it never is."""
        end = time.monotonic() + self.patience_s
        while not self.ask(script):
            text = self.ask("document.body ? document.body.innerText : ''")
            assert time.monotonic() < end, f"{what}: {script}\n{text[:3000]}"
            time.sleep(0.2)

    def sees(self, *texts: str) -> None:
        """Until the page says all of them."""
        for text in texts:
            self.wait(f"sees({json.dumps(text)})", text)

    @property
    def text(self) -> str:
        """What the page says."""
        return str(self.ask("document.body.innerText"))
