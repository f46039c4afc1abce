"""Search spaces of convolutional networks, by name and data set."""

from nas.spaces.base import ArchitectureError, ImageShape, Space
from nas.spaces.registry import SPACE_NAMES, space

__all__ = ["SPACE_NAMES", "ArchitectureError", "ImageShape", "Space", "space"]
