"""The command `status`, which looks and changes nothing.

Belongs here: options and writing. Does not belong here: facts (`monitoring/`), reads
(`warehouse/`).
"""

import json
import warnings

import click

from fund_assets.cli.opening import console, open_platform, stored_warehouse


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Facts for machines instead of panels.")
def status(as_json: bool) -> None:
    """Show how fresh, complete and sound the data is.

    Exits with 1 when something is wrong: old data, a held batch, a failed run or check, a
    calendar that ends soon.
    """
    from datetime import datetime

    from fund_assets.settings import SHANGHAI, load_settings

    settings = load_settings()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster announces what will replace its API
        from fund_assets.dagster_state import project_instance
        from fund_assets.monitoring.status import absent, gather

        if stored_warehouse(settings) is None:
            found = absent(settings)
        else:
            with project_instance() as instance:
                found = gather(open_platform(), instance, datetime.now(SHANGHAI))
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2))
    else:
        from fund_assets.monitoring.dashboard import dashboard, fit

        terminal = console()
        terminal.width = fit(terminal.width)
        terminal.print(dashboard(found, terminal.width))
    if not found.healthy:
        click.get_current_context().exit(1)
