"""A pair's cost by the whole cycle model, not composed of its layers'."""

from __future__ import annotations

from flows.pairs.evaluation import ENERGY_TABLE, Cost, Pair
from hwgen.actions import action_counts
from hwgen.compiler import CompileError, compile_graph
from hwgen.cycles import predict
from hwgen.energy import energy_uj
from nas.outline import outline
from nas.spaces import Space


def whole_cost(space: Space, pair: Pair) -> Cost | None:
    """Of the pair's network compiled and modelled as one program; None where it does not compile."""
    try:
        program = compile_graph(outline(space, pair.architecture), pair.accelerator)
    except CompileError:
        return None
    return Cost(predict(program).cycles, energy_uj(action_counts(program), pair.accelerator, ENERGY_TABLE))
