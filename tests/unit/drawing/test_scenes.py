"""The fixture that the page's tests read too is what the rules make of its scenes."""

from __future__ import annotations

from tests.unit.drawing import scenes


def test_the_placements_that_both_sides_are_held_to_are_up_to_date():
    """After an intended change: python -m tests.unit.drawing.scenes; docs/drawing.md and the page follow."""
    assert scenes.FIXTURE.read_text(encoding="utf-8") == scenes.fixture()
