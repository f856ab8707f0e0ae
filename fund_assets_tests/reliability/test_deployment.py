"""The walk through a deployment: what its pages ask for, its judge, and the page it writes."""

from dataclasses import replace

from fund_assets_tests.reliability import deployment_found as found
from fund_assets_tests.reliability.page_commands import Command

INIT = Command("deployment", "systemd", 1, "fund-assets init   # and wait")
AGAIN = Command("runbook", "anything", 0, "fund-assets init")
SHOW = Command("runbook", "anything", 0, "fund-assets nav CODE")


def a_part(typed, trials=()):
    return found.Part("30 November 2026", typed, list(trials), [], 2.0)


def judged(**parts):
    return found.Found(
        parts, [INIT, AGAIN, SHOW], {"of a desk": [replace(SHOW, text="make x")]}
    )


def test_a_command_counts_when_it_did_well_each_time_and_what_nobody_typed_does_not():
    """Stops a walk from being called whole that never came to a command, or was refused once."""
    first = judged(install=a_part({INIT: True}))
    assert first.did_well(AGAIN), "another page says the same"
    assert not first.did_well(SHOW) and not first.is_whole()
    assert "fund-assets nav CODE" in first.report()
    both = judged(install=a_part({INIT: True, SHOW: True}), boot=a_part({AGAIN: False}))
    assert not both.did_well(INIT) and not both.is_whole()
    well = judged(install=a_part({INIT: True, SHOW: True}, [("boot", True, "3 s")]))
    assert well.is_whole()
    assert well.counted() == (
        "3 of 3 commands did as written (deployment 1 of 1, runbook 2 of 2); "
        "1 of 1 trials came out as they should"
    )
    assert not judged(
        install=a_part(dict(well.parts["install"].typed), [("b", False, "")])
    ).is_whole()


def test_notes_of_parts_outlive_the_walk(tmp_path):
    """Stops a part that is walked again from taking the notes of the others with it."""
    install, boot = a_part({INIT: True}), a_part({AGAIN: False}, [("boot", True, "3 s")])
    found.save({"install": install, "boot": boot}, tmp_path / "notes.json")
    better = a_part({AGAIN: True}, [("boot", True, "2 s")])
    found.save({"boot": better}, tmp_path / "notes.json")
    assert found.load(tmp_path / "notes.json") == {"install": install, "boot": better}


def test_the_page_keeps_all_but_the_table():
    """Stops a walk from taking with it what people wrote on the page."""
    page = "before\n<!-- deployment -->\nold\n<!-- end of deployment -->\nafter\n"
    well = judged(install=a_part({INIT: True}, [("boot", False, "3 s")]))
    assert well.page(page) == page.replace("old\n", well.table())
    assert "| boot | **not as it should be:** 3 s |\n" in well.table()
    assert "Not typed: of a desk (`make x`)." in well.table()
    assert found.PAGE.read_text(encoding="utf-8").count("<!-- deployment -->\n") == 1
