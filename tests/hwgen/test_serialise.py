"""A saved LayerGraph loads as the same graph, and nothing else loads at all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwgen.errors import ModelFileError
from hwgen.graph import (
    Add,
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    Input,
    Layer,
    LayerGraph,
    MaxPool,
    Scale,
    TensorType,
    Window,
)
from hwgen.reference import run_layers
from hwgen.serialise import HEADER, load_graph, save_graph
from tests.hwgen.random_graphs import layer_graphs, random_input, random_layer_graph
from tests.hwgen.single_layers import single_layer

FILES = (HealthCheck.function_scoped_fixture,)
SHAPE = (6, 6, 4)
"""Of the operand of the layers whose numbers are damaged."""


def rewrite_header(path: Path, change) -> None:
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(arrays[HEADER].tobytes())
    change(header)
    arrays[HEADER] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(path, **arrays)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "graph.npz"
    save_graph(random_layer_graph(np.random.default_rng(3), layers=3, kinds=("conv",)), path)
    return path


@settings(max_examples=40, suppress_health_check=FILES)
@given(graph=layer_graphs())
def test_loaded_graph_has_the_same_structure_and_computes_the_same_tensors(graph: LayerGraph, tmp_path: Path) -> None:
    graph.host_operators = ("RESHAPE", "SOFTMAX")
    save_graph(graph, tmp_path / "graph.npz")
    loaded = load_graph(tmp_path / "graph.npz")

    assert (loaded.name, loaded.input_name, loaded.output_name, loaded.host_operators) == (
        graph.name,
        graph.input_name,
        graph.output_name,
        graph.host_operators,
    )
    assert [(type(layer), layer.name, layer.output, layer.clamp) for layer in loaded.layers()] == [
        (type(layer), layer.name, layer.output, layer.clamp) for layer in graph.layers()
    ]
    x = random_input(np.random.default_rng(0), graph, 2)
    expected, actual = run_layers(graph, x), run_layers(loaded, x)
    assert all(np.array_equal(actual[name], expected[name]) for name in expected)


@settings(max_examples=40, suppress_health_check=FILES)
@given(graph=layer_graphs())
def test_saving_a_loaded_graph_gives_the_same_file(graph: LayerGraph, tmp_path: Path) -> None:
    save_graph(graph, tmp_path / "first.npz")
    save_graph(load_graph(tmp_path / "first.npz"), tmp_path / "second.npz")
    with np.load(tmp_path / "first.npz") as first, np.load(tmp_path / "second.npz") as second:
        assert first.files == second.files
        for key in first.files:
            assert first[key].dtype == second[key].dtype
            assert np.array_equal(first[key], second[key])


def test_a_failed_save_leaves_the_old_file_and_nothing_else(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save_graph(random_layer_graph(np.random.default_rng(4)), saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"absent\.npz: no such file"):
        load_graph(tmp_path / "absent.npz")


@pytest.mark.parametrize("content", [b"", b"not a graph", b"PK\x03\x04 broken zip", b"\x93NUMPY\x01\x00"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.npz"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"other\.npz: not a saved layer graph"):
        load_graph(path)


def test_an_npz_of_something_else_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.npz", weights=np.zeros(3))
    with pytest.raises(ModelFileError, match="not a saved layer graph"):
        load_graph(tmp_path / "arrays.npz")


@settings(max_examples=150, suppress_health_check=FILES)
@given(data=st.data())
def test_damaged_files_are_refused_or_load_unchanged(saved: Path, data: st.DataObject) -> None:
    content = bytearray(saved.read_bytes())
    if data.draw(st.booleans(), label="truncate"):
        content = content[: data.draw(st.integers(0, len(content) - 1), label="length")]
    else:
        content[data.draw(st.integers(0, len(content) - 1), label="byte")] ^= 1 << data.draw(st.integers(0, 7))
    damaged = saved.parent / "damaged.npz"
    damaged.write_bytes(content)
    try:
        loaded = load_graph(damaged)
    except ModelFileError as error:
        assert "damaged.npz" in str(error)
    else:
        original = load_graph(saved)
        x = random_input(np.random.default_rng(0), original)
        assert np.array_equal(run_layers(loaded, x)[loaded.output_name], run_layers(original, x)[original.output_name])


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.update(format="another tool's"),
        lambda header: header.pop("layers"),
        lambda header: header.update(output="nowhere"),
        lambda header: header["layers"].reverse(),
        lambda header: header["layers"][1].update(op="teleport"),
        lambda header: header["layers"][1].update(operands=["nowhere"]),
        lambda header: header["layers"][1].update(operands=[]),
        lambda header: header["layers"][1]["fields"].pop("clamp"),
        lambda header: header["layers"][1]["fields"].update(bias=header["layers"][1]["fields"]["weights"]),
        lambda header: header["layers"][1]["fields"]["window"].update(kernel=[9, 9]),
        lambda header: header["layers"][1]["fields"]["output"].update(zero_point="zero"),
        lambda header: header["layers"][1]["fields"]["output"].update(scale=10**400),
        lambda header: header["layers"][1]["fields"]["requantisation"].update(rounding="triple"),
    ],
)
def test_inconsistent_headers_are_refused(saved: Path, change) -> None:
    rewrite_header(saved, change)
    with pytest.raises(ModelFileError, match=r"graph\.npz"):
        load_graph(saved)


def fields(header: dict) -> dict:
    return header["layers"][1]["fields"]


def layer_of(kind: type[Layer]) -> LayerGraph:
    if kind is not Add:
        return single_layer(kind, SHAPE, 4, Window((3, 3)))
    graph = LayerGraph("single", Input("input", TensorType(SHAPE, 0.1, 3)))
    half = Scale(2**30, 0)
    graph.add(Add("layer", TensorType(SHAPE, 0.2, 3), (half, half), Scale(2**30, -19)), "input", "input")
    return graph


def pad(fields: dict, padding: list[int]) -> None:
    """Give the pool of ``layer_of`` other padding, and the output the size that follows."""
    fields["window"]["padding"] = padding
    height, width = Window((3, 3), (1, 1), tuple(padding)).output_size(*SHAPE[:2])
    fields["output"]["shape"] = [height, width, SHAPE[2]]


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        (Conv, lambda f: f["window"].update(stride=[0, 1]), "stride (0, 1); accepted: at least 1 each"),
        (MaxPool, lambda f: f["window"].update(stride=[1, 0]), "stride (1, 0); accepted: at least 1 each"),
        (Depthwise, lambda f: f["window"].update(stride=[-1, 1]), "stride (-1, 1); accepted: at least 1 each"),
        (AveragePool, lambda f: f["window"].update(kernel=[0, 3]), "kernel (0, 3); accepted: at least 1 each"),
        (Conv, lambda f: f["window"].update(padding=[-1, 1, 0, 0]), "padding (-1, 1, 0, 0); accepted: at least 0"),
        (MaxPool, lambda f: pad(f, [3, 0, 0, 0]), "padding (3, 0, 0, 0); accepted: no window wholly in the padding"),
        (AveragePool, lambda f: pad(f, [0, 0, 0, 3]), "padding (0, 0, 0, 3); accepted: no window wholly in"),
        (Conv, lambda f: f["output"].update(zero_point=128), "zero point 128; accepted: -128 to 127"),
        (Conv, lambda f: f["output"].update(scale=0), "scale 0.0; accepted: a positive number"),
        (MaxPool, lambda f: f.update(clamp=[-129, 127]), "clamp (-129, 127); accepted: two ordered bounds within"),
        (MaxPool, lambda f: f.update(clamp=[5, 4]), "clamp (5, 4); accepted: two ordered bounds within"),
        (FullyConnected, lambda f: f.update(input_clamp=[0, 300]), "input_clamp (0, 300); accepted: two ordered"),
        (Add, lambda f: f["output_scale"].update(multiplier=2**31), "multiplier 2147483648; accepted: 0 to 2**31 - 1"),
        (Add, lambda f: f["operand_scales"][1].update(shift=31), "shift 31; accepted: -31 to 30"),
    ],
)
def test_numbers_that_no_hardware_computes_are_named(tmp_path: Path, kind: type[Layer], change, message: str) -> None:
    path = tmp_path / "graph.npz"
    save_graph(layer_of(kind), path)
    rewrite_header(path, lambda header: change(fields(header)))
    with pytest.raises(ModelFileError, match=r"graph\.npz: .*layer 'layer' has " + re.escape(message)):
        load_graph(path)


@pytest.mark.parametrize(
    ("multiplier", "shift", "message"),
    [(-1, 0, "multiplier -1; accepted: 0 to"), (2**30, 31, "shift 31; accepted"), (2**30, -32, "shift -32; accepted")],
)
@pytest.mark.parametrize("kind", [Conv, Depthwise, FullyConnected])
def test_scalings_out_of_range_are_named(
    tmp_path: Path, kind: type[Layer], multiplier: int, shift: int, message: str
) -> None:
    graph = layer_of(kind)
    scaling = graph["layer"].requantisation
    scaling.multiplier[-1], scaling.shift[-1] = multiplier, shift
    save_graph(graph, tmp_path / "graph.npz")
    with pytest.raises(ModelFileError, match=re.escape(f"layer 'layer' has {message}")):
        load_graph(tmp_path / "graph.npz")


def test_an_input_out_of_range_is_named(saved: Path) -> None:
    rewrite_header(saved, lambda header: header["layers"][0]["fields"]["output"].update(zero_point=-129))
    with pytest.raises(ModelFileError, match="layer 'input' has zero point -129"):
        load_graph(saved)
