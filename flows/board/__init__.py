"""Running networks on a board, real or simulated, over its serial port."""
