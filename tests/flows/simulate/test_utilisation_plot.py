"""The picture of utilisation per layer."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.simulate.utilisation_plot import check_plot_path, utilisation_plot
from hwgen.errors import InputError

VALUES = {
    "network": "toy",
    "accelerator": {"rows": 4, "cols": 4},
    "cycles": 150,
    "utilization": 0.5,
    "layers": [
        {"name": "first", "op": "conv", "cycles": 100, "utilization": 0.7},
        {"name": "last", "op": "add", "cycles": 50, "utilization": 0.0},
    ],
}


def test_every_wide_layer_is_named() -> None:
    picture = utilisation_plot(VALUES, ".svg").decode()
    assert "<!-- first -->" in picture and "<!-- last -->" in picture


def test_a_png_is_a_png() -> None:
    assert utilisation_plot(VALUES, ".png").startswith(b"\x89PNG")


def test_other_formats_are_refused() -> None:
    with pytest.raises(InputError, match=r"plot: a\.txt is no picture; accepted: a file ending in \.png, \.svg, \.pdf"):
        check_plot_path(Path("a.txt"))
