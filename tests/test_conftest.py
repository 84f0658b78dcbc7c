"""conftest.py: which cases `make quick` tries."""

from types import SimpleNamespace

import pytest

import conftest

CASES = [
    "a.py::test_one",
    *(f"a.py::test_few[{n}]" for n in range(2)),
    *(f"a.py::test_many[{n}]" for n in range(7)),
]


@pytest.mark.parametrize(
    ("every", "left_out"), [(1, []), (3, [4, 5, 7, 8]), (7, [4, 5, 6, 7, 8, 9]), (2, [2, 4, 6, 8])]
)
def test_the_first_case_of_each_test_is_tried_and_then_every_nth(every, left_out):
    told = []
    hook = SimpleNamespace(pytest_deselected=lambda items: told.extend(items))
    config = SimpleNamespace(getoption={"every": every}.get, hook=hook)
    all_items = [SimpleNamespace(nodeid=case) for case in CASES]
    items = list(all_items)
    conftest.pytest_collection_modifyitems(config, items)
    assert told == [all_items[place] for place in left_out]
    assert items == [item for item in all_items if item not in told]
