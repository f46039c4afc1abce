// The smallest thing with the accelerator's ports: the image's first word says how many bytes to copy from the input
// to the output. It retires a load for each burst read, and a store for each burst written.
module cosynth_accelerator #(
    parameter int DATA_BITS = 64,
    localparam int BYTES = DATA_BITS / 8,
    localparam int BURST = 16
) (
    input  logic                 clk,
    input  logic                 rst,
    output logic                 irq,
    output logic [2:0]           retire,
    input  logic [11:0]          s_axil_awaddr,
    input  logic [2:0]           s_axil_awprot,
    input  logic                 s_axil_awvalid,
    output logic                 s_axil_awready,
    input  logic [31:0]          s_axil_wdata,
    input  logic [3:0]           s_axil_wstrb,
    input  logic                 s_axil_wvalid,
    output logic                 s_axil_wready,
    output logic [1:0]           s_axil_bresp,
    output logic                 s_axil_bvalid,
    input  logic                 s_axil_bready,
    input  logic [11:0]          s_axil_araddr,
    input  logic [2:0]           s_axil_arprot,
    input  logic                 s_axil_arvalid,
    output logic                 s_axil_arready,
    output logic [31:0]          s_axil_rdata,
    output logic [1:0]           s_axil_rresp,
    output logic                 s_axil_rvalid,
    input  logic                 s_axil_rready,
    output logic [0:0]           m_axi_awid,
    output logic [31:0]          m_axi_awaddr,
    output logic [7:0]           m_axi_awlen,
    output logic [2:0]           m_axi_awsize,
    output logic [1:0]           m_axi_awburst,
    output logic [3:0]           m_axi_awcache,
    output logic [2:0]           m_axi_awprot,
    output logic                 m_axi_awvalid,
    input  logic                 m_axi_awready,
    output logic [DATA_BITS-1:0] m_axi_wdata,
    output logic [BYTES-1:0]     m_axi_wstrb,
    output logic                 m_axi_wlast,
    output logic                 m_axi_wvalid,
    input  logic                 m_axi_wready,
    input  logic [0:0]           m_axi_bid,
    input  logic [1:0]           m_axi_bresp,
    input  logic                 m_axi_bvalid,
    output logic                 m_axi_bready,
    output logic [0:0]           m_axi_arid,
    output logic [31:0]          m_axi_araddr,
    output logic [7:0]           m_axi_arlen,
    output logic [2:0]           m_axi_arsize,
    output logic [1:0]           m_axi_arburst,
    output logic [3:0]           m_axi_arcache,
    output logic [2:0]           m_axi_arprot,
    output logic                 m_axi_arvalid,
    input  logic                 m_axi_arready,
    input  logic [0:0]           m_axi_rid,
    input  logic [DATA_BITS-1:0] m_axi_rdata,
    input  logic [1:0]           m_axi_rresp,
    input  logic                 m_axi_rlast,
    input  logic                 m_axi_rvalid,
    output logic                 m_axi_rready
);

  logic [31:0] base[8];  // registers by word offset: 4 image, 5 scratch, 6 input, 7 output
  logic done, running;
  logic [47:0] cycles;

  assign {s_axil_bresp, s_axil_rresp} = '0;
  assign s_axil_awready = s_axil_awvalid && s_axil_wvalid && !s_axil_bvalid;
  assign s_axil_wready = s_axil_awready;
  assign s_axil_arready = !s_axil_rvalid;
  wire start = s_axil_awready && s_axil_awaddr == 0 && s_axil_wdata[0];
  stub_registers registers (.start(start));

  assign irq = done;
  assign {m_axi_awid, m_axi_arid, m_axi_awcache, m_axi_arcache, m_axi_awprot, m_axi_arprot} = '0;
  assign {m_axi_awsize, m_axi_arsize} = {2{3'($clog2(BYTES))}};
  assign {m_axi_awburst, m_axi_arburst} = {2{2'b01}};
  assign m_axi_arlen = state == SIZE ? 8'd0 : 8'(BURST - 1);
  assign m_axi_awlen = 8'(BURST - 1);
  assign m_axi_wstrb = '1;
  assign m_axi_bready = 1;

  typedef enum {IDLE, SIZE, SIZE_DATA, READ, READ_DATA, WRITE, WRITE_DATA, RESPONSE} state_t;
  state_t state;
  logic [31:0] size, offset;
  logic [DATA_BITS-1:0] buffer[BURST];
  logic [3:0] beat;

  assign m_axi_arvalid = state == SIZE || state == READ;
  assign m_axi_araddr = state == SIZE ? base[4] : base[6] + offset;
  assign m_axi_rready = state == SIZE_DATA || state == READ_DATA;
  assign m_axi_awvalid = state == WRITE;
  assign m_axi_awaddr = base[7] + offset;
  assign m_axi_wvalid = state == WRITE_DATA;
  assign m_axi_wdata = buffer[beat];
  assign m_axi_wlast = &beat;

  always_ff @(posedge clk) begin
    if (s_axil_bready) s_axil_bvalid <= 0;
    if (s_axil_awready) begin
      s_axil_bvalid <= 1;
      base[s_axil_awaddr[4:2]] <= s_axil_wdata;
    end
    if (s_axil_rready) s_axil_rvalid <= 0;
    if (s_axil_arvalid && s_axil_arready) begin
      s_axil_rvalid <= 1;
      case (s_axil_araddr)
        12'h004: s_axil_rdata <= {30'd0, running, done};
        12'h008: s_axil_rdata <= 32'h434F5359;
        12'h100: s_axil_rdata <= cycles[31:0];
        12'h104: s_axil_rdata <= {16'd0, cycles[47:32]};
        default: s_axil_rdata <= 0;
      endcase
    end

    retire <= 0;
    if (running) cycles <= cycles + 1;
    case (state)
      IDLE:
      if (start) begin
        {done, running} <= 2'b01;
        cycles <= 0;
        offset <= 0;
        beat <= 0;
        state <= SIZE;
      end
      SIZE: if (m_axi_arready) state <= SIZE_DATA;
      SIZE_DATA:
      if (m_axi_rvalid) begin
        size <= m_axi_rdata[31:0];
        state <= READ;
      end
      READ: if (m_axi_arready) state <= READ_DATA;
      READ_DATA:
      if (m_axi_rvalid) begin
        buffer[beat] <= m_axi_rdata;
        beat <= beat + 1;
        if (m_axi_rlast) begin
          retire[0] <= 1;
          state <= WRITE;
        end
      end
      WRITE: if (m_axi_awready) state <= WRITE_DATA;
      WRITE_DATA:
      if (m_axi_wready) begin
        beat <= beat + 1;
        if (m_axi_wlast) state <= RESPONSE;
      end
      RESPONSE:
      if (m_axi_bvalid) begin
        retire[2] <= 1;
        offset <= offset + BURST * BYTES;
        state <= READ;
        if (offset + BURST * BYTES == size) begin
          {done, running} <= 2'b10;
          state <= IDLE;
        end
      end
      default: ;
    endcase

    if (rst) begin
      state <= IDLE;
      {done, running, s_axil_bvalid, s_axil_rvalid} <= '0;
    end
  end

endmodule
