// The simulated system: the accelerator, its memory and a host that runs samples one after the other.
//
//   +image=FILE +input=FILE +output=FILE +results=FILE   program image, all samples' inputs; outputs, record of the run
//   +samples=N +input_bytes=N +output_bytes=N +scratch_bytes=N   number of samples; sizes of the regions
//   +image_base=A +input_base=A +output_base=A +scratch_base=A   their addresses
//   +stall_cycles=N   without progress for so long, the run is given up (default 1 000 000)
//   and axi_memory's +latency and +interval
//
// The record has one line per event: `sample I`, then `done CYCLE` in cycles of the simulation; before it, in the first
// sample only, `retire ENGINE CYCLE` and `counters CYCLE VALUE...` in the cycles in which an instruction retires; then `read OFFSET VALUE` for the status, identity and counter registers.
// Only the clock is driven from outside, so every simulator that runs this top counts the same cycles.

import "DPI-C" function int storage_load(input string path, input longint offset, input int address, input int count);
import "DPI-C" function int storage_dump(input string path, input int address, input int count);
import "DPI-C" function void storage_forget(input int address, input int count);

module cosynth_top
  import cosynth_registers::*;
#(
    parameter int DATA_BITS = 64
) (
    input  logic clk,
    output logic finished
);

  string image_path, input_path, output_path, results_path;
  int samples = 1;
  int image_bytes, input_bytes, output_bytes, scratch_bytes;
  int image_base, input_base, output_base, scratch_base;
  int stall_cycles = 1_000_000;
  int results_file;

  initial begin
    void'($value$plusargs("image=%s", image_path));
    void'($value$plusargs("input=%s", input_path));
    void'($value$plusargs("output=%s", output_path));
    void'($value$plusargs("results=%s", results_path));
    void'($value$plusargs("samples=%d", samples));
    void'($value$plusargs("image_bytes=%d", image_bytes));
    void'($value$plusargs("input_bytes=%d", input_bytes));
    void'($value$plusargs("output_bytes=%d", output_bytes));
    void'($value$plusargs("scratch_bytes=%d", scratch_bytes));
    void'($value$plusargs("image_base=%d", image_base));
    void'($value$plusargs("input_base=%d", input_base));
    void'($value$plusargs("output_base=%d", output_base));
    void'($value$plusargs("scratch_base=%d", scratch_base));
    void'($value$plusargs("stall_cycles=%d", stall_cycles));
    if (storage_load(image_path, 0, image_base, image_bytes) != image_bytes)
      $fatal(1, "image: %s is shorter than %0d bytes", image_path, image_bytes);
    results_file = $fopen(results_path, "w");
    if (results_file == 0) $fatal(1, "results: %s cannot be written", results_path);
  end

  // -- The host ------------------------------------------------------------------------------------------------------

  localparam int WRITES = 5;
  localparam int READS = 2 + 2 * COUNTERS;

  function automatic logic [11:0] write_offset(input int index);
    case (index)
      0: write_offset = IMAGE_BASE;
      1: write_offset = SCRATCH_BASE;
      2: write_offset = INPUT_BASE;
      3: write_offset = OUTPUT_BASE;
      default: write_offset = CONTROL;
    endcase
  endfunction

  function automatic int write_value(input int index);
    case (index)
      0: write_value = image_base;
      1: write_value = scratch_base;
      2: write_value = input_base;
      3: write_value = output_base;
      default: write_value = 1;
    endcase
  endfunction

  function automatic logic [11:0] read_offset(input int index);
    case (index)
      0: read_offset = STATUS;
      1: read_offset = IDENTITY;
      default: read_offset = COUNTER_BASE + 12'(4 * (index - 2));
    endcase
  endfunction

  typedef enum {RESET, PREPARE, WRITE, RUN, READ, COLLECT, FINISHED} state_t;
  state_t state = RESET;
  logic rst = 1;
  int sample = 0;
  int index = 0;
  int dumped;
  longint cycle = 0;
  int stalled = 0;

  wire [11:0] awaddr = write_offset(index);
  wire [31:0] wdata = write_value(index);
  wire [11:0] araddr = read_offset(index);
  logic awvalid = 0, wvalid = 0, arvalid = 0;
  wire awready, wready, bvalid, arready, rvalid;
  wire [1:0] bresp, rresp;
  wire [31:0] rdata;
  wire irq;
  wire [2:0] retire;

  assign finished = state == FINISHED;

  // The counters as they are in this cycle; the accelerator's totals, which the host reads, lag behind.
  logic [47:0] counted[COUNTERS];
  always_ff @(posedge clk) if (sample == 0) `COSYNTH_COUNT(counted, accelerator.registers.counters)

  always_ff @(posedge clk) begin
    cycle <= cycle + 1;
    if (awready) awvalid <= 0;
    if (wready) wvalid <= 0;
    if (arready) arvalid <= 0;

    if (state == RUN && sample == 0 && |retire) begin
      for (int engine = 0; engine < 3; engine++)
        if (retire[engine]) $fdisplay(results_file, "retire %0d %0d", engine, cycle);
      $fwrite(results_file, "counters %0d", cycle);
      foreach (counted[i]) $fwrite(results_file, " %0d", counted[i]);
      $fwrite(results_file, "\n");
    end

    case (state)
      RESET:
      if (cycle == 8) begin
        rst <= 0;
        state <= PREPARE;
      end
      PREPARE: begin
        if (storage_load(input_path, longint'(sample) * input_bytes, input_base, input_bytes) != input_bytes)
          $fatal(1, "input: %s ends before sample %0d does", input_path, sample);
        storage_forget(scratch_base, scratch_bytes);
        storage_forget(output_base, output_bytes);
        $fdisplay(results_file, "sample %0d", sample);
        index <= 0;
        awvalid <= 1;
        wvalid <= 1;
        state <= WRITE;
      end
      WRITE:
      if (bvalid) begin
        if (bresp != 0) $fatal(1, "writing register 0x%03x failed with response %0d", awaddr, bresp);
        if (index + 1 == WRITES) begin
          state <= RUN;
        end else begin
          index <= index + 1;
          awvalid <= 1;
          wvalid <= 1;
        end
      end
      RUN:
      if (irq) begin
        $fdisplay(results_file, "done %0d", cycle);
        index <= 0;
        arvalid <= 1;
        state <= READ;
      end
      READ:
      if (rvalid) begin
        if (rresp != 0) $fatal(1, "reading register 0x%03x failed with response %0d", araddr, rresp);
        $fdisplay(results_file, "read %0d %0d", araddr, rdata);
        if (index + 1 == READS) begin
          state <= COLLECT;
        end else begin
          index <= index + 1;
          arvalid <= 1;
        end
      end
      COLLECT: begin
        dumped = storage_dump(output_path, output_base, output_bytes);
        if (dumped < 0) $fatal(1, "output: %s cannot be written", output_path);
        if (dumped < output_bytes) $fatal(1, "byte %0d of sample %0d's output was never written", dumped, sample);
        sample <= sample + 1;
        state <= PREPARE;
        if (sample + 1 == samples) begin
          $fclose(results_file);
          state <= FINISHED;
        end
      end
      default: ;
    endcase

    stalled <= stalled + 1;
    if (bvalid || rvalid || |retire || m_arvalid && m_arready || m_rvalid && m_rready || m_wvalid && m_wready)
      stalled <= 0;
    if (stalled == stall_cycles)
      $fatal(1, "hang: no instruction retired and no data transferred for %0d cycles, in sample %0d at cycle %0d",
             stall_cycles, sample, cycle);
  end

  // -- The accelerator and its memory --------------------------------------------------------------------------------

  wire [0:0] m_awid, m_bid, m_arid, m_rid;
  wire [31:0] m_awaddr, m_araddr;
  wire [7:0] m_awlen, m_arlen;
  wire [2:0] m_awsize, m_arsize;
  wire [1:0] m_awburst, m_arburst, m_bresp, m_rresp;
  wire m_awvalid, m_awready, m_wlast, m_wvalid, m_wready, m_bvalid, m_bready;
  wire m_arvalid, m_arready, m_rlast, m_rvalid, m_rready;
  wire [DATA_BITS-1:0] m_wdata, m_rdata;
  wire [DATA_BITS/8-1:0] m_wstrb;

  // Whether a write burst stays in a region; its last beat may be partly beyond.
  function automatic logic stays_in(input int base, input int size);
    stays_in = m_awaddr >= base && m_awaddr + 32'(m_awlen) * (DATA_BITS / 8) < base + size;
  endfunction

  always_ff @(posedge clk)
    if (!rst && m_awvalid && !stays_in(scratch_base, scratch_bytes) && !stays_in(output_base, output_bytes))
      $fatal(1, "write burst at 0x%08x of %0d beats is neither in the scratch nor in the output region", m_awaddr,
             9'(m_awlen) + 9'd1);

  cosynth_accelerator accelerator (
      .clk(clk),
      .rst(rst),
      .irq(irq),
      .retire(retire),
      .s_axil_awaddr(awaddr),
      .s_axil_awprot(3'b000),
      .s_axil_awvalid(awvalid),
      .s_axil_awready(awready),
      .s_axil_wdata(wdata),
      .s_axil_wstrb(4'b1111),
      .s_axil_wvalid(wvalid),
      .s_axil_wready(wready),
      .s_axil_bresp(bresp),
      .s_axil_bvalid(bvalid),
      .s_axil_bready(1'b1),
      .s_axil_araddr(araddr),
      .s_axil_arprot(3'b000),
      .s_axil_arvalid(arvalid),
      .s_axil_arready(arready),
      .s_axil_rdata(rdata),
      .s_axil_rresp(rresp),
      .s_axil_rvalid(rvalid),
      .s_axil_rready(1'b1),
      .m_axi_awid(m_awid),
      .m_axi_awaddr(m_awaddr),
      .m_axi_awlen(m_awlen),
      .m_axi_awsize(m_awsize),
      .m_axi_awburst(m_awburst),
      .m_axi_awcache(),
      .m_axi_awprot(),
      .m_axi_awvalid(m_awvalid),
      .m_axi_awready(m_awready),
      .m_axi_wdata(m_wdata),
      .m_axi_wstrb(m_wstrb),
      .m_axi_wlast(m_wlast),
      .m_axi_wvalid(m_wvalid),
      .m_axi_wready(m_wready),
      .m_axi_bid(m_bid),
      .m_axi_bresp(m_bresp),
      .m_axi_bvalid(m_bvalid),
      .m_axi_bready(m_bready),
      .m_axi_arid(m_arid),
      .m_axi_araddr(m_araddr),
      .m_axi_arlen(m_arlen),
      .m_axi_arsize(m_arsize),
      .m_axi_arburst(m_arburst),
      .m_axi_arcache(),
      .m_axi_arprot(),
      .m_axi_arvalid(m_arvalid),
      .m_axi_arready(m_arready),
      .m_axi_rid(m_rid),
      .m_axi_rdata(m_rdata),
      .m_axi_rresp(m_rresp),
      .m_axi_rlast(m_rlast),
      .m_axi_rvalid(m_rvalid),
      .m_axi_rready(m_rready)
  );

  axi_memory #(
      .DATA_BITS(DATA_BITS)
  ) memory (
      .clk(clk),
      .rst(rst),
      .s_axi_awid(m_awid),
      .s_axi_awaddr(m_awaddr),
      .s_axi_awlen(m_awlen),
      .s_axi_awsize(m_awsize),
      .s_axi_awburst(m_awburst),
      .s_axi_awvalid(m_awvalid),
      .s_axi_awready(m_awready),
      .s_axi_wdata(m_wdata),
      .s_axi_wstrb(m_wstrb),
      .s_axi_wlast(m_wlast),
      .s_axi_wvalid(m_wvalid),
      .s_axi_wready(m_wready),
      .s_axi_bid(m_bid),
      .s_axi_bresp(m_bresp),
      .s_axi_bvalid(m_bvalid),
      .s_axi_bready(m_bready),
      .s_axi_arid(m_arid),
      .s_axi_araddr(m_araddr),
      .s_axi_arlen(m_arlen),
      .s_axi_arsize(m_arsize),
      .s_axi_arburst(m_arburst),
      .s_axi_arvalid(m_arvalid),
      .s_axi_arready(m_arready),
      .s_axi_rid(m_rid),
      .s_axi_rdata(m_rdata),
      .s_axi_rresp(m_rresp),
      .s_axi_rlast(m_rlast),
      .s_axi_rvalid(m_rvalid),
      .s_axi_rready(m_rready)
  );

endmodule
