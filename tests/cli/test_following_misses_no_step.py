"""Steps run side by side, and one may be recorded after a step that ended later.

A page that counts what it has printed shows the later one twice and the other never.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import cast

from rich.console import Console

from entra_jit.app import App
from entra_jit.cli.views.timeline import Timeline
from models.messages import Step
from tests.actors import TESTER

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_each_step_is_printed_once_however_late_it_is_recorded() -> None:
    validated, baseline, given = (
        Step(name=name, at=NOON.replace(second=second))
        for second, name in enumerate(("domain validated", "baseline taken", "access given"))
    )
    out = io.StringIO()
    timeline = Timeline(TESTER, cast(App, None), "contoso/alex/7f3a9c21d4", Console(file=out, width=80))
    for recorded in ((validated, given), (validated, baseline, given)):
        timeline.show_steps(recorded)
    assert [line.split("  ")[-1] for line in out.getvalue().splitlines()] == [
        "domain validated",
        "access given",
        "baseline taken",
    ]
