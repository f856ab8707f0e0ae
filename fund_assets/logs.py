"""Log files below FUND_STATE: one a day for each kind of process, as text or as JSON.

Belongs here: writing, naming, deleting and following them. Does not belong here: what is
logged, or Dagster's own records, which say the same and more.

- collector: what runs do: they start, log, renew, fail and end. dagster.yaml names the class.
- scheduler: what Dagster's daemon says: ticks, launched runs, and why there were none.
- health: the health server.

Several processes write one file, so nothing is renamed: the name has the day in Shanghai, a
file that is full goes on in `_1`, and every line is one appending write.
"""

import json
import logging
import re
import time
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fund_assets.safe_text import plain_lines
from fund_assets.settings import SHANGHAI, load_settings

KINDS = ("collector", "scheduler", "health")
LARGEST_BYTES = 20_000_000
#: Of Dagster's events, those that tell what became of a run; the others are in its UI.
EVENTS = {
    "PIPELINE_START", "PIPELINE_SUCCESS", "PIPELINE_FAILURE", "PIPELINE_CANCELED",
    "ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION", "STEP_FAILURE",
}  # fmt: skip
_FILE = re.compile(r"([a-z]+)-([0-9]{4}-[0-9]{2}-[0-9]{2})(?:_([0-9]+))?\.log")
_PAUSE_S = 0.3


class Lines(logging.Formatter):
    """One line a record: text for people, or a JSON object. A traceback follows its line.

    What is quoted in it acts on no terminal, and no line but the first begins at its edge.
    """

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record, without its end."""
        meta: dict[str, Any] = getattr(record, "dagster_meta", None) or {}
        event = meta.get("dagster_event")
        at = datetime.fromtimestamp(record.created, SHANGHAI)
        # Dagster calls what goes well, and checks that fail, DEBUG.
        level = logging.getLevelName(max(record.levelno, logging.INFO))
        message = meta.get("orig_message") or record.getMessage()
        values = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": level,
            "logger": record.name,
            "job": meta.get("job_name"),
            "run": meta.get("run_id"),
            "step": meta.get("step_key"),
            "message": f"{message}{_figures(event)}",
            "error": self._error(record, event),
        }
        if self._as_json:
            told = {name: plain_lines(value) for name, value in values.items() if value}
            return json.dumps(told, ensure_ascii=False)
        who = " ".join(
            part for part in (values["job"], (values["run"] or "")[:8], values["step"]) if part
        )
        error = f"\n{values['error']}" if values["error"] else ""
        said = plain_lines(f"{who or record.name}: {values['message']}{error}", "    ")
        return f"{at:%Y-%m-%d %H:%M:%S} {level:<7} {said}"

    def _error(self, record: logging.LogRecord, event: Any) -> str:
        if error := getattr(getattr(event, "event_specific_data", None), "error", None):
            return str(error.to_string()).rstrip()
        return self.formatException(record.exc_info) if record.exc_info else ""


def _figures(event: Any) -> str:
    """The figures of a renewed asset."""
    done = getattr(getattr(event, "event_specific_data", None), "materialization", None)
    values = {n: v.value for n, v in done.metadata.items()} if done else {}
    told = [f"{n} {v}" for n, v in values.items() if isinstance(v, int | float | str)]
    return f" {', '.join(told)}" if told else ""


class DailyFile(logging.Handler):
    """Appends to today's file of a kind.

    Args:
        kind: one of `KINDS`.
        folder: where, instead of below FUND_STATE.
    """

    def __init__(self, kind: str, folder: Path | None = None) -> None:
        super().__init__(logging.INFO)
        settings = load_settings()
        self._kind = kind
        self._folder = folder or log_folder()
        self._keep = timedelta(days=settings.log_retention_days)
        self.setFormatter(Lines(as_json=settings.log_format == "json"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a disk that refuses it stops nothing."""
        try:
            line = (self.format(record) + "\n").encode("utf-8", "replace")
            file = self._file(datetime.now(SHANGHAI))
            with file.open("ab", buffering=0) as out:
                out.write(line)
        except Exception:
            self.handleError(record)

    def _file(self, now: datetime) -> Path:
        day = f"{self._kind}-{now:%Y-%m-%d}"
        file, number = self._folder / f"{day}.log", 0
        if not file.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._prune(now)
        while file.exists() and file.stat().st_size >= LARGEST_BYTES:
            number += 1
            file = self._folder / f"{day}_{number}.log"
        return file

    def _prune(self, now: datetime) -> None:
        oldest = f"{now - self._keep:%Y-%m-%d}"
        for file in log_files(self._kind, self._folder):
            if (named := _FILE.fullmatch(file.name)) and named[2] < oldest:
                file.unlink(missing_ok=True)


class CollectorFile(DailyFile):
    """The handler that dagster.yaml gives to runs."""

    def __init__(self) -> None:
        super().__init__("collector")
        self.setLevel(logging.DEBUG)  # Dagster's events of a run that goes well are this
        self.addFilter(_worth_a_line)


def _worth_a_line(record: logging.LogRecord) -> bool:
    event = (getattr(record, "dagster_meta", None) or {}).get("dagster_event")
    if event is not None:
        passed = getattr(event.event_specific_data, "passed", False)
        return event.event_type_value in EVENTS and not passed
    return record.levelno >= logging.INFO


class SchedulerFile(DailyFile):
    """Takes what Dagster's daemon says from the root logger.

    The daemon sets up Dagster's own loggers anew after it has opened its storages; a handler
    there would be gone. Where the root has no other handler, Python's last resort, which one
    at the root turns off, still gets what it would have got.
    """

    def __init__(self) -> None:
        super().__init__("scheduler")

    def handle(self, record: logging.LogRecord) -> bool:
        """Write a record of the daemon; leave the others to those who had them before."""
        if record.name.startswith("dagster.daemon"):
            return super().handle(record)
        alone = logging.getLogger().handlers == [self]
        if alone and logging.lastResort and record.levelno >= logging.lastResort.level:
            return record.name.startswith("dagster") or logging.lastResort.handle(record)
        return False


def follow_daemon() -> None:
    """Write what Dagster's daemon says to the scheduler's file; only the daemon says it."""
    root = logging.getLogger()
    if not any(isinstance(handler, SchedulerFile) for handler in root.handlers):
        root.addHandler(SchedulerFile())


def log_folder() -> Path:
    """Where the log files of the chosen source lie."""
    return load_settings().state_dir / "logs"


def log_files(kind: str, folder: Path) -> list[Path]:
    """The files of a kind, oldest first."""
    found = []
    for file in folder.glob(f"{kind}-*.log"):
        if (named := _FILE.fullmatch(file.name)) and named[1] == kind:
            found.append((named[2], int(named[3] or 0), file))
    return [file for _, _, file in sorted(found)]


def last_lines(kind: str, folder: Path, count: int) -> list[str]:
    """The newest lines of a kind, over as many files as needed, oldest first."""
    found: deque[str] = deque()
    for file in reversed(log_files(kind, folder)):
        with file.open(encoding="utf-8", errors="replace") as lines:
            found.extendleft(reversed(deque(lines, maxlen=count - len(found))))
        if len(found) >= count:
            break
    return list(found)


def follow(kind: str, folder: Path) -> Iterator[str]:
    """Every line that is written from now on, without end, over the change of files."""
    known = log_files(kind, folder)
    file = known[-1] if known else None
    at = file.stat().st_size if file else 0
    while True:
        if file is not None:
            with file.open("rb") as lines:
                lines.seek(at)
                for line in lines:
                    if not line.endswith(b"\n"):
                        break  # its end is being written
                    at += len(line)
                    yield line.decode("utf-8", "replace")
        newer = [found for found in log_files(kind, folder) if found not in known]
        if newer:
            file, at = newer[0], 0
            known.append(file)
        else:
            time.sleep(_PAUSE_S)
