"""Runs the notebook docs/research.ipynb cell by cell and keeps what the cells give.

    python -m fund_assets_tests.notebook    runs it on a fresh simulated market, and writes it

Belongs here: running cells as Jupyter does, the last expression of a cell being its output.
Does not belong here: what stands in the notebook; that its outputs are still those of the code
is a test's business (integration/test_export.py).
"""

import ast
import io
import json
import logging
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from fund_assets_tests import stores
from fund_assets_tests.integration.evenings import THURSDAY, Market, failure

PATH = Path(__file__).resolve().parents[1] / "docs" / "research.ipynb"
#: So that a chart is the same bytes each time, and its text is text.
DRAWN = {"svg.hashsalt": "notebook", "svg.fonttype": "none", "figure.figsize": (7, 3.5)}


def run(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with the outputs of its code cells, run in order in one namespace.

    Raises:
        RuntimeError: a cell fails; names it.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    cells = []
    for at, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            try:
                cell = {**cell, "outputs": _outputs(source, names), "execution_count": None}
            except Exception as error:
                raise RuntimeError(f"cell {at} of the notebook fails:\n{source}") from error
        cells.append(cell)
    return {**notebook, "cells": cells}


def texts(notebook: dict[str, Any]) -> list[Any]:
    """All outputs that are text; pictures are left out."""
    return [
        {k: v for k, v in output.items() if k != "data"}
        | {k: v for k, v in output.get("data", {}).items() if k != "image/svg+xml"}
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
    ]


def load() -> dict[str, Any]:
    """The notebook as it is."""
    return dict(json.loads(PATH.read_text(encoding="utf-8")))


def _outputs(source: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with redirect_stdout(printed), matplotlib.rc_context(DRAWN):
        exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
        data = {} if value is None else _shown(value)
    outputs: list[dict[str, Any]] = []
    if said := printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": _lines(said)})
    if data:
        data = {kind: _lines(text) for kind, text in data.items()}
        outputs.append(
            {
                "output_type": "execute_result",
                "data": data,
                "metadata": {},
                "execution_count": None,
            }
        )
    return outputs


def _shown(value: Any) -> dict[str, str]:
    if figure := getattr(value, "get_figure", None):
        import matplotlib.pyplot as plt

        drawn = io.StringIO()
        figure().savefig(drawn, format="svg", bbox_inches="tight", metadata={"Date": None})
        plt.close(figure())
        text = drawn.getvalue()
        return {"image/svg+xml": text[text.index("<svg") :]}
    html = getattr(value, "_repr_html_", lambda: None)()
    return {"text/plain": repr(value)} | ({"text/html": html} if html else {})


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def main() -> None:
    """Run it on the market that the tests have too, and write it."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        stores.forget_settings(patch)
        market = Market(Path(folder))
        result = market.run("daily_pipeline", THURSDAY)
        if not result.success:
            sys.exit(failure(result))
        for name, value in stores.environment(market.folder).items():
            patch.setenv(name, value)
        text = json.dumps(run(load()), ensure_ascii=False, indent=1)
    PATH.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    logging.disable()
    matplotlib.use("Agg")
    main()
