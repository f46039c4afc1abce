"""Register access: the bridge's accesses to the accelerator's registers, over AXI4-Lite."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.board.bridge import AccessLayout
from hwgen.rtl.axi import axi4_lite_slave_ports, flipped_ports
from hwgen.rtl.control_registers import ADDRESS_BITS


class RegisterAccess(wiring.Component):
    """An AXI4-Lite master of one access at a time."""

    def __init__(self) -> None:
        super().__init__(
            {
                "accesses": In(stream.Signature(AccessLayout)),
                "done": Out(1),  # pulse: the access has ended
                "result": Out(32),  # what it read
                "failed": Out(1),  # the slave answered with an error
                **flipped_ports(axi4_lite_slave_ports("m_axil", ADDRESS_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        access = Signal(AccessLayout)
        for valid, ready in (
            (self.m_axil_awvalid, self.m_axil_awready),
            (self.m_axil_wvalid, self.m_axil_wready),
            (self.m_axil_arvalid, self.m_axil_arready),
        ):
            with m.If(ready):
                m.d.sync += valid.eq(0)
        answered = self.m_axil_bvalid | self.m_axil_rvalid
        busy = Signal()
        m.d.comb += self.accesses.ready.eq(~busy)
        with m.If(self.accesses.valid & ~busy):
            m.d.sync += [
                busy.eq(1),
                access.eq(self.accesses.payload),
                self.m_axil_awvalid.eq(self.accesses.payload.write),
                self.m_axil_wvalid.eq(self.accesses.payload.write),
                self.m_axil_arvalid.eq(~self.accesses.payload.write),
            ]
        with m.Elif(answered):
            m.d.sync += busy.eq(0)
        m.d.comb += [
            self.m_axil_awaddr.eq(access.address),
            self.m_axil_araddr.eq(access.address),
            self.m_axil_wdata.eq(access.data),
            self.m_axil_wstrb.eq(-1),
            self.m_axil_bready.eq(1),
            self.m_axil_rready.eq(1),
            self.done.eq(answered),
            self.result.eq(self.m_axil_rdata),
            self.failed.eq(
                (self.m_axil_bvalid & (self.m_axil_bresp != 0)) | (self.m_axil_rvalid & (self.m_axil_rresp != 0))
            ),
        ]
        return m
