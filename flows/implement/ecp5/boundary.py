"""What stands around an accelerator that is implemented alone.

The accelerator's AXI ports are for other logic on the same chip, and more than any package has pins. So it is
implemented inside a boundary of registers: every input comes from a bit of a shift register that one pin feeds, every
output is XORed into a bit of a signature register that shifts out of another pin. Each port bit thus has one flip-flop
beside it, toggles, is needed, and adds no logic to a path except the XOR.
"""

from __future__ import annotations

from amaranth.hdl import Shape
from amaranth.lib.wiring import In, Out

from hwgen.config import AcceleratorConfig
from hwgen.rtl.accelerator import accelerator_ports
from hwgen.verilog import TOP_MODULE

BOUNDARY_MODULE = "boundary"
INSTANCE = "accelerator"
"""The accelerator's name in it."""
PINS = 'LOCATE COMP "clk" SITE "G2";\n'
"""A clock input. Left to the placer, the clock may come in where no way to the clock network is free."""


def boundary_verilog(config: AcceleratorConfig) -> str:
    """The top module: the accelerator between a shift register and a signature register."""
    connections = []
    widths = {In: 0, Out: 0}
    vectors = {In: "inputs", Out: "outputs"}
    for name, member in accelerator_ports(config).items():
        low = widths[member.flow]
        widths[member.flow] += Shape.cast(member.shape).width
        connections.append(f".{name}({vectors[member.flow]}[{widths[member.flow] - 1}:{low}])")
    return f"""\
module {BOUNDARY_MODULE}(input clk, input rst, input scan_in, output scan_out);
  reg reset;
  reg [{widths[In] - 1}:0] inputs;
  wire [{widths[Out] - 1}:0] outputs;
  reg [{widths[Out] - 1}:0] signature;
  assign scan_out = signature[{widths[Out] - 1}];
  always @(posedge clk) begin
    reset <= rst;
    inputs <= {{inputs, scan_in}};
    signature <= {{signature, 1'b0}} ^ outputs;
  end
  {TOP_MODULE} {INSTANCE}(.clk(clk), .rst(reset), {", ".join(connections)});
endmodule
"""
