"""What a run says of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """The last line tells what was not run, and what it would have needed."""
    result = yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reporter.stats.get("skipped", ()))
    if skipped:
        told = "; ".join(f"{count} skipped, as {reason}" for reason, count in skipped.items())
        reporter.write_line(f"Not run: {told}")
    return result
