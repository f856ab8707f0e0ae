"""The list of attacks: its tests, its page, and its judge. The command tries them."""

import ast

from fund_assets_tests.reliability import attacks
from fund_assets_tests.reliability.page_tables import parts_of
from fund_assets_tests.syntax import tree_of_file


def test_every_attack_has_its_tests():
    """Stops an attack from being lost by a test that was renamed. That each holds, these tests
    say themselves, in the default suite or in the slow one."""
    lost = []
    for test in dict.fromkeys(test for attack in attacks.ATTACKS for test in attack.tests):
        file, _, name = test.partition("::")
        tree = tree_of_file(attacks.ROOT / "fund_assets_tests" / file)
        tests = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        if not any(n == name or (not name and n.startswith("test_")) for n in tests):
            lost.append(test)
    assert lost == []


def test_the_page_has_every_attack_and_each_held():
    """Stops the page from telling of other attacks than are tried."""
    page = attacks.PAGE.read_text(encoding="utf-8")
    told = parts_of(page, attacks.NAME)[1]
    first = told.partition(" end as expected")[0].split(" of ")
    assert first[0] == first[1] and int(first[0]) >= sum(not a.long for a in attacks.ATTACKS)
    for attack in attacks.ATTACKS:
        assert f"| {attack.subject} | {attack.attack} | {attack.expected} | " in told
    assert "**" not in told


def test_the_judge():
    """Stops a table that calls an attack well that was not tried, or went through."""
    attack = attacks.Attack("x", "y", "z", ("a.py::b", "c.py"))
    held = [("a.py::b", "", "3 ms"), ("a.py::b", "", ""), ("c.py::d", "", "")]
    seen = attacks._seen(attack, held)
    assert seen.well and seen.words() == "3 ms" and seen.held == 3
    assert not attacks._seen(attack, held[:2]).well, "c.py is gone"
    assert "assert 1" in attacks._seen(attack, [*held, ("c.py::e", "assert 1", "")]).words()
    assert not attacks._seen(attack, []).well
