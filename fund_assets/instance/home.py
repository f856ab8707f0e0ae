"""Where Dagster finds this project's `dagster.yaml`, told without loading Dagster.

Belongs here: `DAGSTER_HOME` and what the file says of the storage. Does not belong here: the
storage itself (`instance/storage.py`).
"""

import os
import re
import sysconfig
from pathlib import Path

from fund_assets.settings import SettingsError

HOME = "DAGSTER_HOME"
CONFIG = "dagster.yaml"
#: Where a wheel puts it, below the environment.
SHARED = "share/fund-assets"
#: How the project's own file names its storage: SQLite files below FUND_STATE.
OURS = re.compile(
    r"^ +custom: *\{module: fund_assets\.instance\.storage, class: StateStorage\}", re.MULTILINE
)


def set_dagster_home() -> Path:
    """Point Dagster, in this process and its children, at the project's `dagster.yaml`.

    `DAGSTER_HOME` stays as it is when it is set. Otherwise it becomes the working directory
    when that holds a `dagster.yaml`, else the project's root; where the package was installed
    from a wheel, the folder that came with it.

    Raises:
        SettingsError: there is no `dagster.yaml`; says what to do.
    """
    if home := os.environ.get(HOME):
        return Path(home)
    candidates = (
        Path.cwd(),
        Path(__file__).resolve().parents[2],
        Path(sysconfig.get_path("data")) / SHARED,
    )
    for folder in candidates:
        if (folder / CONFIG).is_file():
            os.environ[HOME] = str(folder)
            return folder
    raise SettingsError(
        f"no {CONFIG} in {' or '.join(str(folder) for folder in candidates)}: run this from "
        f"the project's root, or set {HOME} to the folder that contains it"
    )


def in_our_files() -> bool:
    """Whether Dagster's records are in the files below FUND_STATE, by its `dagster.yaml`.

    Where it says so in other words, or cannot be read, Dagster itself is asked.
    """
    file = set_dagster_home() / CONFIG
    return file.is_file() and bool(OURS.search(file.read_text(encoding="utf-8")))
