"""What a notebook shows of a figure that was made without pyplot."""

from __future__ import annotations

from rfsim.plotting import canvas


def test_a_figure_shows_itself_as_wide_as_the_page():
    figure, ((ax,),) = canvas(style="screen", width=12)
    ax.plot([0, 1], [0, 1])
    image, told = figure._repr_png_()
    assert image.startswith(b"\x89PNG")
    assert told == {"width": 472}  # 12 cm at 100 to the inch
    assert image == figure._repr_png_()[0]
