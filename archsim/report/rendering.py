"""A figure drawn once into several formats: one renderer of matplotlib in front of those of PNG, SVG and PDF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backend_bases import FigureCanvasBase, GraphicsContextBase, RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, TransformedBbox, TransformedPath

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 200
POINTS = 72
"""Units of SVG and PDF in an inch."""
METADATA: dict[str, Any] = {
    "png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None, "ModDate": None},
}  # fmt: skip
"""What files do not say of themselves, so that the same figure gives the same bytes."""


def contents(figure: Figure, suffixes: Sequence[str]) -> dict[str, bytes]:
    """Return what the files of a figure hold, suffix -> bytes.

    matplotlib's own `savefig` lays out and draws a figure anew for each format, twice; here each part is asked once.
    """
    usual, canvas = figure.dpi, figure.canvas
    try:
        figure.dpi = DPI
        width, height = (float(each) for each in figure.get_size_inches())
        files = {suffix: _FILES[suffix](width, height) for suffix in suffixes}
        renderer = _Together(width, height, list(files.values()))
        _Canvas(figure, renderer)
        figure.draw(renderer)
        return {suffix: file.finished() for suffix, file in files.items()}
    finally:
        figure.dpi = usual
        figure.set_canvas(canvas)


@dataclass
class _File:
    """A file in the making.

    Parameters
    ----------
    renderer : what draws it
    height : float
        Its height in its own units.
    scale : float
        Its units in a pixel.
    """

    renderer: Any
    height: float
    scale: float = POINTS / DPI
    shrunk: Affine2D = field(init=False)
    clips: dict[Any, TransformedBbox] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shrunk = Affine2D().scale(self.scale)

    def context(self, gc: Any) -> Any:
        """Return what an artist asks for, lines and colours, in the file's units: they hold clips in pixels."""
        own = self.renderer.new_gc()
        own.copy_properties(gc)
        if self.scale != 1:
            if (box := gc.get_clip_rectangle()) is not None:
                if box not in self.clips:  # a clip that is the one before is not written again
                    self.clips[box] = TransformedBbox(box, self.shrunk)
                own.set_clip_rectangle(self.clips[box])
            path, transform = gc.get_clip_path()
            if path is not None:
                own.set_clip_path(TransformedPath(path, transform + self.shrunk))
        return own

    def sized(self, transform: Any) -> Any:
        """Return a transform into pixels as one into the file's units."""
        return transform if self.scale == 1 else transform + self.shrunk

    def finished(self) -> bytes:
        """Return the whole file."""
        raise NotImplementedError


class _Png(_File):
    def __init__(self, width: float, height: float) -> None:
        super().__init__(RendererAgg(width * DPI, height * DPI, DPI), height * DPI, 1)  # type: ignore[no-untyped-call]

    def finished(self) -> bytes:
        from matplotlib.image import imsave

        stream = BytesIO()
        imsave(
            stream, self.renderer.buffer_rgba(), format="png", origin="upper", dpi=DPI, metadata=METADATA["png"],
            pil_kwargs={"compress_level": 2},
        )  # fmt: skip
        return stream.getvalue()


class _Svg(_File):
    def __init__(self, width: float, height: float) -> None:
        from matplotlib.backends.backend_svg import RendererSVG

        self.stream = StringIO()
        size = width * POINTS, height * POINTS
        super().__init__(RendererSVG(*size, self.stream, image_dpi=DPI, metadata=METADATA["svg"]), size[1])  # type: ignore[no-untyped-call]

    def finished(self) -> bytes:
        self.renderer.finalize()
        return self.stream.getvalue().encode()


class _Pdf(_File):
    def __init__(self, width: float, height: float) -> None:
        from matplotlib.backends.backend_pdf import PdfFile, RendererPdf

        self.stream = BytesIO()
        self.file: Any = PdfFile(self.stream, metadata=METADATA["pdf"])  # type: ignore[no-untyped-call]
        self.file.newPage(width, height)  # type: ignore[no-untyped-call]
        super().__init__(RendererPdf(self.file, DPI, height, width), height * POINTS)  # type: ignore[no-untyped-call]

    def finished(self) -> bytes:
        with _glyphs_alone():
            self.renderer.finalize()
            self.file.finalize()
        self.file.close()
        return self.stream.getvalue()


_FILES: Mapping[str, type[Any]] = {"png": _Png, "svg": _Svg, "pdf": _Pdf}


class _Canvas(FigureCanvasBase):
    """Gives the layout the renderer that draws: text is measured once for both."""

    def __init__(self, figure: Figure, renderer: RendererBase) -> None:
        super().__init__(figure)
        self._renderer = renderer

    def get_renderer(self) -> RendererBase:
        """Return it."""
        return self._renderer


class _Together(RendererBase):
    """What a figure is drawn on in pixels, as a PNG is, and what has each file draw the same in its own units.

    Parameters
    ----------
    width, height : float [in]
    files : what is drawn
    """

    def __init__(self, width: float, height: float, files: Sequence[_File]) -> None:
        super().__init__()
        self.width, self.height = width * DPI, height * DPI
        self._files = files
        self._measure: Any = RendererAgg(1, 1, DPI)  # type: ignore[no-untyped-call]
        self._text = Text()
        if hasattr(self._text, "set_fontfeatures"):  # 3.11 sets ligatures: a PDF needs a second font for them
            self._text.set_fontfeatures(("-liga",))
        self._rasterised: Sequence[_File] = ()

    def _each(self, gc: Any) -> Iterator[tuple[_File, Any]]:
        for file in self._files:
            own = file.context(gc)
            yield file, own
            own.restore()

    def flipy(self) -> bool:
        return True

    def get_canvas_width_height(self) -> tuple[float, float]:
        return self.width, self.height

    def points_to_pixels(self, points: Any) -> Any:
        return points * DPI / POINTS

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: Any) -> Any:
        return self._measure.get_text_width_height_descent(s, prop, ismath)

    def option_image_nocomposite(self) -> bool:
        return True

    def open_group(self, s: str, gid: str | None = None) -> None:
        for file in self._files:
            file.renderer.open_group(s, gid)

    def close_group(self, s: str) -> None:
        for file in self._files:
            file.renderer.close_group(s)

    def draw_path(self, gc: Any, path: Any, transform: Any, rgbFace: Any = None) -> None:
        for file, own in self._each(gc):
            file.renderer.draw_path(own, path, file.sized(transform), rgbFace)

    def draw_markers(
        self, gc: Any, marker_path: Any, marker_trans: Any, path: Any, trans: Any, rgbFace: Any = None
    ) -> None:
        for file, own in self._each(gc):
            file.renderer.draw_markers(own, marker_path, file.sized(marker_trans), path, file.sized(trans), rgbFace)

    def draw_path_collection(
        self, gc: Any, master_transform: Any, paths: Any, all_transforms: Any, offsets: Any,
        offset_trans: Any, *rest: Any, **further: Any,
    ) -> None:  # fmt: skip
        for file, own in self._each(gc):
            file.renderer.draw_path_collection(
                own, file.sized(master_transform), paths, all_transforms, offsets, file.sized(offset_trans),
                *rest, **further,
            )  # fmt: skip

    def draw_quad_mesh(  # noqa: PLR0917  the order is matplotlib's
        self, gc: Any, master_transform: Any, meshWidth: Any, meshHeight: Any, coordinates: Any, offsets: Any,
        offsetTrans: Any, *rest: Any,
    ) -> None:  # fmt: skip
        for file, own in self._each(gc):
            file.renderer.draw_quad_mesh(
                own, file.sized(master_transform), meshWidth, meshHeight, coordinates, offsets, file.sized(offsetTrans),
                *rest,
            )  # fmt: skip

    def draw_image(self, gc: Any, x: float, y: float, im: Any, transform: Any = None) -> None:
        del transform  # only renderers that scale images themselves are given one
        for file, own in self._each(gc):
            file.renderer.draw_image(own, x * file.scale, y * file.scale, im)

    def draw_text(  # noqa: PLR0917  the order is matplotlib's
        self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False,
        mtext: Any = None,
    ) -> None:  # fmt: skip
        del mtext
        for file, own in self._each(gc):
            down = y * file.scale
            place = x * file.scale, down if file.renderer.flipy() else file.height - down
            file.renderer.draw_text(own, *place, s, prop, angle, ismath, self._text)

    def start_rasterizing(self) -> None:
        """Draw what follows in pixels alone."""
        layer = _Png(self.width / DPI, self.height / DPI)
        self._rasterised, self._files = self._files, [layer]

    def stop_rasterizing(self) -> None:
        """Give each file what was drawn in pixels, as an image."""
        [layer], self._files = self._files, self._rasterised
        pixels = np.asarray(layer.renderer.buffer_rgba())
        rows, columns = (np.flatnonzero(pixels[..., 3].any(axis=1 - axis)) for axis in (0, 1))
        if rows.size:
            part = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            below = self.height - rows[-1] - 1
            self.draw_image(GraphicsContextBase(), columns[0], below, part[::-1])


@contextmanager
def _glyphs_alone() -> Iterator[None]:
    """Let fonts go into a PDF without what sets text and names glyphs: a PDF places each glyph, by its number.

    To read these tables takes most of the time of a PDF. matplotlib has no setting for it.
    """
    from fontTools import subset  # type: ignore[import-untyped]

    usual = subset.load_font

    def load(*given: Any, **options: Any) -> Any:
        font = usual(*given, **options | {"dontLoadGlyphNames": True})
        font.setGlyphOrder([f"glyph{number}" for number in range(font["maxp"].numGlyphs)])
        for table in _OF_TEXT:
            if table in font:
                del font[table]
        return font

    subset.load_font = load
    try:
        yield
    finally:
        subset.load_font = usual


_OF_TEXT = ("GDEF", "GPOS", "GSUB", "MATH", "kern")
"""Tables of a font that set text."""
