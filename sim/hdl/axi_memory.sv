// AXI4 slave memory with a stated latency and bandwidth; simulation only.
//
//   +latency=N   cycles from an accepted address to its first data beat, and from a last write beat to its response;
//                at least 2 (default 32)
//   +interval=N  cycles per data beat, on each of the two data channels; at least 1 (default 1: full bandwidth)
//
// Bursts are answered in order and pipelined: up to QUEUE of each kind are outstanding. What the protocol forbids, and
// what only works by luck (reading memory never written, or still being written), ends the simulation with a message.

import "DPI-C" function bit storage_read(input int address, input int count, output bit [255:0] data);
import "DPI-C" function void storage_write(input int address, input int count, input bit [255:0] data,
                                           input int strobe);

module axi_memory #(
    parameter int DATA_BITS = 64,
    parameter int ID_BITS = 1,
    localparam int BYTES = DATA_BITS / 8
) (
    input  logic                 clk,
    input  logic                 rst,
    input  logic [ID_BITS-1:0]   s_axi_awid,
    input  logic [31:0]          s_axi_awaddr,
    input  logic [7:0]           s_axi_awlen,
    input  logic [2:0]           s_axi_awsize,
    input  logic [1:0]           s_axi_awburst,
    input  logic                 s_axi_awvalid,
    output logic                 s_axi_awready,
    input  logic [DATA_BITS-1:0] s_axi_wdata,
    input  logic [BYTES-1:0]     s_axi_wstrb,
    input  logic                 s_axi_wlast,
    input  logic                 s_axi_wvalid,
    output logic                 s_axi_wready,
    output logic [ID_BITS-1:0]   s_axi_bid,
    output logic [1:0]           s_axi_bresp,
    output logic                 s_axi_bvalid,
    input  logic                 s_axi_bready,
    input  logic [ID_BITS-1:0]   s_axi_arid,
    input  logic [31:0]          s_axi_araddr,
    input  logic [7:0]           s_axi_arlen,
    input  logic [2:0]           s_axi_arsize,
    input  logic [1:0]           s_axi_arburst,
    input  logic                 s_axi_arvalid,
    output logic                 s_axi_arready,
    output logic [ID_BITS-1:0]   s_axi_rid,
    output logic [DATA_BITS-1:0] s_axi_rdata,
    output logic [1:0]           s_axi_rresp,
    output logic                 s_axi_rlast,
    output logic                 s_axi_rvalid,
    input  logic                 s_axi_rready
);

  localparam int MEMORY_BITS = 28;  // as in storage.cpp
  localparam int QUEUE = 256;
  localparam int LANE_BITS = $clog2(BYTES);
  typedef logic [$clog2(QUEUE)-1:0] slot_t;
  typedef logic [MEMORY_BITS-LANE_BITS-1:0] word_t;

  function automatic int byte_address(input word_t word);
    byte_address = 32'(word) << LANE_BITS;
  endfunction

  typedef struct packed {
    logic [ID_BITS-1:0] id;
    word_t              first;
    word_t              next;
    word_t              last;
    logic [63:0]        due;
  } burst_t;

  int latency = 32;
  int interval = 1;
  initial begin
    void'($value$plusargs("latency=%d", latency));
    void'($value$plusargs("interval=%d", interval));
    if (latency < 2) $fatal(1, "latency: %0d is out of range; accepted: at least 2 cycles", latency);
    if (interval < 1) $fatal(1, "interval: %0d is out of range; accepted: at least 1 cycle", interval);
  end

  // -- Protocol checks -----------------------------------------------------------------------------------------------

  // The kind of a burst is a bit and its label packed, because simulators set up strings in every cycle.
  typedef enum bit {READ, WRITE} kind_t;

  function automatic logic [39:0] label(input kind_t kind);
    label = kind == WRITE ? "write" : "read";
  endfunction

  function automatic void check_burst(input kind_t kind, input logic [31:0] address, input logic [7:0] len,
                                      input logic [2:0] size, input logic [1:0] burst);
    if (burst != 2'b01) $fatal(1, "AXI %0s burst at 0x%08x is not INCR (type %0d)", label(kind), address, burst);
    if (size != 3'(LANE_BITS))
      $fatal(1, "AXI %0s burst at 0x%08x has beats of %0d bytes on a bus of %0d", label(kind), address, 1 << size, BYTES);
    if (((address & 4095) >> LANE_BITS) + 32'(len) >= 4096 / BYTES)
      $fatal(1, "AXI %0s burst at 0x%08x of %0d beats crosses a 4 KiB boundary", label(kind), address, 9'(len) + 9'd1);
    if (|(address >> MEMORY_BITS)) $fatal(1, "AXI %0s burst at 0x%08x is outside the memory", label(kind), address);
  endfunction

  logic aw_held, w_held, ar_held;
  logic [44:0] aw_payload, ar_payload;
  logic [DATA_BITS+BYTES:0] w_payload;

  always_ff @(posedge clk) begin
    aw_held <= s_axi_awvalid && !s_axi_awready;
    w_held <= s_axi_wvalid && !s_axi_wready;
    ar_held <= s_axi_arvalid && !s_axi_arready;
    aw_payload <= {s_axi_awaddr, s_axi_awlen, s_axi_awsize, s_axi_awburst};
    w_payload <= {s_axi_wlast, s_axi_wstrb, s_axi_wdata};
    ar_payload <= {s_axi_araddr, s_axi_arlen, s_axi_arsize, s_axi_arburst};
    if (!rst && aw_held && {s_axi_awvalid, s_axi_awaddr, s_axi_awlen, s_axi_awsize, s_axi_awburst} != {1'b1, aw_payload})
      $fatal(1, "AXI AW was withdrawn or changed before it was accepted");
    if (!rst && w_held && {s_axi_wvalid, s_axi_wlast, s_axi_wstrb, s_axi_wdata} != {1'b1, w_payload})
      $fatal(1, "AXI W was withdrawn or changed before it was accepted");
    if (!rst && ar_held && {s_axi_arvalid, s_axi_araddr, s_axi_arlen, s_axi_arsize, s_axi_arburst} != {1'b1, ar_payload})
      $fatal(1, "AXI AR was withdrawn or changed before it was accepted");
    if (rst) {aw_held, w_held, ar_held} <= '0;
  end

  // -- Bursts in flight: circular buffers ----------------------------------------------------------------------------

  // reads[read_first .. read_end) are being read.
  burst_t reads[QUEUE];
  slot_t read_first, read_end;
  // writes[write_first .. write_data) await their response, writes[write_data .. write_end) their data.
  burst_t writes[QUEUE];
  slot_t write_first, write_data, write_end;

  // Memory orders no burst against one of the other kind. They may meet in a word that one ends and the other begins
  // with: strobes keep the bytes apart that a write has there.
  function automatic void check_order(input kind_t kind, input logic [31:0] address, input logic [7:0] len,
                                      input word_t first, input word_t last);
    word_t begins = word_t'(address >> LANE_BITS);
    word_t ends = begins + word_t'(len);
    if (begins <= last && first <= ends && begins != last && first != ends)
      $fatal(1, "AXI %0s burst at 0x%08x of %0d beats overlaps an unfinished burst of the other kind, 0x%08x to 0x%08x",
             label(kind), address, 9'(len) + 9'd1, byte_address(first), byte_address(last));
  endfunction

  // -- Timing: `now` numbers the clock edges; an offer made at edge n is seen at edge n + 1 ---------------------------

  logic [63:0] now, next_read, next_write;
  bit [255:0] read_data;

  assign s_axi_arready = slot_t'(read_end + 1'b1) != read_first;
  assign s_axi_awready = slot_t'(write_end + 1'b1) != write_first;
  assign s_axi_wready = write_data != write_end && now >= next_write;
  assign s_axi_bresp = 2'b00;
  assign s_axi_rresp = 2'b00;

  always_ff @(posedge clk) begin
    now <= now + 1;

    if (s_axi_arvalid && s_axi_arready) begin
      check_burst(READ, s_axi_araddr, s_axi_arlen, s_axi_arsize, s_axi_arburst);
      for (slot_t i = write_first; i != write_end; i++)
        check_order(READ, s_axi_araddr, s_axi_arlen, writes[i].first, writes[i].last);
      reads[read_end] = '{
          id: s_axi_arid,
          first: word_t'(s_axi_araddr >> LANE_BITS),
          next: word_t'(s_axi_araddr >> LANE_BITS),
          last: word_t'(s_axi_araddr >> LANE_BITS) + word_t'(s_axi_arlen),
          due: now + 64'(latency)
      };
      read_end <= read_end + 1;
    end

    if (s_axi_rready || !s_axi_rvalid) begin
      s_axi_rvalid <= 0;
      if (!rst && read_first != read_end && now + 1 >= reads[read_first].due && now + 1 >= next_read) begin
        if (!storage_read(byte_address(reads[read_first].next), BYTES, read_data))
          $fatal(1, "read of memory that was never written at 0x%08x", byte_address(reads[read_first].next));
        s_axi_rvalid <= 1;
        s_axi_rid <= reads[read_first].id;
        s_axi_rdata <= read_data[DATA_BITS-1:0];
        s_axi_rlast <= reads[read_first].next == reads[read_first].last;
        if (reads[read_first].next == reads[read_first].last) read_first <= read_first + 1;
        reads[read_first].next = reads[read_first].next + 1;
        next_read <= now + 1 + 64'(interval);
      end
    end

    if (s_axi_awvalid && s_axi_awready) begin
      check_burst(WRITE, s_axi_awaddr, s_axi_awlen, s_axi_awsize, s_axi_awburst);
      for (slot_t i = read_first; i != read_end; i++)
        check_order(WRITE, s_axi_awaddr, s_axi_awlen, reads[i].first, reads[i].last);
      writes[write_end] = '{
          id: s_axi_awid,
          first: word_t'(s_axi_awaddr >> LANE_BITS),
          next: word_t'(s_axi_awaddr >> LANE_BITS),
          last: word_t'(s_axi_awaddr >> LANE_BITS) + word_t'(s_axi_awlen),
          due: 64'd0
      };
      write_end <= write_end + 1;
    end

    if (s_axi_wvalid && s_axi_wready) begin
      storage_write(byte_address(writes[write_data].next), BYTES, 256'(s_axi_wdata), 32'(s_axi_wstrb));
      if (s_axi_wlast != (writes[write_data].next == writes[write_data].last))
        $fatal(1, "AXI WLAST is %0d on a write beat at 0x%08x where the burst's length says %0d", s_axi_wlast,
               byte_address(writes[write_data].next), !s_axi_wlast);
      if (s_axi_wlast) begin
        writes[write_data].due = now + 64'(latency);
        write_data <= write_data + 1;
      end
      writes[write_data].next = writes[write_data].next + 1;
      next_write <= now + 64'(interval);
    end

    if (s_axi_bready || !s_axi_bvalid) begin
      s_axi_bvalid <= 0;
      if (write_first != write_data && now + 1 >= writes[write_first].due) begin
        s_axi_bvalid <= 1;
        s_axi_bid <= writes[write_first].id;
        write_first <= write_first + 1;
      end
    end

    if (rst) begin
      now <= 0;
      next_read <= 0;
      next_write <= 0;
      {read_first, read_end, write_first, write_data, write_end} <= '0;
      s_axi_rvalid <= 0;
      s_axi_bvalid <= 0;
    end
  end

endmodule
