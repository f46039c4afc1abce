"""NAS-Bench-201 cells: strings, genotypes, and when two cells compute the same function."""

from itertools import permutations, product

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import one_hot

from nas.spaces import ArchitectureError, cell
from nas.spaces.nasbench201 import Cell

CHANNELS = 2
CELLS = st.tuples(*[st.sampled_from(cell.OPERATIONS)] * len(cell.EDGES))


def is_constant(operations: tuple[str, ...]) -> bool:
    try:
        cell.canonical(cell.spell(operations))
    except ArchitectureError:
        return True
    return False


def random_cell(operations: tuple[str, ...], seed: int) -> Cell:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Cell(operations, CHANNELS).double().eval()


def convolutions(network: Cell) -> dict[str, torch.nn.Module]:
    return {key: module for key, module in network.named_children() if "nor_conv" in key}


def output_reaches(operations: tuple[str, ...]) -> set[tuple[str, int, int]]:
    """The convolutions from which a path of operations leads to node 3."""
    alive, keys = {3}, set()
    for operation, (source, target) in reversed(list(zip(operations, cell.EDGES, strict=True))):
        if target in alive and operation != "none":
            alive.add(source)
            if operation.startswith("nor_conv"):
                keys.add((operation, source, target))
    return keys


@given(CELLS)
def test_a_cell_survives_its_string_and_its_genotype(operations):
    assert cell.parse(cell.spell(operations)) == operations
    assert tuple(cell.OPERATIONS[gene] for gene in cell.genotype(operations)) == operations


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a cell"),
        ("|none~0|+|none~0|none~1|", "is not a cell"),
        ("|none~0|+|none~0|none~1|+|none~0|none~1|none~1|", "is not a cell"),
        ("|max_pool~0|+|none~0|none~1|+|none~0|none~1|none~2|", "operation 'max_pool' is not known; accepted: none"),
    ],
)
def test_a_string_that_is_no_cell_is_refused(text, message):
    with pytest.raises(ArchitectureError, match=message):
        cell.parse(text)


def test_a_cell_whose_output_is_constant_is_refused():
    with pytest.raises(ArchitectureError, match="constant output"):
        cell.canonical("|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|none~2|")


@given(CELLS)
def test_the_canonical_cell_is_its_own_canonical_cell(operations):
    if not is_constant(operations):
        canonical = cell.canonical(cell.spell(operations))
        assert cell.canonical(canonical) == canonical


@settings(max_examples=60)
@given(CELLS, st.integers(0, 1000))
def test_the_canonical_cell_computes_the_same_function(operations, seed):
    """Some placement of the cell's convolutions on the canonical cell's edges gives the same output for any weights."""
    if is_constant(operations):
        return
    original = random_cell(operations, seed)
    canonical_operations = cell.parse(cell.canonical(cell.spell(operations)))
    canonical = random_cell(canonical_operations, seed + 1)
    x = torch.randn(1, CHANNELS, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        expected = original(x)
        targets = list(convolutions(canonical).items())
        for sources in permutations(convolutions(original).items(), len(targets)):
            pairs = list(zip(sources, targets, strict=True))
            if any(source.split("_", 1)[1] != target.split("_", 1)[1] for (source, _), (target, _) in pairs):
                continue  # a 1x1 convolution's weights do not fit a 3x3
            for (_, source), (_, target) in pairs:
                target.load_state_dict(source.state_dict())
            if torch.allclose(canonical(x), expected, atol=1e-9):
                return
    pytest.fail(f"{cell.spell(canonical_operations)} does not compute {cell.spell(operations)}")


@settings(max_examples=60)
@given(CELLS)
def test_the_canonical_cell_wastes_nothing(operations):
    if is_constant(operations):
        return
    canonical = cell.parse(cell.canonical(cell.spell(operations)))
    assert {(op, s, t) for op, (s, t) in zip(canonical, cell.EDGES, strict=True) if "conv" in op} == (
        output_reaches(canonical)
    )
    assert sum("conv" in op for op in canonical) <= sum("conv" in op for op in operations)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(
            "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|",
            "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|",
            id="a skip adds nothing",
        ),
        pytest.param(
            "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|none~0|skip_connect~1|skip_connect~2|",
            "|nor_conv_1x1~0|+|nor_conv_3x3~0|none~1|+|none~0|skip_connect~1|skip_connect~2|",
            id="nodes may change places",
        ),
        pytest.param(
            "|none~0|+|nor_conv_1x1~0|none~1|+|avg_pool_3x3~0|none~1|avg_pool_3x3~2|",
            "|nor_conv_1x1~0|+|skip_connect~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|",
            id="a pool of a sum is the sum of pools",
        ),
    ],
)
def test_cells_of_one_function_share_a_canonical_form(first, second):
    assert cell.canonical(first) == cell.canonical(second)


def test_two_convolutions_of_one_tensor_are_not_one_convolution_twice():
    twice = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|skip_connect~1|skip_connect~2|"
    two = "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|skip_connect~1|skip_connect~2|"
    assert cell.canonical(twice) != cell.canonical(two)


def natsbench_string(operations: tuple[str, ...]) -> str:
    """NATS-Bench's string for telling topologies apart: skips vanish, zeros are marked, terms are sorted."""
    nodes = {0: "0"}
    for node in (1, 2, 3):
        terms = []
        for operation, (source, target) in zip(operations, cell.EDGES, strict=True):
            if target != node:
                continue
            if operation == "none" or nodes[source] == "#":
                terms.append("#")
            elif operation == "skip_connect":
                terms.append(nodes[source])
            else:
                terms.append(f"({nodes[source]})@{operation}")
        nodes[node] = "+".join(sorted(terms))
    return nodes[3]


def test_the_space_has_fewer_functions_than_natsbench_counts_topologies():
    """NATS-Bench counts 6 466, for it keeps the zero terms of a sum.

    Without them there are 5 390; 346 more merge because a pool of a sum is the sum of pools, and sums of sums are flat.
    One of the rest is the constant output.
    """
    everything = list(product(cell.OPERATIONS, repeat=6))
    assert len(everything) == 15_625
    assert len({natsbench_string(operations) for operations in everything}) == 6_466
    legal = [operations for operations in everything if not is_constant(operations)]
    assert len(everything) - len(legal) == 341
    assert len({cell.canonical(cell.spell(operations)) for operations in legal}) == 5_043


def test_what_is_executed_lies_between_input_and_output() -> None:
    genes = np.random.default_rng(0).integers(len(cell.OPERATIONS), size=(300, len(cell.EDGES)))
    executed = cell.executed(one_hot(torch.tensor(genes), len(cell.OPERATIONS)).float())
    for row, found in zip(genes.tolist(), executed, strict=True):
        graph = nx.DiGraph([edge for edge, gene in zip(cell.EDGES, row, strict=True) if gene > 0])
        graph.add_nodes_from((0, 3))
        live = {0, *nx.descendants(graph, 0)} & {3, *nx.ancestors(graph, 3)}
        for (source, target), gene, shares in zip(cell.EDGES, row, found.tolist(), strict=True):
            runs = gene > 0 and source in live and target in live
            assert shares == [float(runs and gene == operation) for operation in range(1, len(cell.OPERATIONS))]
