"""``cosynth experiment zero-cost``: scores of random networks beside the table's accuracies."""

from __future__ import annotations

from pathlib import Path

from flows.experiments.zero_cost import scored, zero_cost_png, zero_cost_table, zero_cost_values
from flows.files import write_json
from hwgen.files import write_bytes
from nas.data import load_dataset
from nas.oracles import tabular_oracle
from nas.progress import progress_bar
from nas.spaces import space as find_space


def run_experiment(directory: Path, space_name: str, dataset: str, data_dir: Path | None, count: int, seed: int) -> str:
    """Score ``count`` networks and write ``zero-cost.md``, ``.png`` and ``.json`` into ``directory``; returns the page.

    Raises InputError where there is no such table or data set.
    """
    space = find_space(space_name, dataset)
    table = tabular_oracle(space, dataset, data_dir)
    images = load_dataset(dataset, data_dir)
    rows = []
    with progress_bar() as progress:
        task = progress.add_task("scoring", total=count)
        for row in scored(space, images.train, table, count, seed):
            rows.append(row)
            progress.advance(task)
    values = zero_cost_values(f"{space_name} on {images.provenance}; {table.provenance}", rows)
    page = zero_cost_table(values)
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / "zero-cost.json", values)
    write_bytes(directory / "zero-cost.md", page.encode())
    write_bytes(directory / "zero-cost.png", zero_cost_png(values))
    return page
