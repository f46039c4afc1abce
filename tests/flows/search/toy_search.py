"""Runs the toy search slowly in a process of its own, to be killed: ``python -m tests.flows.search.toy_search LOG``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from flows.pairs.evaluation import Cost, Pair
from tests.flows.fakes import ToyEvaluator
from tests.flows.search.test_pair_search import run_search


class SlowEvaluator(ToyEvaluator):
    def modelled_cost(self, pair: Pair) -> Cost:
        time.sleep(0.01)
        return super().modelled_cost(pair)


if __name__ == "__main__":
    run_search(Path(sys.argv[1]), SlowEvaluator())
