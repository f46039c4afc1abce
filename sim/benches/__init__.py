"""cocotb benches: modules that run inside a simulation, and what starts them."""
