"""What one alert is, and the kinds of alerts: the conditions that are told.

Belongs here: fingerprints, and which of the conditions have an alert. Does not belong here: the
conditions themselves (`observability/conditions.py`), when one holds (`current.py`), when it is
told (`lifecycle.py`).
"""

from dataclasses import dataclass
from hashlib import sha256

from fund_assets.observability.conditions import CONDITIONS, Severity

MOST_SUBJECT = 120
#: The conditions that are told, by name.
KINDS = {name: condition for name, condition in CONDITIONS.items() if not condition.no_alert}


@dataclass(frozen=True)
class Alert:
    """Something that is wrong now.

    Attributes:
        kind: name of its kind.
        subject: what it is about; with the kind it says which alert this is.
        day: yyyymmdd where every day has its own alert; empty otherwise.
        words: what is wrong, in Chinese. Told times are times, not ages: words that change
            by themselves would be written anew with every look.
        because: what the table of causes (`causes.py`) must know besides its kind: what made
            a run or a check fail, whose tick was missed, which table is late.
    """

    kind: str
    subject: str
    severity: Severity
    words: str
    day: str = ""
    because: str = ""

    @property
    def fingerprint(self) -> str:
        """Which alert this is: kind, subject and day, never its words."""
        return fingerprint(self.kind, self.subject, self.day)


def fingerprint(kind: str, subject: str, day: str = "") -> str:
    """The fingerprint of an alert; of a long subject its beginning and a digest."""
    if len(subject) > MOST_SUBJECT:
        digest = sha256(subject.encode()).hexdigest()[:12]
        subject = f"{subject[: MOST_SUBJECT - 13]}~{digest}"
    return ":".join(part for part in (kind, subject, day) if part)


def covers(pattern: str, fingerprint: str) -> bool:
    """Whether a fingerprint, or the name of a kind, means this alert."""
    return fingerprint == pattern or fingerprint.startswith(f"{pattern}:")
