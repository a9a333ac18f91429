"""The demonstration is the first thing that a stranger sees.

A visit that scrolls away before it is over shows its end without its beginning, and a promise that is broken halfway is
not read at all.
"""

from __future__ import annotations

import re
import sys
from math import ceil

import pytest

from tests.command_line import run_program

WIDTH, HEIGHT = 80, 24


@pytest.mark.long
async def test_each_visit_of_the_demonstration_fits_on_a_screen() -> None:
    ran = await run_program([sys.executable, "starter.py", "demo"], COLUMNS=str(WIDTH))
    assert ran.code == 0, ran.out + ran.err
    visits = re.split(r"^\d\. ", ran.out, flags=re.MULTILINE)[1:]
    assert len(visits) == 4
    for visit in visits:
        shown = visit.rstrip().splitlines()
        assert sum(max(1, ceil(len(line) / WIDTH)) for line in shown) <= HEIGHT, visit
        assert "request-id" not in visit, "details are for --verbose"
    assert "make up" in visits[-1], "it ends with what to try next"
