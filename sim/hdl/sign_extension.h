// Sign extension in two shifts, or one instruction where x86 has it. Verilator's own, of a mask, a negation and an
// alternative, were an eighth of a simulation's time.

#include "verilated.h"

#define VL_EXTENDS_II(obits, lbits, lhs) \
    (static_cast<IData>(static_cast<int32_t>(static_cast<IData>(lhs) << (32 - (lbits))) >> (32 - (lbits))))
#define VL_EXTENDS_QI(obits, lbits, lhs) VL_EXTENDS_QQ(obits, lbits, lhs)
#define VL_EXTENDS_QQ(obits, lbits, lhs) \
    (static_cast<QData>(static_cast<int64_t>(static_cast<QData>(lhs) << (64 - (lbits))) >> (64 - (lbits))))
