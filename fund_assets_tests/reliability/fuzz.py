"""Answers of the source, mutated by the thousand, through every decoder.

    python -m fund_assets_tests.reliability.fuzz [--count 20000] [--seed 1] [--only NAME ...]

Belongs here: the answers, the ways they are spoilt, and what must hold of a decoder whatever
comes: a typed error or a frame that is in order, within 2 s and 300 MB. Does not belong here:
the transport (`fund_assets_tests/faults`).

akshare is called here in this process and not in its child, whose limits would hide what it
costs.
"""

import argparse
import json
import os
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fund_assets.calendar import exchange_sessions
from fund_assets.safe_text import plain
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.settings import load_settings
from fund_assets.sources.eastmoney import (
    akshare_calls,
    akshare_client,
    akshare_tables,
    decode_events,
    decode_pages,
    trading_days,
)
from fund_assets.sources.eastmoney import indices as index_closes
from fund_assets.sources.eastmoney.cells import event_frame
from fund_assets.sources.eastmoney.decode_history import decode_history
from fund_assets.sources.eastmoney.decode_list import decode_list
from fund_assets.sources.eastmoney.decode_snapshot import decode_snapshot
from fund_assets.transport.errors import DefectError, SourceError
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.http_answer import Answer
from fund_assets_tests.server import wire
from fund_assets_tests.server.content import content_from_source
from fund_assets_tests.server.tiny import TinyMarket
from fund_assets_tests.unit.sources.eastmoney.test_trading_days import encode

#: Of processor time, children included: other programs on the machine are no decoder's doing.
LONGEST_S = 2.0
LONGEST_WAIT_S = 30.0
MOST_MB = 300
Decode = Callable[[bytes], list[pd.DataFrame]]


@dataclass(frozen=True)
class Decoder:
    """A decoder, answers that it reads, and how often it comes up beside the others.

    `most`: bytes of an answer. akshare's own decoder of JavaScript reads a whole one with a
    fifth of a megabyte a second, which its child's limit of time is for.
    """

    name: str
    decode: Decode
    answers: tuple[bytes, ...]
    weight: float = 1.0
    most: int = 2**20


@dataclass
class Found:
    """What came of some mutated answers.

    Attributes:
        ends: how many ended in which way: `read`, or the name of an error.
        untyped, slow, large, unclean: what must not be, in words.
    """

    count: int = 0
    longest_s: float = 0.0
    most_mb: float = 0.0
    ends: Counter[str] = field(default_factory=Counter)
    untyped: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    large: list[str] = field(default_factory=list)
    unclean: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether nothing came that must not."""
        return not (self.untyped or self.slow or self.large or self.unclean)


def run(count: int, seed: int, only: tuple[str, ...] = ()) -> dict[str, Found]:
    """Decode `count` mutated answers; decoder → what came of its part."""
    dice = random.Random(seed)
    found: dict[str, Found] = {}
    with akshare_here():
        known = [d for d in decoders() if not only or d.name in only]
        pool = [answer for d in known for answer in d.answers]
        for decoder in known:
            decoder.decode(decoder.answers[0])  # what it imports is no cost of an answer
            found[decoder.name] = Found()
        weights = [d.weight for d in known]
        for number in range(count):
            decoder = dice.choices(known, weights)[0]
            body = mutated(dice, dice.choice(decoder.answers), pool)[: decoder.most]
            _try(decoder, body, found[decoder.name], f"{decoder.name} {seed}/{number}")
    return found


def _try(decoder: Decoder, body: bytes, found: Found, name: str) -> None:
    before = _peak_mb(reset=True)
    begun, worked = time.monotonic(), _worked_s()
    frames: list[pd.DataFrame] = []
    try:
        frames = decoder.decode(body)
        end = "read"
        if not frames:
            found.unclean.append(f"{name}: nothing came, and no error")
    except SourceError as error:
        end = type(error).__name__
        if isinstance(error, DefectError):
            found.untyped.append(f"{name}: {error}")
        if not _is_plain(str(error)):
            found.unclean.append(f"{name}: message {str(error)[:80]!r}")
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        end = "untyped"
        where = traceback.extract_tb(error.__traceback__)[-1]
        found.untyped.append(
            f"{name}: {type(error).__name__} at {Path(where.filename).name}:{where.lineno}: "
            f"{str(error)[:100]}"
        )
    took, used = _worked_s() - worked, _peak_mb() - before
    if (waited := time.monotonic() - begun) > LONGEST_WAIT_S:
        took = max(took, waited)
    found.count += 1
    found.ends[end] += 1
    found.longest_s, found.most_mb = max(found.longest_s, took), max(found.most_mb, used)
    if took > LONGEST_S:
        found.slow.append(f"{name}: {took:.1f} s for {len(body):,} bytes")
    if used > MOST_MB:
        found.large.append(f"{name}: {used:.0f} MB for {len(body):,} bytes")
    found.unclean += [f"{name}: {said}" for frame in frames for said in _unclean(frame)]


def _unclean(frame: pd.DataFrame) -> Iterator[str]:
    """What no decoder may let through: acting texts, infinite figures, dates that are none."""
    for name in frame.columns:
        values = frame[name]
        if name in (*OBSERVED_NAMES, "close") and np.isinf(values.to_numpy(float)).any():
            yield f"an infinite {name}"
        elif name in ("nav_date", "ex_date"):
            if len(values) and not values.between(19_900_101, 21_001_231).all():
                yield f"{name} {values.min()} to {values.max()}"
        elif str(values.dtype) in ("str", "object") and not all(map(_is_plain, values)):
            yield f"an acting text in {name}"


def _is_plain(text: object) -> bool:
    return not isinstance(text, str) or plain(text.replace("\n", " ")) == text.replace(
        "\n", " "
    )


# -- decoders -------------------------------------------------------------------------------


def decoders() -> list[Decoder]:
    """Every decoder of an answer, with answers made by the builders of the tests' servers."""
    tiny = content_from_source(TinyMarket())

    def built(endpoint: str, asked: str = "") -> bytes:
        reply = tiny.reply(endpoint, asked)
        assert reply is not None, endpoint
        return reply.body

    days = (date(2026, 11, 20), date(2026, 11, 19))
    many = [
        (f"{at:06d}", f"名{at}混合", "MHH", "1.2345", "3.849", "1.2336", "3.8481", "0.0009", "0.07")
        for at in range(120)
    ]  # fmt: skip
    market = (built("open_funds"), wire.snapshot(days, many))
    listing = (built("fund_list"),)
    history, money = built("history", "000001"), built("history", "000009")
    closes = wire.index_history(
        "000300", "沪深300", [(20260900 + day, 4000.0 + day) for day in range(1, 30)], 8
    )
    lists = {
        f"events of the {kind}": (
            endpoint,
            (built(endpoint, "2026/1"), _events(kind)),
        )
        for kind, endpoint in (("dividend", "dividend_list"), ("split", "split_list"))
    }
    return [
        Decoder("market snapshot", _snapshot, market, 3),
        Decoder("fund list", lambda body: [decode_list(body)], listing),
        Decoder("history", lambda b: list(decode_history(b, "000001")), (history,), 4),
        Decoder("money history", lambda b: list(decode_history(b, "000009")), (money,), 2),
        *(
            Decoder(name, _event_decoder(endpoint), answers)
            for name, (endpoint, answers) in lists.items()
        ),
        Decoder("money page", _page_decoder(decode_pages.MONEY), (built("money_funds"),), 2),
        Decoder("exchange page", _page_decoder(decode_pages.EXCHANGE),
                (built("exchange_funds"),), 2),
        Decoder("money page by akshare", _page(akshare_tables.akshare_money_page),
                (built("money_funds"),)),
        Decoder("exchange page by akshare", _page(akshare_tables.akshare_exchange_page),
                (built("exchange_funds"),)),
        Decoder("market snapshot by akshare", _akshare_snapshot, market, most=2**17),
        Decoder("fund list by akshare", lambda b: [akshare_tables.akshare_list(_answer(b))], listing, 0.5,
                2**17),
        Decoder("history by akshare", _akshare_history, (history,), 0.1),
        Decoder("index closes", _closes, (closes,)),
        Decoder("sessions", _sessions, (encode(exchange_sessions()[-900:]),), 0.1),
    ]  # fmt: skip


def _events(kind: str) -> bytes:
    frame = event_frame([(f"{at:06d}", 20260105 + at % 20, kind, 1.5, "") for at in range(30)])
    from fund_assets_tests.server.content import event_page

    return event_page(frame, kind, 1).body


def _answer(body: bytes, url: str = "https://fund.eastmoney.com/") -> Answer:
    return Answer("fuzz", url, 200, {"Content-Type": "text/html"}, body, "")


def _snapshot(body: bytes) -> list[pd.DataFrame]:
    found = decode_snapshot(body)
    return [found.observations, found.listing, found.statuses]


def _akshare_snapshot(body: bytes) -> list[pd.DataFrame]:
    found = akshare_tables.akshare_snapshot(_answer(body))
    return [found.observations, found.listing, found.statuses]


def _akshare_history(body: bytes) -> list[pd.DataFrame]:
    return list(akshare_tables.akshare_history(_answer(body), "000001", "mixed"))


def _event_decoder(endpoint: str) -> Decode:
    def decoded(body: bytes) -> list[pd.DataFrame]:
        found = decode_events.decode_events(body, endpoint, 2026, 1)
        return [decode_events.market_frame(found.rows)]

    return decoded


def _page_decoder(form: decode_pages.PageForm) -> Decode:
    return _page(lambda answer: decode_pages.decode_page(answer.body, form))


def _page(read: Callable[[Answer], decode_pages.Page]) -> Decode:
    def decoded(body: bytes) -> list[pd.DataFrame]:
        answer = _answer(body)
        decode_pages.check_page(answer)
        page = read(answer)
        return [page.observations, page.listing]

    return decoded


class _Fed(Gateway):
    """A gateway to which one answer comes, whatever is asked."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def fetch(self, endpoint: str, url: str, *_: Any, **__: Any) -> Answer:
        return _answer(self._body, url)


def _closes(body: bytes) -> list[pd.DataFrame]:
    return [index_closes.index_history(_Fed(body), "000300")]


def _sessions(body: bytes) -> list[pd.DataFrame]:
    settings = load_settings()
    usual = trading_days.Gateway
    trading_days.Gateway = type(  # type: ignore[misc]
        "Fed", (), {"from_settings": staticmethod(lambda _: _Fed(body))}
    )
    try:
        return [pd.DataFrame({"nav_date": trading_days.announced_sessions(settings)})]
    finally:
        trading_days.Gateway = usual  # type: ignore[misc]


@contextmanager
def akshare_here() -> Iterator[None]:
    """akshare is called in this process, by what its child calls, JSON included."""

    def call(
        function: str, answers: list[Answer], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        said = [akshare_calls.Said(a.url, a.status, a.headers, a.body) for a in answers]
        found = akshare_calls.call(function, said, args, kwargs)
        told: dict[str, Any] = json.loads(json.dumps(found))
        return told

    usual = akshare_client._child.call
    akshare_client._child.call = call  # type: ignore[method-assign]
    try:
        yield
    finally:
        akshare_client._child.call = usual  # type: ignore[method-assign]


# -- mutations ------------------------------------------------------------------------------

ODD = (
    b"null", b"NaN", b"-Infinity", b"1e400", b"-1", b"0", b"1" * 400, b"1e-400", b"true", b"[]", b"{}",
    b'""', b'"', b"'", b"[[", b"]]", b"[null]", b'{"x":1}', b"\x00", b"\x1b[2J", b"\xff\xfe", b"\xed\xa0\x80",
    b"\\ud800", b"\\u202e", b"\\u0000", "\u202e\u200b\ufeff".encode(), "１２３".encode(), b"=cmd|' /C calc'!A0",
    b"<script>", b"</html>", b"<table>", b"<td colspan=3000>", b"<td rowspan=99999999>", b"<tr>", b"</table>",
    b"&#0;", b"&#x110000;", b"<!--", b"<td colspan=-1>", b"--", b"---", b"%", b"/*", b"*/", b";", b"var ",
    b"1e5", b"9" * 5_000, b"[" * 3_000, b"<b>" * 3_000, b"(" * 500, b"2026-02-30", b"99999999", b"253402300800000",
)  # fmt: skip
_TOKENS = b'0123456789.-"[]{},:<>'


def mutated(dice: random.Random, body: bytes, pool: list[bytes]) -> bytes:
    """The answer after one to four changes of one sort each."""
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        body = dice.choice(_CHANGES)(dice, body, pool)[: 2**20]
    return body


def _span(dice: random.Random, body: bytes, longest: int = 60) -> tuple[int, int]:
    begin = dice.randrange(len(body) + 1)
    return begin, min(len(body), begin + dice.randrange(longest))


def _replace(dice: random.Random, body: bytes, _: Any) -> bytes:
    begin, end = _span(dice, body)
    return body[:begin] + dice.choice(ODD) + body[end:]


def _insert(dice: random.Random, body: bytes, _: Any) -> bytes:
    at = dice.randrange(len(body) + 1)
    return body[:at] + dice.choice(ODD) + body[at:]


def _value(dice: random.Random, body: bytes, _: Any) -> bytes:
    """A whole number or text becomes something else: what a parser gets through to."""
    import re

    spots = list(re.finditer(rb'"[^"\\<>]{0,40}"|-?[0-9]+(?:\.[0-9]+)?|>[^<]+<', body))
    if not spots:
        return body
    spot = dice.choice(spots)
    odd = dice.choice(ODD)
    kept = spot[0][:1] + odd + spot[0][-1:] if spot[0][:1] in b'">' else odd
    return body[: spot.start()] + dice.choice((odd, kept)) + body[spot.end() :]


def _noise(dice: random.Random, body: bytes, _: Any) -> bytes:
    changed = bytearray(body)
    for _ in range(dice.randrange(1, 6)):
        if changed:
            changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def _token(dice: random.Random, body: bytes, _: Any) -> bytes:
    spots = [at for at, byte in enumerate(body) if byte in _TOKENS]
    if not spots:
        return body
    at = dice.choice(spots)
    return body[:at] + bytes([dice.choice(_TOKENS)]) + body[at + 1 :]


def _cut(dice: random.Random, body: bytes, _: Any) -> bytes:
    begin, end = _span(dice, body, len(body) + 1)
    return dice.choice((body[:begin], body[begin:], body[:begin] + body[end:]))


def _again(dice: random.Random, body: bytes, _: Any) -> bytes:
    begin, end = _span(dice, body, 400)
    return body[:end] + body[begin:end] * dice.choice((1, 2, 9, 300, 5_000)) + body[end:]


def _swap(dice: random.Random, body: bytes, _: Any) -> bytes:
    begin, end = _span(dice, body)
    after = min(len(body), end + dice.randrange(60))
    return body[:begin] + body[end:after] + body[begin:end] + body[after:]


def _splice(dice: random.Random, body: bytes, pool: list[bytes]) -> bytes:
    other = dice.choice(pool)
    return body[: dice.randrange(len(body) + 1)] + other[dice.randrange(len(other)) :]


def _encoding(dice: random.Random, body: bytes, _: Any) -> bytes:
    text = body.decode("utf-8", "replace")
    return text.encode(dice.choice(("gb18030", "utf-16", "utf-8-sig", "utf-7")), "replace")


_CHANGES = (
    _value, _value, _value, _token, _token, _replace, _insert, _noise, _cut, _again, _swap, _splice,
    _encoding,
)  # fmt: skip


# -- time and memory ---------------------------------------------------------------------------------


def _worked_s() -> float:
    return sum(os.times()[:4])


def _peak_mb(*, reset: bool = False) -> float:
    """The most memory that this process held since the last reset, in MB."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


# -- the command ----------------------------------------------------------------------------


def table(found: Mapping[str, Found]) -> Iterator[str]:
    """The figures, a row for each decoder and one for all."""
    head = (
        "decoder", "answers", "read", "typed errors", "untyped errors", f"over {LONGEST_S:g} s",
        f"over {MOST_MB} MB", "let through", "longest, s", "most, MB",
    )  # fmt: skip
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    total = Found()
    for part in found.values():
        total.count += part.count
        total.ends += part.ends
        total.longest_s = max(total.longest_s, part.longest_s)
        total.most_mb = max(total.most_mb, part.most_mb)
        for name in ("untyped", "slow", "large", "unclean"):
            getattr(total, name).extend(getattr(part, name))
    for name, part in [*found.items(), ("all", total)]:
        typed = part.count - part.ends["read"] - part.ends["untyped"]
        cells = (
            name, f"{part.count:,}", f"{part.ends['read']:,}", f"{typed:,}", len(part.untyped),
            len(part.slow), len(part.large), len(part.unclean), f"{part.longest_s:.2f}",
            f"{part.most_mb:.0f}",
        )  # fmt: skip
        yield "| " + " | ".join(map(str, cells)) + " |"


def main(arguments: list[str] | None = None) -> int:
    """Decode mutated answers and print what came of them; 0 when all is as it must be."""
    parser = argparse.ArgumentParser(prog="python -m fund_assets_tests.reliability.fuzz")
    parser.add_argument("--count", type=int, default=20_000, help="mutated answers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", default=[], help="decoders of these names")
    options = parser.parse_args(arguments)
    found = run(options.count, options.seed, tuple(options.only))
    print("\n".join(table(found)))
    for part in found.values():
        for said in [*part.untyped, *part.slow, *part.large, *part.unclean][:20]:
            print(said, file=sys.stderr)
    return 0 if all(part.well for part in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
