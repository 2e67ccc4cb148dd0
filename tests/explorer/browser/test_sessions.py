"""Ten sessions at once: every number belongs to the session that shows it; sessions end with their pages."""

from __future__ import annotations

from tests.explorer.browser import load
from tests.explorer.browser.conftest import CHROMIUM


def test_ten_sessions_show_their_own_numbers(served):
    found = load.run(served.url, served.process.pid, CHROMIUM, sessions=10, seconds=25, pause=1.0)
    assert {one.session for one in found.redraws} == set(range(10))
    drawn = [one for one in found.redraws if not one.told["messages"]]
    assert len(drawn) >= 50
    assert not load.foreign(drawn[-40:])
