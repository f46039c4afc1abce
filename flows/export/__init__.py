"""What a user takes away: a pair's files for a processor, and an accelerator for other FPGA tools."""
