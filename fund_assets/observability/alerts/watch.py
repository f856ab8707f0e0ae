"""The watcher: the same look as the sensor's, from outside Dagster.

Belongs here: opening what a look needs without trusting any of it, and the ping of an outside
dead-man's switch. Does not belong here: the look (`evaluation.py`), options (`cli/`).

A daemon cannot tell of its own death, nor a sensor of a daemon that does not evaluate it. The
states of alerts are shared, so what one of the two has told, the other does not tell again.
"""

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from fund_assets.instance.storage import RecordsError, project_instance
from fund_assets.observability.alerts.channels import ChannelError
from fund_assets.observability.alerts.channels.base import ask
from fund_assets.observability.alerts.evaluation import Outcome, evaluate
from fund_assets.observability.conditions import Severity
from fund_assets.resources import Platform
from fund_assets.settings import SHANGHAI, SettingsError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Watched:
    """One watch: what the look found, and what became of the ping.

    Attributes:
        pinged: None when none was to be sent, else whether it was answered.
    """

    outcome: Outcome
    pinged: bool | None


def watch() -> Watched:
    """Look once, by the settings of now.

    Raises:
        SettingsError: a setting is wrong.
    """
    platform = Platform()
    url = platform.settings.watch_ping_url.get_secret_value()
    with ExitStack() as opened:
        instance: dg.DagsterInstance | None = None
        try:
            instance = opened.enter_context(project_instance())
        except RecordsError as error:
            log.error("%s", error)
        except SettingsError:
            raise
        except Exception:  # whatever its storage raises
            log.exception("the Dagster instance cannot be opened")
        outcome = evaluate(platform, instance, datetime.now(SHANGHAI))
    sound = outcome.worst is not Severity.CRITICAL
    return Watched(outcome, _ping(url) if url and sound else None)


def _ping(url: str) -> bool:
    """Tell the outside that somebody watches and nothing critical holds."""
    try:
        ask(url)
    except ChannelError as error:
        log.warning("FUND_WATCH_PING_URL: %s", error)
        return False
    return True
