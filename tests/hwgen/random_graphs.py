"""Random LayerGraphs: single layers and short chains with awkward shapes and realistic scales.

Scales are chosen from each layer's own statistics, so that outputs spread over the int8 range rather than saturate.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from hwgen.arithmetic import add_scales, output_clamp, quantise_multiplier
from hwgen.graph import (
    INT8_MAX,
    INT8_MIN,
    Add,
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    Input,
    Layer,
    LayerGraph,
    MaxPool,
    Requantisation,
    Rounding,
    TensorType,
    Window,
)

KERNELS = ((1, 1), (1, 1), (3, 3), (3, 3), (5, 5), (7, 7), (11, 11), (10, 4), (1, 7), (2, 2), (4, 9))
CHANNELS = (1, 3, 4, 8, 9, 16, 17, 24, 40, 64)
KINDS = ("conv", "conv", "depthwise", "fully_connected", "add", "average_pool", "max_pool", "residual")
ACTIVATIONS = ("NONE", "NONE", "RELU", "RELU6")


def layer_graphs(max_elements: int = 4096) -> st.SearchStrategy[LayerGraph]:
    """Hypothesis strategy over ``random_layer_graph``'s seeds."""
    return st.integers(0, 2**32 - 1).map(lambda seed: random_layer_graph(np.random.default_rng(seed), max_elements))


def random_layer_graph(
    rng: np.random.Generator, max_elements: int = 4096, layers: int | None = None, kinds: tuple[str, ...] = KINDS
) -> LayerGraph:
    """A graph of ``layers`` (1 to 4 where None) random layers of ``kinds``; no tensor has more than ``max_elements``.

    A "residual" is a convolution followed by the addition of its input, and counts as one layer.
    """
    channels = min(int(rng.choice(CHANNELS)), max_elements)
    side = max(1, min(24, int((max_elements / channels) ** 0.5)))
    height, width = (int(rng.integers(1, side + 1)) for _ in range(2))
    graph = LayerGraph("random", Input("input", _tensor_type(rng, (height, width, channels))))
    for index in range(int(rng.integers(1, 5)) if layers is None else layers):
        BUILDERS[str(rng.choice(kinds))](rng, graph, f"layer{index}", max_elements)
    return graph


def random_input(rng: np.random.Generator, graph: LayerGraph, images: int = 1) -> np.ndarray:
    """int8 [images, H, W, C], uniform over the whole int8 range."""
    return rng.integers(INT8_MIN, INT8_MAX, (images, *graph.input.output.shape), np.int8, endpoint=True)


def _tensor_type(rng: np.random.Generator, shape: tuple[int, int, int], scale: float | None = None) -> TensorType:
    scale = float(np.float32(np.exp(rng.uniform(np.log(0.005), np.log(0.2))))) if scale is None else scale
    zero_point = int(rng.choice([INT8_MIN, INT8_MAX, 0, int(rng.integers(INT8_MIN, INT8_MAX + 1))]))
    return TensorType(shape, scale, zero_point)


def _window(rng: np.random.Generator, shape: tuple[int, int, int]) -> Window:
    """Any kernel and stride; SAME, VALID or arbitrary padding that does not let the output outgrow the input."""
    height, width = shape[:2]
    kernel = KERNELS[int(rng.integers(len(KERNELS)))]
    stride = (
        (int(rng.integers(1, 5)), int(rng.integers(1, 5))) if rng.random() < 0.3 else (int(rng.integers(1, 3)),) * 2
    )
    style = rng.random()
    if style < 0.5:
        padding = (*_same_padding(height, kernel[0], stride[0]), *_same_padding(width, kernel[1], stride[1]))
        return Window(kernel, stride, padding)
    if style < 0.75:
        return Window((min(kernel[0], height), min(kernel[1], width)), stride)
    top, left = (int(rng.integers(0, size)) for size in kernel)
    bottom, right = int(rng.integers(0, kernel[0] - top)), int(rng.integers(0, kernel[1] - left))
    bottom += max(0, kernel[0] - height - top - bottom)
    right += max(0, kernel[1] - width - left - right)
    return Window(kernel, stride, (top, bottom, left, right))


def _same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2


def _parameters(
    rng: np.random.Generator, operand: TensorType, shape: tuple[int, ...], depth: int, rounding: Rounding
) -> tuple[np.ndarray, np.ndarray, Requantisation]:
    """Weights of ``shape``, bias and scaling per output channel for dot products of ``depth`` terms.

    The scaling spreads the accumulators over about +-100. Some layers have tiny weights (so that multipliers come near
    and above one), some powers of two as scales (so that halves occur), some a dead channel (multiplier 0).
    """
    largest = 127 if rng.random() < 0.85 else 1
    weights = rng.integers(-largest, largest, shape, np.int8, endpoint=True)
    channels = shape[-1] if len(shape) == 3 else shape[0]
    spread = (0.58 * largest + 0.2) * np.hypot(74.0, operand.zero_point) * np.sqrt(depth)
    reals = 50.0 / spread * np.exp(rng.uniform(-1.5, 1.5, channels))
    if rng.random() < 0.1:
        reals = 2.0 ** np.round(np.log2(reals))
    if rng.random() < 0.05:
        reals[rng.integers(channels)] = 0.0
    bias = rng.integers(-int(spread), int(spread), channels, np.int32, endpoint=True)
    pairs = np.array([quantise_multiplier(float(real)) for real in reals], np.int32)
    return weights, bias, Requantisation(pairs[:, 0].copy(), pairs[:, 1].copy(), rounding)


def _rounding(rng: np.random.Generator, usual: Rounding) -> Rounding:
    other = Rounding.SINGLE if usual is Rounding.DOUBLE else Rounding.DOUBLE
    return usual if rng.random() < 0.75 else other


def _input_clamp(rng: np.random.Generator, operand: TensorType) -> tuple[int, int]:
    return (operand.zero_point, INT8_MAX) if rng.random() < 0.25 else (INT8_MIN, INT8_MAX)


def _clamp(rng: np.random.Generator, output: TensorType) -> tuple[int, int]:
    low, high = output_clamp(str(rng.choice(ACTIVATIONS)), output.scale, output.zero_point)
    return (low, high) if high - low >= 16 else (INT8_MIN, INT8_MAX)


def _conv(rng: np.random.Generator, graph: LayerGraph, name: str, max_elements: int, like_input: bool = False) -> None:
    operand = graph.output.output
    if like_input:
        kernel = (3, 3) if rng.random() < 0.7 else (1, 1)
        pads = (*_same_padding(3, kernel[0], 1), *_same_padding(3, kernel[1], 1))
        window, channels = Window(kernel, (1, 1), pads), operand.shape[2]
    else:
        window, channels = _window(rng, operand.shape), int(rng.choice(CHANNELS))
    height, width = window.output_size(*operand.shape[:2])
    channels = max(1, min(channels, max_elements // (height * width)))
    output = _tensor_type(rng, (height, width, channels))
    depth = window.kernel[0] * window.kernel[1] * operand.shape[2]
    shape = (channels, *window.kernel, operand.shape[2])
    weights, bias, requantisation = _parameters(rng, operand, shape, depth, _rounding(rng, Rounding.DOUBLE))
    layer = Conv(
        name,
        output,
        window,
        weights,
        bias,
        requantisation,
        clamp=_clamp(rng, output),
        input_clamp=_input_clamp(rng, operand),
    )
    graph.add(layer, graph.output_name)


def _depthwise(rng: np.random.Generator, graph: LayerGraph, name: str, max_elements: int) -> None:
    operand = graph.output.output
    window = _window(rng, operand.shape)
    height, width = window.output_size(*operand.shape[:2])
    multiplier = int(rng.integers(1, 4)) if rng.random() < 0.3 else 1
    multiplier = max(1, min(multiplier, max_elements // (height * width * operand.shape[2])))
    channels = operand.shape[2] * multiplier
    output = _tensor_type(rng, (height, width, channels))
    depth = window.kernel[0] * window.kernel[1]
    shape = (*window.kernel, channels)
    weights, bias, requantisation = _parameters(rng, operand, shape, depth, _rounding(rng, Rounding.DOUBLE))
    layer = Depthwise(
        name,
        output,
        window,
        weights,
        bias,
        requantisation,
        clamp=_clamp(rng, output),
        input_clamp=_input_clamp(rng, operand),
    )
    graph.add(layer, graph.output_name)


def _fully_connected(rng: np.random.Generator, graph: LayerGraph, name: str, max_elements: int) -> None:
    operand = graph.output.output
    channels = min(int(rng.choice((1, 10, 12, 33, 64, 128))), max_elements)
    output = _tensor_type(rng, (1, 1, channels))
    shape = (channels, operand.elements)
    weights, bias, requantisation = _parameters(rng, operand, shape, operand.elements, _rounding(rng, Rounding.SINGLE))
    layer = FullyConnected(
        name,
        output,
        weights,
        bias,
        requantisation,
        clamp=_clamp(rng, output),
        input_clamp=_input_clamp(rng, operand),
    )
    graph.add(layer, graph.output_name)


def _add(rng: np.random.Generator, graph: LayerGraph, name: str, max_elements: int) -> None:
    """The sum of the output and the latest other tensor of its shape, or of the output with itself."""
    left = graph.output
    others = [layer for layer in (graph.input, *graph.layers()) if layer.output.shape == left.output.shape]
    right = others[-2] if len(others) > 1 else left
    output = _tensor_type(rng, left.output.shape, scale=max(left.output.scale, right.output.scale) * 1.4)
    graph.add(add_layer(name, left, right, output, _clamp(rng, output)), left.name, right.name)


def add_layer(name: str, left: Layer, right: Layer, output: TensorType, clamp: tuple[int, int]) -> Add:
    """An Add of two layers' outputs, scaled as TensorFlow Lite prepares it."""
    scales = add_scales(left.output.scale, right.output.scale, output.scale)
    return Add(name, output, *scales, clamp=clamp)


def _average_pool(rng: np.random.Generator, graph: LayerGraph, name: str, max_elements: int) -> None:
    window, output = _pooled(rng, graph)
    graph.add(AveragePool(name, output, window, clamp=_clamp(rng, output)), graph.output_name)


def _max_pool(rng: np.random.Generator, graph: LayerGraph, name: str, max_elements: int) -> None:
    window, output = _pooled(rng, graph)
    graph.add(MaxPool(name, output, window, clamp=_clamp(rng, output)), graph.output_name)


def _pooled(rng: np.random.Generator, graph: LayerGraph) -> tuple[Window, TensorType]:
    """A window (global, SAME or VALID, as pools have them in TensorFlow Lite) and the type of the pool's output."""
    operand = graph.output.output
    height, width, channels = operand.shape
    kernel = KERNELS[int(rng.integers(len(KERNELS)))]
    stride = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    style = rng.random()
    if style < 0.25:
        window = Window((height, width))
    elif style < 0.6:
        padding = (*_same_padding(height, kernel[0], stride[0]), *_same_padding(width, kernel[1], stride[1]))
        window = Window(kernel, stride, padding)
    else:
        window = Window((min(kernel[0], height), min(kernel[1], width)), stride)
    return window, TensorType((*window.output_size(height, width), channels), operand.scale, operand.zero_point)


def _residual(rng: np.random.Generator, graph: LayerGraph, name: str, max_elements: int) -> None:
    shortcut = graph.output
    _conv(rng, graph, f"{name}_conv", max_elements, like_input=True)
    branch = graph.output
    output = _tensor_type(rng, shortcut.output.shape, scale=max(shortcut.output.scale, branch.output.scale) * 1.4)
    graph.add(add_layer(f"{name}_add", branch, shortcut, output, _clamp(rng, output)), branch.name, shortcut.name)


BUILDERS = {
    "conv": _conv,
    "depthwise": _depthwise,
    "fully_connected": _fully_connected,
    "add": _add,
    "average_pool": _average_pool,
    "max_pool": _max_pool,
    "residual": _residual,
}
