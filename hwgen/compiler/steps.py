"""Steps: how the array walks a windowed layer, group of channels by group and step by step of the window.

They follow from shapes alone, so that an estimate has them without a layer's packed weights.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hwgen.config import ROW_BANKS, AcceleratorConfig
from hwgen.graph import AveragePool, Conv, Depthwise, FullyConnected, Layer, MaxPool, TensorType, Window


@dataclass(frozen=True)
class Steps:
    """How the array walks a window: the steps of one group's reduction."""

    rows: int
    """Kernel rows per step."""
    vertical: int
    """Steps along the kernel's height."""
    horizontal: int
    """Steps along the kernel's width."""
    slides: bool
    """The window slides through the array, each column of which has a channel of its own."""
    columns: int
    """Columns of the window that slide through the array in a step; 1 where none do."""
    new_columns: int
    """Those of them that the next pixel of a row does not share."""
    lanes: int
    """Operands per kernel row that carry MACs in a step."""
    last_lanes: int
    """The same, in a kernel row's last step."""

    @property
    def count(self) -> int:
        return self.vertical * self.horizontal


@dataclass(frozen=True)
class Groups:
    """How a layer's channels are dealt over the array, which walks the whole output once per group."""

    inputs: int
    """Input channels that a group reads."""
    channels: int
    """Output channels per group."""
    count: int


def layer_steps(layer: Layer, operand: TensorType, config: AcceleratorConfig, step_rows: int = ROW_BANKS) -> Steps:
    """The steps of a windowed ``layer`` on ``operand``; each reads at most ``step_rows`` kernel rows.

    With 1, a step reads one tap or one vector. Raises TypeError where ``layer`` is not windowed.
    """
    match layer:
        case Conv():
            return _dense(layer.window.kernel, operand.shape[2], config, step_rows)
        case FullyConnected():
            return _dense((1, 1), operand.elements, config, step_rows)
        case Depthwise():
            # Only where each output channel has an input channel of its own can that enter the array in its column.
            if layer.output.shape[2] == operand.shape[2] and step_rows > 1:
                return _sliding(layer.window, layer.output.shape[1], config, step_rows)
            return _taps(layer.window.kernel)
        case AveragePool() if step_rows > 1:
            return _without_macs(_sliding(layer.window, layer.output.shape[1], config, step_rows))
        case AveragePool() | MaxPool():
            return _without_macs(_taps(layer.window.kernel))
    raise TypeError(f"{type(layer).__name__} is not a windowed layer")


def layer_groups(layer: Layer, operand: TensorType, config: AcceleratorConfig) -> Groups:
    """The groups of a windowed ``layer`` on ``operand``."""
    inputs, outputs = operand.shape[2], layer.output.shape[2]
    if isinstance(layer, Conv | FullyConnected):
        return Groups(inputs, min(config.cols, outputs), -(-outputs // config.cols))
    multiplier = outputs // inputs
    if multiplier > config.cols:
        return Groups(1, config.cols, inputs * -(-multiplier // config.cols))
    group = min(config.rows, config.cols // multiplier, inputs)
    return Groups(group, group * multiplier, -(-inputs // group))


def group_cycles(steps: Steps, out_size: tuple[int, int], tile_width: int, rf_depth: int) -> int:
    """Array cycles of one group over an output of ``out_size`` that is cut into tiles of ``tile_width`` columns.

    A window slides within a tile and a block of ``rf_depth`` pixels, and starts anew in the next.
    """
    height, width = out_size
    cycles = 0
    for left in range(0, width, tile_width):
        blocks, rest = divmod(min(tile_width, width - left), rf_depth)
        cycles += blocks * _run_cycles(steps, rf_depth)
        cycles += _run_cycles(steps, rest) if rest else 0
    return height * steps.count * cycles


def _dense(kernel: tuple[int, int], channels: int, config: AcceleratorConfig, step_rows: int) -> Steps:
    """The fewest steps: many channels fill the lanes from one kernel row, few from several."""
    choices = []
    for rows in range(1, min(step_rows, kernel[0], config.rows) + 1):
        share, segment = config.rows // rows, kernel[1] * channels
        horizontal = -(-segment // share)
        last_lanes = segment - (horizontal - 1) * share
        choices.append(Steps(rows, -(-kernel[0] // rows), horizontal, False, 1, 1, share, last_lanes))
    return min(choices, key=lambda steps: steps.count)


def _sliding(window: Window, out_width: int, config: AcceleratorConfig, step_rows: int) -> Steps:
    """The fewest cycles per output row."""
    kernel_h, kernel_w = window.kernel
    choices = []
    for rows in range(1, min(step_rows, kernel_h, config.rows) + 1):
        horizontal = -(-kernel_w // (config.rows // rows))
        columns = -(-kernel_w // horizontal)
        horizontal = -(-kernel_w // columns)
        last_lanes = kernel_w - (horizontal - 1) * columns
        new_columns = min(window.stride[1], columns)
        choices.append(Steps(rows, -(-kernel_h // rows), horizontal, True, columns, new_columns, columns, last_lanes))
    return min(choices, key=lambda steps: steps.count * _run_cycles(steps, out_width))


def _run_cycles(steps: Steps, width: int) -> int:
    """Cycles of one step over ``width`` pixels of an output row: a whole window, then the columns that are new."""
    return steps.columns + (width - 1) * steps.new_columns


def _taps(kernel: tuple[int, int]) -> Steps:
    return Steps(1, kernel[0], kernel[1], False, 1, 1, 1, 1)


def _without_macs(steps: Steps) -> Steps:
    return replace(steps, lanes=0, last_lanes=0)
