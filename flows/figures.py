"""What all plots share: how axes look, and how a figure becomes a file's content."""

from __future__ import annotations

import io
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def plain(
    axes: Axes, axis: Literal["both", "x", "y"] = "both", which: Literal["major", "minor", "both"] = "major"
) -> None:
    """A faint grid of ``which`` lines across ``axis``, behind the data, and no frame above and to the right."""
    axes.grid(True, axis=axis, which=which, color="#e6e8ec", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def rendered(figure: Figure, file_type: str = "png") -> bytes:
    """The content of a file of a type that matplotlib writes: png, svg, pdf."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=file_type)
    return buffer.getvalue()
