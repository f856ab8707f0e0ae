"""The walk's list of gestures, its page, and its judge; the walk itself is `make gestures`."""

from fund_assets_tests.reliability.gestures import __main__ as gestures
from fund_assets_tests.reliability.gestures.walk import EXPECTED, Gesture, Walk
from fund_assets_tests.reliability.page_tables import parts_of


def test_every_expectation_is_walked():
    """Stops an expectation from losing its last gesture, and two gestures from one name."""
    assert {gesture.point for gesture in gestures.GESTURES} == set(EXPECTED)
    names = [gestures._begin(gesture) for gesture in gestures.GESTURES]
    assert len(set(names)) == len(names)


def test_the_page_has_every_gesture():
    """Stops the page from telling of other gestures than are walked, or of one that failed or was
    not tried."""
    page = gestures.PAGE.read_text(encoding="utf-8")
    told = parts_of(page, gestures.NAME)[1]
    count = len(gestures.GESTURES)
    assert told.startswith(f"{count} of {count}.\n")
    assert told.count("\n| ") == count + 1
    for gesture in gestures.GESTURES:
        assert f"\n{gestures._begin(gesture)}" in told
    assert "**" not in told


def test_the_judge(tmp_path, capsys):
    """Stops a gesture that broke, saw nothing or was not tried from counting as done."""

    def breaks(_):
        raise SystemExit("no | browser")

    made = [
        Gesture("x", 1, "holds", lambda _: "3 runs"),
        Gesture("x", 1, "breaks", breaks),
        Gesture("x", 1, "sees nothing", lambda _: ""),
    ]
    found = {gesture: gestures.tried(Walk(tmp_path), gesture) for gesture in made}
    assert list(found.values()) == [
        "3 runs", "**SystemExit: no ¦ browser**", "**AssertionError: it tells nothing that it saw**",
    ]  # fmt: skip
    assert gestures.well(found) == 1
    assert gestures.table(found).startswith("1 of 3.\n")
    assert [line[0] for line in capsys.readouterr().out.splitlines()] == ["✓", "✗", "✗"]
    text = "before\n<!-- gestures -->\n<!-- end of gestures -->\nafter\n"
    assert gestures.page(text, {}).count("**not tried**") == len(gestures.GESTURES)
    first = gestures.GESTURES[0]
    once = gestures.page(text, {first: "seen"})
    assert f"{gestures._begin(first)}seen |" in gestures.page(once, {})
