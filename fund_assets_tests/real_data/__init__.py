"""Real fund histories: where they are, and what is computed from them."""

import os
from pathlib import Path


def folder() -> Path:
    """Where the real fund histories belong: FUND_REAL_DATA, or beside the project."""
    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("FUND_REAL_DATA") or root.parent / "shared" / "data")


def absence() -> str:
    """Why the real histories cannot be used; empty when they can."""
    if (folder() / "histories_ak").is_dir():
        return ""
    return f"real fund data is absent: {folder()} (set FUND_REAL_DATA to have it)"
