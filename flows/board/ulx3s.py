"""The ULX3S: what stands between its pins and the board's logic. Pins are amaranth-boards'."""

from __future__ import annotations

from importlib.util import find_spec

from flows.tools import ImplementationError
from hwgen.board.config import BOARD_MODULE

NAME = "ulx3s-85f"
MODULE = "ulx3s"
INSTANCE = "board"
DEVICE = "ecp5-85k"
CLOCK_HZ = 25_000_000
"""Of the oscillator, which clocks everything: there is no PLL."""
RESOURCES = {
    "clk_25mhz": ("clk25", 0, None),
    "button_pwr_n": ("button_pwr", 0, None),
    "ftdi_txd": ("uart", 0, "rx"),
    "ftdi_rxd": ("uart", 0, "tx"),
    "wifi_gpio0": ("esp32", 0, "gpio0"),
    **{f"led[{index}]": ("led", index, None) for index in range(8)},
}
"""amaranth-boards' resource, its number and what of it each port is. The FTDI's names are from its own side."""


def ulx3s_verilog() -> str:
    """The top module. The power button resets; GPIO0 of the ESP32 stays high, or that would reboot the board."""
    return f"""\
module {MODULE}(
  input clk_25mhz, input button_pwr_n, input ftdi_txd, output ftdi_rxd, output wifi_gpio0, output [7:0] led
);
  reg [1:0] released = 0;
  reg [3:0] since = 0;
  always @(posedge clk_25mhz) begin
    released <= {{released[0], button_pwr_n}};
    if (!released[1]) since <= 0;
    else if (!(&since)) since <= since + 1;
  end
  assign wifi_gpio0 = 1'b1;
  {BOARD_MODULE} {INSTANCE}(
    .clk(clk_25mhz), .rst(!(&since)), .received(ftdi_txd), .sent(ftdi_rxd), .leds(led)
  );
endmodule
"""


def ulx3s_pins() -> str:
    """Sites and electrical properties of the ports, as nextpnr reads them. Raises ImplementationError."""
    if find_spec("amaranth_boards") is None:
        raise ImplementationError("amaranth-boards is not installed; run `pip install 'cosynth[implement]'`")
    from amaranth_boards.ulx3s import ULX3S_85F_Platform

    resources = ULX3S_85F_Platform().resources
    lines = []
    for port, (name, number, part) in RESOURCES.items():
        resource = resources[name, number]
        pins, attributes = resource.ios[0], dict(resource.attrs)
        if part is not None:
            (subsignal,) = (io for io in resource.ios if io.name == part)
            pins, attributes = subsignal.ios[0], attributes | dict(subsignal.attrs)
        (site,) = pins.names
        properties = " ".join(f"{key}={value}" for key, value in attributes.items())
        lines += [f'LOCATE COMP "{port}" SITE "{site}";', f'IOBUF PORT "{port}" {properties};']
    lines.append(f'FREQUENCY PORT "clk_25mhz" {CLOCK_HZ / 1e6:g} MHZ;')
    return "\n".join(lines) + "\n"
