"""`python -m fund_assets` is `fund-assets`."""

from fund_assets.cli import main

main(prog_name="fund-assets")
