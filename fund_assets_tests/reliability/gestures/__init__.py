"""A walk through what people do first, on the real webserver, daemon, commands and browser.

    python -m fund_assets_tests.reliability.gestures [--keep] [--write] [PART]...

Makes a small market in a temporary folder and does each gesture as a person does it in the
terminal, as the UI does it (GraphQL), or in headless Chromium. Prints a line for each and
`n of n`; exit code 1 when one did not do what it says. With parts, those alone; `--write` puts
what was seen into docs/reliability.md.

Belongs here: what a user expects. Does not belong here: tests of the parts. One module for each
part; `walk.py` is what they share. Each gesture names the
expectation that it walks (`EXPECTED` there).
"""
