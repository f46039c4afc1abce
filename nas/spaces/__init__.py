"""Search spaces of convolutional networks, by name and data set."""

from nas.spaces.base import ArchitectureError, ImageShape, Space
from nas.spaces.registry import space, space_names

__all__ = ["ArchitectureError", "ImageShape", "Space", "space", "space_names"]
