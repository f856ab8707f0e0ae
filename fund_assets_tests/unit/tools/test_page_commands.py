"""Commands are taken out of pages as a reader types them."""

import re

import pytest

from fund_assets_tests.reliability import deployment
from fund_assets_tests.reliability.page_commands import commands

PAGE = """# A page
Look with `fund-assets alert
list`, never with `fund-assets …` or `fund_nav`.

```bash
# first of all
cd /opt/fund-assets
install -m 600 a \\
    b          # and fill it in

```

## Another
```nginx
auth_request /oauth2/auth;
```
```sh
FUND_AS=migrate fund-assets init
```
Again `fund-assets alert list`; `FUND_AS=migrate fund-assets init`; `systemctl status`.
"""


def test_lines_of_blocks_and_of_sentences(tmp_path):
    """Stops a command from being missed, torn at a line's end, or typed twice."""
    (tmp_path / "page.md").write_text(PAGE, encoding="utf-8")
    found = [(c.heading, c.block, c.text) for c in commands(tmp_path / "page.md")]
    assert found == [
        ("A page", 1, "cd /opt/fund-assets"),
        ("A page", 1, "install -m 600 a \\\n    b          # and fill it in"),
        ("Another", 2, "FUND_AS=migrate fund-assets init"),
        ("A page", 0, "fund-assets alert list"),
        ("Another", 0, "systemctl status"),
    ]


@pytest.mark.parametrize("page", deployment.PAGES)
def test_what_is_filled_in_is_there_to_be_filled_in(page):
    """Stops a page from leaving to its reader what the walk would not know."""
    for command in commands(deployment.ROOT / "docs" / f"{page}.md"):
        unknown = re.findall(r"<[a-z][a-z ]+>", command.text)
        assert set(unknown) <= {"<this repository>", "<the older release>"}, command
