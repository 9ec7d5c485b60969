/* Included before every C++ source of llama.cpp.
 *
 * GCC's _tile_loadconfig (seen in 12.2) tells the optimizer that only 8 of the 64 bytes of a tile
 * configuration are read. It then drops the stores to the others, and on CPUs with AMX every batch
 * of two or more tokens ends in a general protection fault. This one names all 64 bytes.
 */
#if defined(__AMX_TILE__) && defined(__GNUC__)
#include <immintrin.h>

static inline void smallhold_tile_loadconfig(const void *config) {
    struct tile_config_bytes {
        unsigned char bytes[64];
    };
    __asm__ volatile("ldtilecfg %0" ::"m"(*(const struct tile_config_bytes *)config));
}

#define _tile_loadconfig smallhold_tile_loadconfig
#endif
