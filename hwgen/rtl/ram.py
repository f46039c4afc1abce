"""RAM: a block memory with one read and one write port.

It is the one module written in Verilog rather than Amaranth: as a template it costs the same to emit at any size, and
synthesis tools recognise it.
"""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import ClockSignal, Instance, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

RAM_MODULE = "cosynth_ram"

RAM_VERILOG = f"""\
// One read and one write port. Nobody relies on what is read of a granule while it is written, which lets block RAM do.
// The write is blocking, after the read: the same hardware, and simulators need no shadow copy of each granule. What
// looks at all granules at once is for them too: in most cycles nothing is written.
// Block RAM however few the words: as LUTs, a small accelerator's buffers would fill the chip.
// In simulation words start as zero: lanes beyond a tensor's end meet zero weights, and only a known value times zero
// is zero. On a chip any value is; to write zeros into a board's memory takes Yosys longer than all else.
module {RAM_MODULE} #(
  parameter WIDTH = 8,
  parameter DEPTH = 2,
  parameter GRANULE = 8,
  parameter ADDRESS_BITS = 1,
  parameter LATENCY = 1
) (
  input clk,
  input read_enable,
  input [ADDRESS_BITS-1:0] read_address,
  output [WIDTH-1:0] read_data,
  input [WIDTH/GRANULE-1:0] write_enable,
  input [ADDRESS_BITS-1:0] write_address,
  input [WIDTH-1:0] write_data
);
  (* no_rw_check, ram_style = "block" *)
  reg [WIDTH-1:0] words [0:DEPTH-1];
  reg [WIDTH-1:0] read_word;
  generate
    if (LATENCY == 1)
      assign read_data = read_word;
    else begin : registered
      reg [WIDTH-1:0] output_register;
      always @(posedge clk)
        output_register <= read_word;
      assign read_data = output_register;
    end
  endgenerate
  integer word, granule;
`ifndef SYNTHESIS
  initial
    for (word = 0; word < DEPTH; word = word + 1)
      words[word] = 0;
`endif
  always @(posedge clk) begin
    if (read_enable)
      read_word <= words[read_address];
    if (|write_enable)
      for (granule = 0; granule < WIDTH / GRANULE; granule = granule + 1)
        if (write_enable[granule])
          words[write_address][granule*GRANULE +: GRANULE] = write_data[granule*GRANULE +: GRANULE];
  end
endmodule
"""


@dataclass(frozen=True)
class RamShape:
    """``depth`` words of ``width`` bits, written in granules."""

    width: int
    depth: int
    granule: int


class Ram(wiring.Component):
    """A memory of ``shape``; data ``latency`` cycles after the read.

    One, or two where there is time: block RAM takes most of a cycle, and has a register to wait in.
    """

    def __init__(self, shape: RamShape, *, latency: int = 1) -> None:
        self.shape, self.latency = shape, latency
        width, granule = shape.width, shape.granule
        address_bits = max(1, (shape.depth - 1).bit_length())
        super().__init__(
            {
                "read_enable": In(1, init=1),
                "read_address": In(address_bits),
                "read_data": Out(width),
                "write_enable": In(width // granule),  # a bit per granule
                "write_address": In(address_bits),
                "write_data": In(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.ram = Instance(
            RAM_MODULE,
            p_WIDTH=self.shape.width,
            p_DEPTH=self.shape.depth,
            p_GRANULE=self.shape.granule,
            p_ADDRESS_BITS=len(self.read_address),
            p_LATENCY=self.latency,
            i_clk=ClockSignal(),
            i_read_enable=self.read_enable,
            i_read_address=self.read_address,
            o_read_data=self.read_data,
            i_write_enable=self.write_enable,
            i_write_address=self.write_address,
            i_write_data=self.write_data,
        )
        return m
