"""Search strategies behind one ask/tell interface, by name."""

from nas.strategies.base import Genes, Outcome, Problem, Strategy
from nas.strategies.registry import StrategyName, strategy

__all__ = ["Genes", "Outcome", "Problem", "Strategy", "StrategyName", "strategy"]
