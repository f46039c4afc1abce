"""Verilator builds and their cache, the simulated memory, cocotb benches, and what a simulation measured."""
