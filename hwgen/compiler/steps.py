"""Steps: how the array walks a windowed layer, group of channels by group and step by step of the window.

They follow from shapes alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hwgen.config import ROW_BANKS, AcceleratorConfig, Dataflow
from hwgen.graph import AveragePool, Conv, Depthwise, FullyConnected, Layer, MaxPool, TensorType, Window


@dataclass(frozen=True)
class Steps:
    """How the array walks a window: the steps of one group's reduction."""

    rows: int
    """Kernel rows per step."""
    vertical: int
    """Steps along the kernel's height."""
    horizontal: int
    """Steps along the kernel's width and, where rows are stationary, slices of the channels."""
    slides: bool
    """The window slides through the array, each column of which has a channel of its own."""
    columns: int
    """Columns of the window that slide through the array in a step or, not ``slides``, of which each takes its own
    step, so that a row of operands slides past the weights; 1 where none do."""
    new_columns: int
    """Those of them that the next pixel of a row does not share."""
    lanes: int
    """Operands per kernel row that carry MACs in a step."""
    last_lanes: int
    """The same, in a kernel row's last step."""
    chunk: int = 1
    """Columns that a pixel takes before the next does: those of a step in a slide, otherwise those whose weights the
    array's register file holds."""

    @property
    def count(self) -> int:
        """Weight words of a group; each takes a cycle per pixel, unless columns slide."""
        return self.vertical * self.horizontal * (1 if self.slides else self.columns)


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
    steps = _window_steps(layer, operand, config, step_rows)
    return replace(steps, chunk=_chunk_steps(steps, config))


def _window_steps(layer: Layer, operand: TensorType, config: AcceleratorConfig, step_rows: int) -> Steps:
    match layer:
        case Conv():
            if config.dataflow is Dataflow.RS and step_rows > 1:
                return _kernel_rows(layer.window, operand.shape[2], config)
            return _dense(layer.window.kernel, operand.shape[2], config, step_rows)
        case FullyConnected():
            return _dense((1, 1), operand.elements, config, step_rows)
        case Depthwise():
            # Only where each output channel has an input channel of its own can that enter the array in its column.
            if layer.output.shape[2] == operand.shape[2] and step_rows > 1:
                return _sliding(layer.window, layer.output.shape[1], config, step_rows)
            return _taps(layer.window, config, step_rows)
        case AveragePool() if step_rows > 1:
            return _without_macs(_sliding(layer.window, layer.output.shape[1], config, step_rows))
        case AveragePool() | MaxPool():
            return _without_macs(_taps(layer.window, config, step_rows))
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


def group_cycles(steps: Steps, out_size: tuple[int, int], tile_width: int, block_pixels: int) -> int:
    """Array cycles of one group over an output of ``out_size`` that is cut into tiles of ``tile_width`` columns.

    A window slides within a tile and a block of ``block_pixels``, and starts anew in the next.
    """
    height, width = out_size
    cycles = 0
    for left in range(0, width, tile_width):
        blocks, rest = divmod(min(tile_width, width - left), block_pixels)
        cycles += blocks * _run_cycles(steps, block_pixels)
        cycles += _run_cycles(steps, rest) if rest else 0
    return height * steps.count * cycles


def _chunk_steps(steps: Steps, config: AcceleratorConfig) -> int:
    """Whole kernel rows where the register file holds them, so that their operands are shared."""
    if steps.slides:
        return steps.columns
    if config.dataflow is Dataflow.OS:
        return 1
    rows_held = config.rf_depth // steps.columns
    return min(rows_held * steps.columns if rows_held else config.rf_depth, steps.count)


def _dense(kernel: tuple[int, int], channels: int, config: AcceleratorConfig, step_rows: int) -> Steps:
    """The fewest steps: many channels fill the lanes from one kernel row, few from several."""
    choices = []
    for rows in range(1, min(step_rows, kernel[0], config.rows) + 1):
        share, segment = config.rows // rows, kernel[1] * channels
        horizontal = -(-segment // share)
        last_lanes = segment - (horizontal - 1) * share
        choices.append(Steps(rows, -(-kernel[0] // rows), horizontal, False, 1, 1, share, last_lanes))
    return min(choices, key=lambda steps: steps.count)


def _kernel_rows(window: Window, channels: int, config: AcceleratorConfig) -> Steps:
    """The fewest steps, each of one column of several kernel rows, in as many channels as their lanes take."""
    kernel_h, kernel_w = window.kernel
    new_columns = min(window.stride[1], kernel_w)
    choices = []
    for rows in range(1, min(ROW_BANKS, kernel_h, config.rows) + 1):
        lanes = min(config.rows // rows, channels)
        slices = -(-channels // lanes)
        last_lanes = channels - (slices - 1) * lanes
        choices.append(Steps(rows, -(-kernel_h // rows), slices, False, kernel_w, new_columns, lanes, last_lanes))
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
    """Cycles of one step over ``width`` pixels of an output row: where it slides, a whole window, then new columns."""
    return steps.columns + (width - 1) * steps.new_columns if steps.slides else width


def _taps(window: Window, config: AcceleratorConfig, step_rows: int) -> Steps:
    kernel_h, kernel_w = window.kernel
    if config.dataflow is Dataflow.RS and step_rows > 1:
        return Steps(1, kernel_h, 1, False, kernel_w, min(window.stride[1], kernel_w), 1, 1)
    return Steps(1, kernel_h, kernel_w, False, 1, 1, 1, 1)


def _without_macs(steps: Steps) -> Steps:
    return replace(steps, lanes=0, last_lanes=0)
