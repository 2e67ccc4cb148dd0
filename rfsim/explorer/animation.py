"""Animations of a figure whose artists move: a GIF by Pillow, an MP4 where the machine has ffmpeg."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.animation import FFMpegWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from rfsim.explorer.parts import Refused, Tell
from rfsim.plotting import Drawing, styled

PER_SECOND, COLORS = 10, 255
Kind = Literal["gif", "mp4"]


def animation(figure: Drawing, moves: Sequence[Callable[[], None]], kind: Kind, tell: Tell) -> bytes:
    """The figure after each of `moves`, one frame each, as the bytes of a file; `tell` hears of every frame.

    Raises Refused for a kind that is none, and for an MP4 where there is no ffmpeg.
    """
    if kind not in ("gif", "mp4"):
        raise Refused({"": f"an animation is a gif or an mp4; got {kind!r}"})
    if kind == "mp4" and not FFMpegWriter.isAvailable():
        raise Refused({"": "an mp4 is written by ffmpeg, which is not on this machine; take a gif"})
    return (_gif if kind == "gif" else _mp4)(figure, moves, tell)


def _gif(figure: Drawing, moves: Sequence[Callable[[], None]], tell: Tell) -> bytes:
    first, *rest = (Image.fromarray(frame).quantize(COLORS) for frame in _frames(figure, moves, tell))
    with io.BytesIO() as file:
        first.save(file, "GIF", save_all=True, append_images=rest, duration=1000 // PER_SECOND, loop=0, optimize=False)
        return file.getvalue()


def _mp4(figure: Drawing, moves: Sequence[Callable[[], None]], tell: Tell) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "animation.mp4"
        writer = FFMpegWriter(fps=PER_SECOND, codec="h264")
        with styled(figure.style):
            writer.setup(figure, path)
        try:
            for done, move in enumerate(moves, 1):
                with styled(figure.style):
                    move()
                    writer.grab_frame()
                tell(done, len(moves))
        finally:
            writer.finish()
        return path.read_bytes()


def _frames(figure: Drawing, moves: Sequence[Callable[[], None]], tell: Tell) -> Iterator[np.ndarray]:
    """Each frame as (height, width, 3) bytes; other threads may draw between two of them."""
    canvas = FigureCanvasAgg(figure)
    for done, move in enumerate(moves, 1):
        with styled(figure.style):
            move()
            canvas.draw()
            frame = np.array(canvas.buffer_rgba())[..., :3]
        tell(done, len(moves))
        yield frame
