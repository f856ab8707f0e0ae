"""What renewed the assets, and what did not: updates one by one, and counted by asset.

Belongs here: what materializations and failed steps say of an asset, in plain dataclasses. Does
not belong here: runs and checks (`run_records.py`, `check_records.py`), how records are read
(`dagster_tables.py`), judging, showing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fund_assets.observability import dagster_tables
from fund_assets.observability.dagster_tables import Ledger, Run
from fund_assets.observability.run_events import failure_words
from fund_assets.observability.run_records import ended
from fund_assets.schemas.profiles import every_evening
from fund_assets.settings import SHANGHAI


@dataclass(frozen=True)
class Update:
    """One attempt to renew an asset.

    Attributes:
        status: succeeded, failed, canceled or running. Of a run that failed, an asset failed
            whose step or blocking check did: its table may have been written all the same.
        data_date: date inside the data as `yyyy-mm-dd`, empty where there is none.
        rows: rows it read, computed or listed; None when the step failed before.
        reason: of a failed step, in words.
    """

    at: datetime
    asset: str
    run_id: str
    status: str
    data_date: str = ""
    rows: int | None = None
    rows_written: int | None = None
    duration_s: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class AssetStatistics:
    """The updates of one asset; the last two are None without any that ended, or succeeded.

    Attributes:
        rows: that it read, computed or listed, over all updates that succeeded.
        rows_written: new and changed ones of these.
    """

    asset: str
    updates: int
    succeeded: int
    failed: int
    rows: int
    rows_written: int
    success_rate: float | None
    mean_duration_s: float | None


def updates_since(ledger: Ledger, runs: Iterable[Run], since: datetime) -> list[Update]:
    """What renewed the assets, or failed to, newest first.

    Args:
        runs: at least the runs that were going since then.
    """
    known = {run.run_id: run for run in runs}
    failed = {
        run_id: _failed_assets(ledger, run_id)
        for run_id, run in known.items()
        if run.is_failure and ended(run) >= since
    }
    found = []
    for asset in every_evening():
        for event in ledger.materializations(asset, since):
            told = event.data.materialization.metadata_entries
            values = {entry.label: dagster_tables.value(entry.entry_data) for entry in told}
            found.append(
                Update(
                    at=datetime.fromtimestamp(event.at_s, SHANGHAI),
                    asset=asset,
                    run_id=event.run_id,
                    status=_status(
                        known.get(event.run_id), asset in failed.get(event.run_id, ())
                    ),
                    data_date=str(values.get("nav_date", "")),
                    rows=_first(values, "rows_read", "dagster/row_count"),
                    rows_written=_written(values),
                    duration_s=values.get("duration_seconds"),
                )
            )
    done = {(update.run_id, update.asset) for update in found}
    for run_id in failed:
        found += [u for u in _failed_steps(ledger, run_id) if (u.run_id, u.asset) not in done]
    return sorted(found, key=lambda update: update.at, reverse=True)


def asset_statistics(updates: Iterable[Update]) -> list[AssetStatistics]:
    """The updates by asset, in the order in which the pipeline renews them."""
    by_asset: dict[str, list[Update]] = {}
    for update in updates:
        by_asset.setdefault(update.asset, []).append(update)
    found = []
    for asset in (name for name in every_evening() if name in by_asset):
        renewals = by_asset[asset]
        done = [u for u in renewals if u.status != "running"]
        good = [u for u in renewals if u.status == "succeeded"]
        times = [u.duration_s for u in good if u.duration_s is not None]
        found.append(
            AssetStatistics(
                asset=asset,
                updates=len(renewals),
                succeeded=len(good),
                failed=sum(u.status == "failed" for u in renewals),
                rows=sum(u.rows or 0 for u in good),
                rows_written=sum(u.rows_written or 0 for u in good),
                success_rate=len(good) / len(done) if done else None,
                mean_duration_s=sum(times) / len(times) if times else None,
            )
        )
    return found


def _failed_assets(ledger: Ledger, run_id: str) -> set[str]:
    """The assets of a run whose own step failed, or a check that blocks."""
    found = set()
    for event in ledger.events(run_id, (dagster_tables.STEP_FAILURE, dagster_tables.CHECK)):
        told = event.data
        if event.kind == dagster_tables.STEP_FAILURE:
            found.add(str(event.step_key))
        elif told.blocking and told.severity == "ERROR" and not told.success:
            found.update(dagster_tables.names([told.asset_key]))
    return found


def _failed_steps(ledger: Ledger, run_id: str) -> Iterator[Update]:
    for event in ledger.events(run_id, (dagster_tables.STEP_FAILURE,)):
        yield Update(
            at=datetime.fromtimestamp(event.at_s, SHANGHAI),
            asset=str(event.step_key),
            run_id=run_id,
            status="failed",
            reason=failure_words(event.data),
        )


def _status(run: Run | None, failed: bool) -> str:
    """That of a materialization in a run; one of a run that was deleted counts as good."""
    if failed:
        return "failed"
    if run is None or run.is_finished:
        return "canceled" if run and run.status == "CANCELED" else "succeeded"
    return "running"


def _first(values: dict[str, Any], *names: str) -> int | None:
    return next((int(values[name]) for name in names if name in values), None)


def _written(values: dict[str, Any]) -> int | None:
    if "rows_new" in values:
        # Runs of older releases told no filled rows.
        names = ("rows_new", "rows_changed", "rows_filled")
        return sum(int(values.get(name, 0)) for name in names)
    return _first(values, "rows_written", "rows_changed")
