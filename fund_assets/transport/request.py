"""One request: what is asked, whose it is, and what messages call it.

Belongs here: values alone. Does not belong here: making it (`gateway.py`), its answer
(`http_answer.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fund_assets.transport.circuit_breaker import Known
from fund_assets.transport.http_answer import Answer
from fund_assets.transport.rate_limit import FUNDS, PAGES


@dataclass(frozen=True)
class OneFund:
    """The fund that a request is about.

    Attributes:
        keep: the answer, or that page not found, is kept at hand in the archive under
            the fund; one that is at hand already is not asked for again.
    """

    code: str
    keep: bool = False


@dataclass(frozen=True)
class Post:
    """What a request sends; a request that sends something, or nothing in this way, is a POST.

    Attributes:
        json: sent as JSON.
        form: fields that are sent as a form's.
    """

    json: Any = None
    form: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Request:
    """One request, and what messages call it."""

    endpoint: str
    url: str
    params: Mapping[str, str] | None
    headers: Mapping[str, str]
    form: str
    about: OneFund | None
    check: Callable[[Answer], None]
    post: Post | None = None

    @classmethod
    def probe(cls, known: Known, circuit: str) -> "Request":
        """What was answered before, asked once more."""
        about = OneFund(known.subject) if circuit == FUNDS else None
        return cls(
            known.endpoint, known.url, None, known.headers, known.form, about, lambda _: None
        )

    @property
    def host(self) -> str:
        """The host that is asked."""
        return urlsplit(self.url).hostname or self.url

    @property
    def circuit(self) -> str:
        """What the host's breaker counts it as: a fund's request, or a page's."""
        return FUNDS if self.about else PAGES

    @property
    def subject(self) -> str:
        """Whose request it is: a fund's code, or the endpoint of a page."""
        return self.about.code if self.about else self.endpoint

    @property
    def keep(self) -> bool:
        """Whether the answer is kept at hand."""
        return self.about is not None and self.about.keep

    @property
    def what(self) -> str:
        """What messages call it."""
        fund = f" of fund {self.about.code}" if self.about else ""
        return f"{self.endpoint}{fund} from {self.host}"
