"""Random int8 TensorFlow Lite models, layer by layer, with awkward shapes and realistic scales."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.hwgen.tflite_builder import Operator, Tensor, build_model, constant

SAME, VALID = 0, 1
NONE, RELU, RELU_N1_TO_1, RELU6 = range(4)
KERNELS = ((1, 1), (2, 2), (3, 3), (5, 5), (7, 7), (11, 11), (10, 4), (1, 7), (4, 1), (6, 3))
CHANNELS = (1, 2, 3, 4, 8, 11, 16, 24)


class ModelWriter:
    """A chain of random operators being written; ``output`` is the latest activation.

    In a quarter of the chains every scale is a power of two, so that rescaled sums fall on halves.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.dyadic = bool(rng.random() < 0.25)
        self.operators: list[Operator] = []
        height, width = (1, 1) if rng.random() < 0.1 else rng.integers(1, 14, 2)
        self.output = self.activation((1, int(height), int(width), int(rng.choice(CHANNELS))))

    def scales(self, real: np.ndarray | float) -> np.ndarray:
        """``real`` as scales of this chain: float32 [n]."""
        real = np.atleast_1d(real)
        return (2.0 ** np.round(np.log2(real)) if self.dyadic else real).astype(np.float32)

    def activation(self, shape: tuple[int, ...], like: Tensor | None = None, scale: float | None = None) -> Tensor:
        """An activation of random quantisation, of the given scale or as ``like`` has it."""
        if like is not None:
            return Tensor(shape, like.scales, like.zero_points)
        if scale is None:
            scale = float(np.exp(self.rng.uniform(np.log(0.03), np.log(0.2))))
        zero_point = int(self.rng.choice([-128, 127, 0, *self.rng.integers(-60, 60, 3)]))
        return Tensor(shape, (float(self.scales(scale)[0]),), (zero_point,))

    def append(self, name: str, inputs: tuple[Tensor | None, ...], output: Tensor, **options: float) -> Tensor:
        self.operators.append(Operator(name, inputs, output, options))
        self.output = output
        return output


def random_model(rng: np.random.Generator, kinds: tuple[str, ...]) -> bytes:
    """The file of a chain with one operator (or short idiom) of each of ``kinds``, the keys of ``WRITERS``."""
    writer = ModelWriter(rng)
    for kind in kinds:
        WRITERS[kind](writer)
    return build_model(writer.operators)


def _output_size(size: int, kernel: int, stride: int, padding: int) -> int:
    return -(-size // stride) if padding == SAME else (size - kernel) // stride + 1


def _window(writer: ModelWriter, shape: tuple[int, ...]) -> tuple[tuple[int, int], dict[str, int], tuple[int, int]]:
    """Kernel, options and output size of a random window over ``shape``."""
    rng = writer.rng
    kernel = KERNELS[int(rng.integers(len(KERNELS)))]
    stride = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    padding = int(rng.integers(2))
    if padding == VALID:
        kernel = (min(kernel[0], shape[1]), min(kernel[1], shape[2]))
    options = {"Padding": padding, "StrideH": stride[0], "StrideW": stride[1]}
    height, width = (_output_size(shape[1 + i], kernel[i], stride[i], padding) for i in range(2))
    return kernel, options, (height, width)


def _parameters(writer: ModelWriter, shape: tuple[int, ...], axis: int, depth: int) -> tuple[Tensor, Tensor]:
    """Weights and bias of ``shape`` for dot products of ``depth`` terms.

    A quarter are quantised per tensor. Results spread over about +-4 in real terms.
    """
    rng, source = writer.rng, writer.output
    channels = shape[axis]
    spread = 73.0 * np.hypot(74.0, source.zero_points[0]) * np.sqrt(depth) * source.scales[0]
    scales = writer.scales(4.0 / spread * np.exp(rng.uniform(-1.5, 1.5, 1 if rng.random() < 0.25 else channels)))
    weights = constant(rng.integers(-127, 127, shape, np.int8, endpoint=True), tuple(map(float, scales)), axis)
    bias = np.round(rng.uniform(-2.0, 2.0, channels) / (scales * source.scales[0])).astype(np.int32)
    return weights, constant(bias, tuple(float(scale * np.float32(source.scales[0])) for scale in scales))


def _without_some_biases(writer: ModelWriter, parameters: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    """A quarter of the operators lack the bias (LiteRT's CONV_2D insists on one)."""
    return parameters[:1] if writer.rng.random() < 0.25 else parameters


def _fused(writer: ModelWriter) -> int:
    return int(writer.rng.choice([NONE, RELU, RELU6, RELU_N1_TO_1], p=[0.4, 0.25, 0.25, 0.1]))


def _write_conv(writer: ModelWriter) -> None:
    source = writer.output
    kernel, options, size = _window(writer, source.shape)
    channels = int(writer.rng.choice(CHANNELS))
    shape = (channels, *kernel, source.shape[3])
    parameters = _parameters(writer, shape, 0, int(np.prod(shape[1:])))
    output = writer.activation((1, *size, channels))
    writer.append(
        "CONV_2D",
        (source, *parameters),
        output,
        **options,
        DilationHFactor=1,
        DilationWFactor=1,
        FusedActivationFunction=_fused(writer),
    )


def _write_depthwise(writer: ModelWriter) -> None:
    source = writer.output
    kernel, options, size = _window(writer, source.shape)
    multiplier = int(writer.rng.choice([1, 1, 2, 3]))
    channels = source.shape[3] * multiplier
    parameters = _without_some_biases(writer, _parameters(writer, (1, *kernel, channels), 3, kernel[0] * kernel[1]))
    output = writer.activation((1, *size, channels))
    writer.append(
        "DEPTHWISE_CONV_2D",
        (source, *parameters),
        output,
        **options,
        DepthMultiplier=multiplier,
        DilationHFactor=1,
        DilationWFactor=1,
        FusedActivationFunction=_fused(writer),
    )


def _write_fully_connected(writer: ModelWriter) -> None:
    source = writer.output
    elements = int(np.prod(source.shape))
    if len(source.shape) == 4 and writer.rng.random() < 0.5:
        source = _write_reshape(writer, (1, elements))
    channels = int(writer.rng.choice((1, 2, 10, 33)))
    parameters = _without_some_biases(writer, _parameters(writer, (channels, elements), 0, elements))
    output = writer.activation((1, channels))
    writer.append("FULLY_CONNECTED", (source, *parameters), output, FusedActivationFunction=_fused(writer))


def _write_add(writer: ModelWriter) -> None:
    """The sum of the latest activation and an earlier one, itself, or itself at quite another scale."""
    rng, left = writer.rng, writer.output
    operators = writer.operators
    # Only convolutions may read what a PAD leaves.
    refused = [left, *(op.output for op in operators if op.name in ("PAD", "PADV2"))]
    earlier = [t for op in operators for t in (op.inputs[0], op.output) if t is not None and t not in refused]
    right = next((tensor for tensor in earlier if tensor.shape == left.shape), left)
    if rng.random() < 0.5:
        right = writer.activation(left.shape, scale=left.scales[0] * float(np.exp(rng.uniform(-7, 7))))
        writer.append("QUANTIZE", (left,), right)
    operands = (left, right) if rng.random() < 0.5 else (right, left)
    scale = (left.scales[0] + right.scales[0]) * float(rng.uniform(0.3, 1.2))
    writer.append("ADD", operands, writer.activation(left.shape, scale=scale), FusedActivationFunction=_fused(writer))


def _write_pool(name: str) -> Callable[[ModelWriter], None]:
    def write(writer: ModelWriter) -> None:
        source = writer.output
        kernel, options, size = _window(writer, source.shape)
        if writer.rng.random() < 0.3:
            kernel, size = (source.shape[1], source.shape[2]), (1, 1)
            options = {"Padding": VALID, "StrideH": 1, "StrideW": 1}
        output = writer.activation((1, *size, source.shape[3]), like=source)
        options |= {"FilterHeight": kernel[0], "FilterWidth": kernel[1], "FusedActivationFunction": _fused(writer)}
        writer.append(name, (source,), output, **options)

    return write


def _write_padded(write_convolution: Callable[[ModelWriter], None]) -> Callable[[ModelWriter], None]:
    def write(writer: ModelWriter) -> None:
        rng, source = writer.rng, writer.output
        pads = np.zeros((4, 2), np.int32)
        pads[1:3] = rng.integers(0, 4, (2, 2))
        shape = tuple(int(size + pad.sum()) for size, pad in zip(source.shape, pads, strict=True))
        output = writer.activation(shape, like=source)
        if rng.random() < 0.5:
            writer.append("PAD", (source, constant(pads)), output)
        else:
            value = Tensor((1,), source.scales, source.zero_points, data=np.array(source.zero_points, np.int8))
            writer.append("PADV2", (source, constant(pads), value), output)
        write_convolution(writer)

    return write


def _write_residual(writer: ModelWriter) -> None:
    """A 3 x 3 convolution of stride 1 and the addition of its input."""
    source = writer.output
    channels = source.shape[3]
    parameters = _parameters(writer, (channels, 3, 3, channels), 0, 9 * channels)
    branch = writer.activation(source.shape)
    writer.append("CONV_2D", (source, *parameters), branch, **UNIT_WINDOW, FusedActivationFunction=_fused(writer))
    output = writer.activation(source.shape)
    writer.append("ADD", (source, branch), output, FusedActivationFunction=_fused(writer))


UNIT_WINDOW = {"Padding": SAME, "StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}


def _write_mean(writer: ModelWriter) -> None:
    rng, source = writer.rng, writer.output
    axes = constant(np.array([1, 2] if rng.random() < 0.5 else [-2, -3], np.int32))
    keeps = bool(rng.random() < 0.5)
    shape = (1, 1, 1, source.shape[3]) if keeps else (1, source.shape[3])
    output = writer.activation(shape, scale=source.scales[0] * float(rng.uniform(0.1, 1.2)))
    writer.append("MEAN", (source, axes), output, KeepDims=keeps)


def _write_rescaled(name: str) -> Callable[[ModelWriter], None]:
    def write(writer: ModelWriter) -> None:
        source = writer.output
        scale = source.scales[0] * float(writer.rng.choice([1.0, writer.rng.uniform(0.3, 2.0)]))
        writer.append(name, (source,), writer.activation(source.shape, scale=scale))

    return write


def _write_reshape(writer: ModelWriter, shape: tuple[int, ...]) -> Tensor:
    source = writer.output
    return writer.append(
        "RESHAPE", (source, constant(np.array(shape, np.int32))), writer.activation(shape, like=source)
    )


def _write_softmax(writer: ModelWriter) -> None:
    writer.append("SOFTMAX", (writer.output,), Tensor(writer.output.shape, (1 / 256,), (-128,)), Beta=1.0)


WRITERS: dict[str, Callable[[ModelWriter], None]] = {
    "conv": _write_conv,
    "depthwise": _write_depthwise,
    "fully_connected": _write_fully_connected,
    "add": _write_add,
    "average_pool": _write_pool("AVERAGE_POOL_2D"),
    "max_pool": _write_pool("MAX_POOL_2D"),
    "padded_conv": _write_padded(_write_conv),
    "padded_depthwise": _write_padded(_write_depthwise),
    "residual": _write_residual,
    "mean": _write_mean,
    "relu": _write_rescaled("RELU"),
    "relu6": _write_rescaled("RELU6"),
    "quantize": _write_rescaled("QUANTIZE"),
    "softmax": _write_softmax,
}
