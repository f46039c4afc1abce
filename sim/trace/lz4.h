// The part of LZ4 that Verilator's FST writer calls, without compression, so that a trace needs no LZ4 to be installed.
//
// A block of the LZ4 format may consist of literals alone: a token, the length beyond 14 in bytes of up to 255, the
// literals. The writer keeps signal values uncompressed when that is smaller; only names of signals come here to stay.

#pragma once

#include <cstring>

inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

inline int LZ4_compress_default(const char* source, char* destination, int size, int) {
    char* end = destination;
    *end++ = static_cast<char>((size < 15 ? size : 15) << 4);
    if (size >= 15) {
        int rest = size - 15;
        for (; rest >= 255; rest -= 255) *end++ = static_cast<char>(255);
        *end++ = static_cast<char>(rest);
    }
    std::memcpy(end, source, size);
    return static_cast<int>(end - destination) + size;
}
