"""The shapes that go into and come out of planning a merge.

Belongs here: plain containers that `warehouse/` fills and writes. Does not belong here: any
logic on them.
"""

from dataclasses import dataclass, field

import pandas as pd

from fund_assets.nav.cadence import Cadence, no_cadence
from fund_assets.nav.rules import Severity, Verdict
from fund_assets.schemas.tables import NAV_QUARANTINE

#: What a kind of batch speaks with; any other kind is a voice of its own.
VOICES = {"wave": "page", "history": "history"}


@dataclass(frozen=True)
class Batch:
    """A landed batch, as `collection_batch` and `fund_nav` hold it.

    Attributes:
        landed: the columns of FUND_NAV.
        refused: observations quarantined when it landed, for want of a valid code or date.
        rows_read: landed and refused ones together.
        origin: of a batch of the desk, the kind of the batch whose rows it has.
    """

    batch_id: str
    kind: str
    newest_date: int
    previous_date: int | None
    collected_at: int
    rows_read: int
    landed: pd.DataFrame
    refused: int = 0
    origin: str = ""

    @property
    def voice(self) -> str:
        """What it speaks with: two sights of one voice are one witness."""
        kind = self.origin or self.kind
        return VOICES.get(kind, kind)

    @property
    def is_wave(self) -> bool:
        """Whether it is a wave of the whole market and no set of histories."""
        return self.kind == "wave"

    @property
    def is_recorded(self) -> bool:
        """Whether its rows are the past as histories tell it, and no news of a wave."""
        return (self.origin or self.kind) != "wave"


@dataclass(frozen=True)
class Shape:
    """How many rows a wave had, and of which funds."""

    rows: int
    members: frozenset[str]


@dataclass(frozen=True)
class Known:
    """What the warehouse knows beside the batch.

    Attributes:
        stored: accepted rows of the batch's funds: from some sessions before it on and the
            last one before that, or all of them for histories. Columns of VALIDATED_NAV.
        events: columns of FUND_EVENTS, of the batch's funds.
        kinds: fund_code → kind.
        types: fund_code → type as listed; one that is not here has its kind's limits.
        sightings: rows held before that nobody has settled, columns of `witness.SIGHTINGS`.
        members_before: codes of the last published wave.
        usual_rows: median rows of published waves, the last 20 or those of the same weekday,
            whichever is less; None before the first.
        rows_before: rows of the wave that was published last.
        blocked: of each session since then whose waves were blocked, the last, newest first.
        listed: how many funds the list knows.
        market_on: date → funds with a stored NAV, for batches that do not have the market.
        published_date: newest date of any published wave; None before the first.
        decisions: what people decided of held rows, columns of NAV_QUARANTINE, oldest first.
        refuted: held rows that witnesses rejected, columns of NAV_QUARANTINE, oldest first.
        cadence: how often funds publish, for waves.
        ended: funds of which no NAV is expected any more.
    """

    stored: pd.DataFrame
    events: pd.DataFrame
    kinds: dict[str, str]
    sightings: pd.DataFrame
    members_before: frozenset[str]
    usual_rows: float | None
    published_date: int | None
    rows_before: float | None = None
    blocked: tuple["Shape", ...] = ()
    listed: int = 0
    market_on: dict[int, int] = field(default_factory=dict)
    decisions: pd.DataFrame = field(default_factory=NAV_QUARANTINE.empty)
    refuted: pd.DataFrame = field(default_factory=NAV_QUARANTINE.empty)
    types: dict[str, str] = field(default_factory=dict)
    cadence: Cadence = field(default_factory=no_cadence)
    ended: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Plan:
    """What a publish of the batch writes.

    Attributes:
        upserts: new and changed rows, columns of VALIDATED_NAV.
        rechained: stored rows of which only what is derived changes: fund_code, nav_date,
            days_covered, total_return_index, return_status.
        inferred: rows of FUND_EVENTS, status inferred, that are new or changed.
        outdated: fund_code, ex_date, kind of stored inferred events that are none any more.
        revisions: values that `upserts` replace, columns of NAV_REVISION.
        held: quarantined observations with `rule` and `reason`, one row per rule; `state`,
            `decided_by` and `decided_because` of those that a witness has refuted before.
        settled: held rows of earlier batches that are decided now, columns of
            `witness.SETTLED`.
        passed: upserts that a witness lets pass, columns of `witness.EVIDENCE`.
        verdicts: what every rule found, in the order of the rule book.
    """

    upserts: pd.DataFrame
    rechained: pd.DataFrame
    inferred: pd.DataFrame
    outdated: pd.DataFrame
    revisions: pd.DataFrame
    held: pd.DataFrame
    settled: pd.DataFrame
    passed: pd.DataFrame
    verdicts: tuple[Verdict, ...]
    rows_new: int
    rows_changed: int
    rows_filled: int
    rows_unchanged: int
    rows_quarantined: int
    rows_pending: int

    @property
    def counts(self) -> dict[str, int]:
        """What became of the observations, as publish_log has it."""
        names = ("new", "changed", "filled", "unchanged", "quarantined", "pending")
        return {f"rows_{name}": getattr(self, f"rows_{name}") for name in names}

    @property
    def blocked_by(self) -> list[Verdict]:
        """The blocking rules that the batch breaches; not empty: nothing may be written."""
        return [v for v in self.verdicts if v.severity == Severity.BLOCK.value and not v.passed]
