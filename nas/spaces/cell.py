"""NAS-Bench-201 cells as strings and genotypes, and when two of them compute the same function.

Cell: nodes 0 to 3, node 0 the input and node 3 the output; each node is the sum of one operation on every earlier node
(Dong and Yang, "NAS-Bench-201", ICLR 2020).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby, permutations, product

import torch
from torch import Tensor

from nas.spaces.base import ArchitectureError, Genotype

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""(source, target) of each gene, in the order of the string."""

_SHAPE = re.compile(r"\|(\w+)~0\|\+\|(\w+)~0\|(\w+)~1\|\+\|(\w+)~0\|(\w+)~1\|(\w+)~2\|")

Expression = Counter[tuple[int, int]]
"""A node's value: how often it sums each (number of pools applied, atom). Atom 0 is the cell's input."""


def parse(cell: str) -> tuple[str, ...]:
    """The operations of the six edges. Raises ArchitectureError where the string is no cell."""
    match = _SHAPE.fullmatch(cell)
    if match is None:
        raise ArchitectureError(f"architecture: {cell!r} is not a cell; accepted: |op~0|+|op~0|op~1|+|op~0|op~1|op~2|")
    for operation in match.groups():
        if operation not in OPERATIONS:
            raise ArchitectureError(
                f"architecture: operation {operation!r} is not known; accepted: {', '.join(OPERATIONS)}"
            )
    return match.groups()


def spell(operations: Sequence[str]) -> str:
    """The string of the operations of the six edges."""
    nodes = [
        [f"{op}~{source}" for op, (source, target) in zip(operations, EDGES, strict=True) if target == node]
        for node in (1, 2, 3)
    ]
    return "+".join(f"|{'|'.join(node)}|" for node in nodes)


def genotype(operations: Sequence[str]) -> Genotype:
    """The index of each edge's operation in OPERATIONS."""
    return tuple(OPERATIONS.index(operation) for operation in operations)


def executed(choices: Tensor) -> Tensor:
    """Of each edge's operations but ``none``, how much of it lies on a path from node 0 to node 3, 0 to 1.

    float32 [n, edges, operations - 1] of distributions ``choices`` [n, edges, operations]; differentiable.
    """
    passing = 1 - choices[:, :, 0]
    never = torch.ones_like(passing[:, 0])
    unreached, unneeded = [0 * never, never, never, never], [never, never, never, 0 * never]
    for edge, (source, target) in enumerate(EDGES):
        unreached[target] = unreached[target] * (1 - passing[:, edge] * (1 - unreached[source]))
    for edge, (source, target) in reversed(list(enumerate(EDGES))):
        unneeded[source] = unneeded[source] * (1 - passing[:, edge] * (1 - unneeded[target]))
    live = [(1 - unreached[source]) * (1 - unneeded[target]) for source, target in EDGES]
    return choices[:, :, 1:] * torch.stack(live, dim=1)[:, :, None]


def canonical(cell: str) -> str:
    """The cheapest cell that computes the same function. Raises ArchitectureError where the output is constant."""
    form = _normal_form(parse(cell))
    if form is None:
        raise ArchitectureError(f"architecture: {cell} has a constant output; accepted: a cell whose node 3 is reached")
    return _representatives()[form]


def _normal_form(operations: Sequence[str]) -> tuple[object, ...] | None:
    """A value equal for exactly the cells that compute the same function whatever their weights are.

    Average pooling is linear, so every node is a sum of atoms (the input, and the outputs of the convolutions), each
    pooled some number of times; skips and zeros leave no trace. A convolution of a constant zero counts as zero, as it
    does in NATS-Bench. Two convolutions of the same tensor are different atoms, for their weights differ. None stands
    for a constant output.
    """
    atoms: list[tuple[str, Expression]] = []
    nodes: list[Expression] = [Counter({(0, 0): 1})]
    for target in (1, 2, 3):
        node: Expression = Counter()
        for operation, (source, end) in zip(operations, EDGES, strict=True):
            if end != target or operation == "none" or not nodes[source]:
                continue
            value = nodes[source]
            if operation == "skip_connect":
                node.update(value)
            elif operation == "avg_pool_3x3":
                node.update({(pools + 1, atom): count for (pools, atom), count in value.items()})
            else:
                atoms.append((operation, value))
                node[0, len(atoms)] += 1
        nodes.append(node)
    if not nodes[3]:
        return None
    return min(_relabelled(atoms, nodes[3], order) for order in _candidate_orders(atoms, nodes[3]))


def _candidate_orders(atoms: list[tuple[str, Expression]], output: Expression) -> Iterator[tuple[int, ...]]:
    """Orders of the atoms that the output depends on, sorted by structure, with every order among equals."""

    def structure(atom: int) -> str:
        return "x" if atom == 0 else f"{atoms[atom - 1][0]}({described(atoms[atom - 1][1])})"

    def described(expression: Expression) -> str:
        return "+".join(sorted(f"{count}p{pools}{structure(atom)}" for (pools, atom), count in expression.items()))

    live: set[int] = set()
    pending = [atom for _, atom in output]
    while pending:
        atom = pending.pop()
        if atom and atom not in live:
            live.add(atom)
            pending += [operand for _, operand in atoms[atom - 1][1]]
    ordered = sorted(live, key=structure)
    groups = [tuple(group) for _, group in groupby(ordered, key=structure)]
    for choice in product(*(permutations(group) for group in groups)):
        yield tuple(atom for group in choice for atom in group)


def _relabelled(
    atoms: list[tuple[str, Expression]], output: Expression, order: tuple[int, ...]
) -> tuple[tuple[object, ...], ...]:
    label = {0: 0} | {atom: position + 1 for position, atom in enumerate(order)}

    def terms(expression: Expression) -> tuple[tuple[int, int, int], ...]:
        return tuple(sorted((pools, label[atom], count) for (pools, atom), count in expression.items()))

    return (*((atoms[atom - 1][0], terms(atoms[atom - 1][1])) for atom in order), ("output", terms(output)))


@cache
def _representatives() -> dict[tuple[object, ...], str]:
    """The cheapest string of each class: fewest convolutions, then pools, then skips, then the first in order."""

    def cost(operations: tuple[str, ...]) -> tuple[int, int, int]:
        count = Counter(operations)
        convolutions = count["nor_conv_1x1"] + count["nor_conv_3x3"]
        return convolutions, count["avg_pool_3x3"], count["skip_connect"]

    table: dict[tuple[object, ...], str] = {}
    for operations in sorted(product(OPERATIONS, repeat=len(EDGES)), key=cost):
        form = _normal_form(operations)
        if form is not None:
            table.setdefault(form, spell(operations))
    return table
