"""Where what takes long to make is kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_directory() -> Path:
    """The directory that ``COSYNTH_CACHE`` names, or ``cosynth`` in the user's cache directory."""
    if chosen := os.environ.get("COSYNTH_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cosynth"
