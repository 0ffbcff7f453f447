"""Lines and letters grow with the image."""

from __future__ import annotations

from recognizer.drawing.sizes import Sizes


def test_sizes_grow_with_the_picture():
    assert Sizes.for_image(640, 480) == Sizes(line_px=2, halo_px=1, font_px=13)
    assert Sizes.for_image(1024, 636) == Sizes(line_px=3, halo_px=1, font_px=19)
    assert Sizes.for_image(6000, 4000) == Sizes(line_px=17, halo_px=6, font_px=113)


def test_sizes_are_the_same_for_portrait_and_landscape():
    assert Sizes.for_image(3000, 2000) == Sizes.for_image(2000, 3000)


def test_sizes_follow_the_short_side_of_a_strip():
    assert Sizes.for_image(10_000, 300) == Sizes.for_image(600, 600)


def test_sizes_have_a_floor_and_a_ceiling():
    assert Sizes.for_image(1, 1) == Sizes(line_px=1, halo_px=0, font_px=11)
    assert Sizes.for_image(20_000, 20_000).font_px == 256
