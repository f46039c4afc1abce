"""From a torch network to a list of float layers that mirrors the LayerGraph: batch normalisation and ReLU folded.

A ReLU becomes the clamp of the layer before it where every reader of that layer wants it, and otherwise the clamp on
the operand of each convolution after it, so that it never costs a tensor of its own.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import inf

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from hwgen.errors import InputError
from hwgen.graph import Window

NO_CLAMP = (-inf, inf)


class UnsupportedNetworkError(InputError):
    """A torch network with something that the accelerator cannot run; the message names it."""


@dataclass(frozen=True, eq=False)
class FloatLayer:
    """A layer before quantisation; ``clamp`` is the real-valued range of its output (a fused ReLU)."""

    name: str
    operands: tuple[str, ...]
    clamp: tuple[float, float] = field(default=NO_CLAMP, kw_only=True)


@dataclass(frozen=True, eq=False)
class FloatConv(FloatLayer):
    """Convolution (``groups`` 1, or as many as input channels) with torch weights [out, in / groups, kh, kw]."""

    weight: Tensor
    bias: Tensor
    stride: tuple[int, int]
    padding: tuple[int, int]
    groups: int
    input_clamp: tuple[float, float] = field(default=NO_CLAMP, kw_only=True)

    @property
    def window(self) -> Window:
        kernel_height, kernel_width = self.weight.shape[2:]
        vertical, horizontal = self.padding
        return Window((kernel_height, kernel_width), self.stride, (vertical, vertical, horizontal, horizontal))


@dataclass(frozen=True, eq=False)
class FloatLinear(FloatLayer):
    """The classifier, over the flattened operand (C, H, W order); weight [out, in]."""

    weight: Tensor
    bias: Tensor
    input_clamp: tuple[float, float] = field(default=NO_CLAMP, kw_only=True)


@dataclass(frozen=True, eq=False)
class FloatAdd(FloatLayer):
    """Elementwise sum of two operands."""


@dataclass(frozen=True, eq=False)
class FloatAveragePool(FloatLayer):
    """Mean over the window's valid positions; a window of None spans the whole operand."""

    window: Window | None


INPUT = "input"


def trace(network: nn.Module) -> list[FloatLayer]:
    """The network's layers in topological order, the last one its output; INPUT names the image.

    The network is read in evaluation mode. Raises UnsupportedNetworkError where it holds anything but convolutions
    (dense or depthwise), batch normalisations, ReLU, ReLU6, average pools, additions and linear layers.
    """
    graph_module = fx.symbolic_trace(network)
    traced = _Tracer(graph_module)
    return _fold_relu(_fold_batch_norm(_live(traced.layers, traced.output)))


def execute(layers: Sequence[FloatLayer], images: Tensor) -> Iterator[tuple[str, Tensor]]:
    """INPUT and every layer with its output for float ``images`` [N, C, H, W], in order.

    A tensor is let go when no later layer reads it.
    """
    last_reader = {operand: layer.name for layer in layers for operand in layer.operands}
    values = {INPUT: images}
    yield INPUT, images
    for layer in layers:
        with torch.no_grad():
            values[layer.name] = run_layer(layer, *(values[operand] for operand in layer.operands)).clamp(*layer.clamp)
        yield layer.name, values[layer.name]
        for operand in set(layer.operands):
            if last_reader[operand] == layer.name:
                del values[operand]


def run_layer(layer: FloatLayer, *operands: Tensor) -> Tensor:
    """The layer's output before its clamp."""
    match layer:
        case FloatConv():
            x = operands[0].clamp(*layer.input_clamp)
            return F.conv2d(x, layer.weight, layer.bias, layer.stride, layer.padding, groups=layer.groups)
        case FloatLinear():
            return F.linear(operands[0].clamp(*layer.input_clamp).flatten(1), layer.weight, layer.bias)
        case FloatAdd():
            return operands[0] + operands[1]
        case FloatAveragePool(window=None):
            return operands[0].mean((2, 3), keepdim=True)
        case FloatAveragePool(window=Window() as window):
            top, _, left, _ = window.padding
            return F.avg_pool2d(operands[0], window.kernel, window.stride, (top, left), count_include_pad=False)
    raise TypeError(f"layer {layer.name!r}: {type(layer).__name__} cannot be run")


@dataclass(frozen=True, eq=False)
class _Normalise(FloatLayer):
    """A batch normalisation that is not folded yet: factor and offset per channel."""

    factor: Tensor
    offset: Tensor


@dataclass(frozen=True, eq=False)
class _Relu(FloatLayer):
    """A ReLU that is not folded yet: its bounds are its clamp."""


class _Tracer:
    """Reads an fx graph node by node; ``layers`` is what it found, ``output`` the name of what the network returns."""

    def __init__(self, graph_module: fx.GraphModule) -> None:
        self.layers: list[FloatLayer] = []
        self.output = INPUT
        self._names: dict[fx.Node, str] = {}
        self._modules = dict(graph_module.named_modules())
        for node in graph_module.graph.nodes:
            self._read(node)

    def _read(self, node: fx.Node) -> None:
        operands = tuple(self._names[source] for source in node.all_input_nodes)
        if node.op == "placeholder":
            self._names[node] = INPUT
        elif node.op == "call_function" and node.target is operator.add and len(node.args) == 2:
            terms = tuple(self._names[term] for term in node.args if isinstance(term, fx.Node))
            self._append(node, FloatAdd(self._sum_name(node), terms))
        elif node.op == "call_module":
            module = self._modules[str(node.target)]
            if isinstance(module, nn.Identity | nn.Flatten):
                self._names[node] = operands[0]
            else:
                self._append(node, _from_module(_readable(str(node.target)), operands, module))
        elif node.op == "output":
            (self.output,) = operands
        else:
            raise UnsupportedNetworkError(
                f"network: operation {node.target!r} is not supported; accepted: + and modules"
            )

    def _sum_name(self, node: fx.Node) -> str:
        """Sums have no module: they are numbered within the module whose code adds."""
        owners = list(node.meta.get("nn_module_stack", ()))
        prefix = _readable(f"{owners[-1]}.add" if owners else "add")
        number = sum(layer.name.startswith(prefix) for layer in self.layers)
        return f"{prefix}{number}"

    def _append(self, node: fx.Node, layer: FloatLayer) -> None:
        self.layers.append(layer)
        self._names[node] = layer.name


def _readable(target: str) -> str:
    return target.replace(".", "_")


def _from_module(name: str, operands: tuple[str, ...], module: nn.Module) -> FloatLayer:
    match module:
        case nn.Conv2d():
            _check_conv(name, module)
            bias = torch.zeros(module.out_channels) if module.bias is None else module.bias.detach()
            weight = module.weight.detach()
            return FloatConv(name, operands, weight, bias, _pair(module.stride), _pair(module.padding), module.groups)
        case nn.BatchNorm2d():
            return _Normalise(name, operands, *_batch_norm_affine(module))
        case nn.ReLU():
            return _Relu(name, operands, clamp=(0.0, inf))
        case nn.ReLU6():
            return _Relu(name, operands, clamp=(0.0, 6.0))
        case nn.AvgPool2d():
            (height, width), (top, left) = _pair(module.kernel_size), _pair(module.padding)
            if ((top or left) and module.count_include_pad) or module.ceil_mode or module.divisor_override:
                raise UnsupportedNetworkError(f"{name}: average pool counts padding; accepted: count_include_pad=False")
            stride = _pair(module.stride)
            return FloatAveragePool(name, operands, Window((height, width), stride, (top, top, left, left)))
        case nn.AdaptiveAvgPool2d():
            if _pair(module.output_size) != (1, 1):
                raise UnsupportedNetworkError(f"{name}: output size {module.output_size}; accepted: 1")
            return FloatAveragePool(name, operands, None)
        case nn.Linear():
            bias = torch.zeros(module.out_features) if module.bias is None else module.bias.detach()
            return FloatLinear(name, operands, module.weight.detach(), bias)
    raise UnsupportedNetworkError(
        f"{name}: {type(module).__name__} is not supported; accepted: Conv2d, BatchNorm2d, ReLU, ReLU6, AvgPool2d, "
        "AdaptiveAvgPool2d, Linear"
    )


def _check_conv(name: str, module: nn.Conv2d) -> None:
    depthwise = module.groups == module.in_channels
    if module.groups != 1 and not depthwise:
        raise UnsupportedNetworkError(f"{name}: {module.groups} groups; accepted: 1, or one per input channel")
    if _pair(module.dilation) != (1, 1) or isinstance(module.padding, str):
        raise UnsupportedNetworkError(f"{name}: dilation or named padding; accepted: dilation 1, padding in pixels")


def _pair(value: object) -> tuple[int, int]:
    if isinstance(value, tuple):
        return int(value[0]), int(value[1])
    assert isinstance(value, int)
    return value, value


def _batch_norm_affine(module: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """(factor, offset) of a batch normalisation in evaluation mode."""
    assert module.running_mean is not None and module.running_var is not None
    factor = module.weight.detach().double() / torch.sqrt(module.running_var.double() + module.eps)
    offset = module.bias.detach().double() - factor * module.running_mean.double()
    return factor.float(), offset.float()


def _live(layers: Sequence[FloatLayer], output: str) -> list[FloatLayer]:
    """The layers that the output depends on, which is the last of them."""
    needed = {output}
    for layer in reversed(layers):
        if layer.name in needed:
            needed.update(layer.operands)
    return [layer for layer in layers if layer.name in needed]


def _readers(layers: Sequence[FloatLayer]) -> dict[str, list[FloatLayer]]:
    readers: dict[str, list[FloatLayer]] = {name: [] for name in (INPUT, *(layer.name for layer in layers))}
    for layer in layers:
        for operand in layer.operands:
            readers[operand].append(layer)
    return readers


def _renamed(layers: Sequence[FloatLayer], aliases: dict[str, str]) -> list[FloatLayer]:
    """The layers with every operand that is an alias replaced by what it stands for."""
    return [replace(layer, operands=tuple(aliases.get(name, name) for name in layer.operands)) for layer in layers]


def _fold_batch_norm(layers: list[FloatLayer]) -> list[FloatLayer]:
    """Into the convolution before it where that has no other reader; otherwise a 1x1 depthwise convolution."""
    readers = _readers(layers)
    folded: dict[str, FloatLayer] = {}
    aliases: dict[str, str] = {}
    for layer in layers:
        if not isinstance(layer, _Normalise):
            folded[layer.name] = layer
            continue
        source = folded.get(layer.operands[0])
        if isinstance(source, FloatConv) and len(readers[source.name]) == 1:
            weight = source.weight * layer.factor[:, None, None, None]
            folded[source.name] = replace(source, weight=weight, bias=source.bias * layer.factor + layer.offset)
            aliases[layer.name] = source.name
        else:
            weight = layer.factor[:, None, None, None]
            folded[layer.name] = FloatConv(
                layer.name, layer.operands, weight, layer.offset, (1, 1), (0, 0), len(layer.factor)
            )
    return _renamed(list(folded.values()), aliases)


def _fold_relu(layers: list[FloatLayer]) -> list[FloatLayer]:
    readers = _readers(layers)
    kept: dict[str, FloatLayer] = {}
    aliases: dict[str, str] = {}
    for layer in layers:
        if not isinstance(layer, _Relu):
            operands = tuple(aliases.get(name, name) for name in layer.operands)
            kept[layer.name] = replace(layer, operands=operands)
            continue
        source = layer.operands[0]
        siblings = readers[source]
        if source in kept and all(isinstance(other, _Relu) and other.clamp == layer.clamp for other in siblings):
            kept[source] = replace(kept[source], clamp=layer.clamp)
        else:
            for reader in readers[layer.name]:
                if not isinstance(reader, FloatConv | FloatLinear):
                    raise UnsupportedNetworkError(
                        f"{layer.name}: a ReLU between {source} and {reader.name}; accepted: a ReLU that a convolution "
                        "reads, or that alone reads its operand"
                    )
        aliases[layer.name] = source
    clamps = {layer.name: layer.clamp for layer in layers if isinstance(layer, _Relu)}
    original = {layer.name: layer.operands for layer in layers}
    return [_with_input_clamp(layer, original[layer.name][0], clamps, kept) for layer in kept.values()]


def _with_input_clamp(
    layer: FloatLayer, operand: str, clamps: dict[str, tuple[float, float]], kept: dict[str, FloatLayer]
) -> FloatLayer:
    """The ReLU that stood between ``layer`` and its operand, unless that operand's own clamp includes it."""
    if not isinstance(layer, FloatConv | FloatLinear) or operand not in clamps:
        return layer
    source = kept.get(layer.operands[0])
    if source is not None and source.clamp == clamps[operand]:
        return layer
    return replace(layer, input_clamp=clamps[operand])
