"""Lattice ECP5: a configuration's accelerator synthesised by Yosys, placed and routed by nextpnr, packed by Trellis."""
