#pragma once
#include <stddef.h>

/* The C library declares it only for GNU sources, which Swift's view of the C library is not. Its own `struct iovec`
   stays out of this module. */
extern long preadv2(int descriptor, const void *pieces, int count, long offset, int flags);

/* Reads what the kernel has in memory, and never waits for the disk: RWF_NOWAIT of linux/fs.h. */
static inline long gantry_pread_cached(int descriptor, void *bytes, size_t count, long offset) {
    const struct {
        void *bytes;
        size_t count;
    } piece = {bytes, count};
    return preadv2(descriptor, &piece, 1, offset, 0x00000008);
}
