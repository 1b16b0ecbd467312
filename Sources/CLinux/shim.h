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

/* A file in memory that may be sealed, and its seal against shrinking: linux/memfd.h, linux/fcntl.h. */
extern int memfd_create(const char *name, unsigned int flags);
extern int fcntl(int descriptor, int command, ...);

static inline int gantry_memory_file(const char *name) {
    int descriptor = memfd_create(name, 0x0001u | 0x0002u);
    if (descriptor >= 0 && fcntl(descriptor, 1033, 0x0002) != 0) return -1;
    return descriptor;
}

/* The process gets SIGKILL when its parent is gone, and never more rights than it has: linux/prctl.h. */
extern int prctl(int option, ...);

static inline void gantry_confine_to_parent(void) {
    prctl(1, 9ul, 0ul, 0ul, 0ul);
    prctl(38, 1ul, 0ul, 0ul, 0ul);
}

/* Copies from file to file within the kernel. */
extern long copy_file_range(int source, long *source_offset, int target, long *target_offset, size_t count, unsigned int flags);
