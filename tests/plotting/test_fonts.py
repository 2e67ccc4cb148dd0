"""Every way out of a figure embeds TrueType fonts, whatever matplotlib is set to, which stays as it was."""

from __future__ import annotations

import io
import pickle
import threading

import matplotlib
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf, PdfPages
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from rfsim.plotting import canvas, style_of


def drawing(style="paper"):
    figure, ((ax,),) = canvas(style=style, width=8)
    with style_of(ax):
        ax.plot([0, 1], [0, 1])
        ax.set_xlabel(r"training time $\tau$")
    return figure


def through_pages(figure, file):
    with PdfPages(file) as pages:
        pages.savefig(figure)


def finished_elsewhere(figure, file):
    """The document is closed long after the figure was written."""
    pages = PdfPages(file)
    pages.infodict()["Title"] = "made before the figure came"
    figure.savefig(pages, format="pdf")
    pages.close()


WAYS = {
    "savefig": lambda figure, file: figure.savefig(file, format="pdf"),
    "tight": lambda figure, file: figure.savefig(file, format="pdf", bbox_inches="tight"),
    "a notebook": lambda figure, file: figure.canvas.print_figure(file, format="pdf"),
    "another canvas": lambda figure, file: FigureCanvasAgg(figure).print_figure(file, format="pdf"),
    "its own canvas": lambda figure, file: FigureCanvasPdf(figure).print_pdf(file),
    "pages": through_pages,
    "pages made before": finished_elsewhere,
    "a copy": lambda figure, file: pickle.loads(pickle.dumps(figure)).savefig(file, format="pdf"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("fonttype", [3, 42])
def test_a_pdf_has_truetype_fonts(way, fonttype):
    file = io.BytesIO()
    with matplotlib.rc_context({"pdf.fonttype": fonttype}):
        before = dict(matplotlib.rcParams)
        way(drawing(), file)
        assert dict(matplotlib.rcParams) == before
    assert b"/FontFile2" in file.getvalue()
    assert b"/Type3" not in file.getvalue()
    # a glyph is two bytes there, and one where fonts are Type 3
    assert b"/CIDFontType2" in file.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ps", "eps"])
def test_postscript_has_truetype_fonts(kind):
    for write in (drawing().savefig, drawing().canvas.print_figure):
        file = io.BytesIO()
        write(file, format=kind)
        assert b"/FontType 42 def" in file.getvalue()
        assert b"/FontType 3 def" not in file.getvalue()


def test_an_svg_needs_no_fonts_whatever_the_reader_has_set():
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        for write in (drawing().savefig, FigureCanvasSVG(drawing()).print_figure):
            file = io.BytesIO()
            write(file, format="svg")
            assert b"<text" not in file.getvalue()


def test_a_picture_has_the_resolution_of_its_style():
    file, saved = io.BytesIO(), io.BytesIO()
    drawing().savefig(file, format="png")
    drawing("screen").savefig(saved, format="png", dpi=50)
    widths = [int.from_bytes(one.getvalue()[16:20], "big") for one in (file, saved)]
    assert widths == [629, 157]  # 8 cm at 200 and at 50 to the inch


def test_pages_of_others_keep_their_own_fonts_unless_they_are_the_same():
    other = Figure()
    other.add_subplot().set_title("mine")
    file = io.BytesIO()
    with PdfPages(file) as pages:
        pages.savefig(other)
        pages.savefig(drawing())  # another family of fonts
        pages.savefig(other)
    assert b"/Type3" in file.getvalue()
    assert b"/FontFile2" in file.getvalue()
    for pair in ((other, drawing("screen")), (drawing("screen"), other)):
        with PdfPages(io.BytesIO()) as pages, pytest.raises(ValueError, match=r"rcParams\['pdf.fonttype'\] = 42"):
            for one in pair:
                pages.savefig(one)


def test_threads_write_one_after_the_other():
    before, files = dict(matplotlib.rcParams), [io.BytesIO() for _ in range(4)]
    threads = [
        threading.Thread(target=drawing(style).savefig, args=(file,), kwargs={"format": "pdf"})
        for file, style in zip(files, ("paper", "screen") * 2, strict=True)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert all(b"/FontFile2" in file.getvalue() and b"/Type3" not in file.getvalue() for file in files)
    assert dict(matplotlib.rcParams) == before
