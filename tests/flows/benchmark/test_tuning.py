"""Arrays tuned to a network."""

from __future__ import annotations

from dataclasses import replace

from flows.benchmark.tuning import array_variants, tuned_array
from hwgen.compiler import compile_graph
from hwgen.config import AcceleratorConfig, Dataflow
from hwgen.cycles import predict
from hwgen.graph import Conv, Window
from tests.hwgen.single_layers import single_layer

PRESET = AcceleratorConfig(rows=8, cols=4)


def test_variants_keep_buffers_and_bus_and_have_no_more_multipliers() -> None:
    variants = list(array_variants(PRESET))
    assert {variant.dataflow for variant in variants} == set(Dataflow)
    assert PRESET in variants
    for variant in variants:
        array = {name: getattr(PRESET, name) for name in ("rows", "cols", "dataflow", "rf_depth", "requant_lanes")}
        assert replace(variant, **array) == PRESET
        assert variant.multipliers <= PRESET.multipliers


def test_the_tuned_array_needs_fewer_cycles_where_the_presets_does_not_fit_the_channels() -> None:
    graph = single_layer(Conv, (12, 12, 5), 5, Window((1, 1)))
    tuned = tuned_array(graph, PRESET)
    assert predict(compile_graph(graph, tuned)).cycles < predict(compile_graph(graph, PRESET)).cycles
