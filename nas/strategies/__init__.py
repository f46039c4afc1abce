"""Search strategies behind one ask/tell interface, by name."""

from nas.strategies.base import Genes, Outcome, Problem, Proposal, Strategy
from nas.strategies.registry import StrategyName, strategy

__all__ = ["Genes", "Outcome", "Problem", "Proposal", "Strategy", "StrategyName", "strategy"]
