"""The compiler: LayerGraph and AcceleratorConfig to Program."""

from hwgen.compiler.compile import CompileError, compile_graph

__all__ = ["CompileError", "compile_graph"]
