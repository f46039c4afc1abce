// The part of zlib that Verilator's FST writer calls, without compression, so that a trace needs no zlib to be installed.
//
// A zlib stream may consist of stored blocks alone: two bytes of header, blocks of up to 65535 bytes behind their length
// and its complement, the Adler-32 checksum. The writer keeps what does not become smaller as it is.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

using Bytef = unsigned char;
using uLong = unsigned long;
using uLongf = unsigned long;

constexpr int Z_OK = 0;
constexpr uLong STORED_BLOCK = 65535;

inline uLong compressBound(uLong size) { return size + (size / STORED_BLOCK + 1) * 5 + 6; }

inline int compress2(Bytef* destination, uLongf* length, const Bytef* source, uLong size, int) {
    Bytef* end = destination;
    *end++ = 0x78;
    *end++ = 0x01;
    uint32_t a = 1, b = 0;
    for (uLong i = 0; i < size; i++) {
        a = (a + source[i]) % 65521;
        b = (b + a) % 65521;
    }
    do {
        const uLong count = std::min(size, STORED_BLOCK);
        *end++ = count == size;
        for (const uLong part : {count, count >> 8, ~count, ~count >> 8}) *end++ = static_cast<Bytef>(part);
        std::memcpy(end, source, count);
        end += count;
        source += count;
        size -= count;
    } while (size != 0);
    const uint32_t checksum = b << 16 | a;
    for (int shift = 24; shift >= 0; shift -= 8) *end++ = static_cast<Bytef>(checksum >> shift);
    *length = static_cast<uLongf>(end - destination);
    return Z_OK;
}
