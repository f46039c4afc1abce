"""A saved LayerGraph loads as the same graph, and nothing else loads at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwgen.errors import ModelFileError
from hwgen.graph import LayerGraph
from hwgen.reference import run_layers
from hwgen.serialise import HEADER, load_graph, save_graph
from tests.hwgen.random_graphs import layer_graphs, random_input, random_layer_graph

FILES = (HealthCheck.function_scoped_fixture,)


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


@settings(max_examples=40, deadline=None, suppress_health_check=FILES)
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


@settings(max_examples=40, deadline=None, suppress_health_check=FILES)
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


@settings(max_examples=150, deadline=None, suppress_health_check=FILES)
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
        lambda header: header["layers"][1]["fields"]["requantisation"].update(rounding="triple"),
    ],
)
def test_inconsistent_headers_are_refused(saved: Path, change) -> None:
    rewrite_header(saved, change)
    with pytest.raises(ModelFileError, match=r"graph\.npz"):
        load_graph(saved)
