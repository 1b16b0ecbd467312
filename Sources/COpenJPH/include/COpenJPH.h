#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* High-throughput JPEG 2000 with OpenJPH. It is C++: what it throws ends here. */

struct gantry_htj2k_image {
    uint32_t width;
    uint32_t height;
    uint32_t components;
    /* Bits of a sample that are coded. */
    uint32_t precision;
    int is_signed;
    /* Bytes of a sample as it is given: 1 or 2, little endian, all samples of a pixel together. */
    uint32_t sample_bytes;
    int uses_colour_transform;
};

/* Encodes without loss. `*output` is to be given to `gantry_htj2k_free`. Returns whether it could. */
int gantry_htj2k_encode(
    const struct gantry_htj2k_image *image, const uint8_t *samples, uint8_t **output, size_t *count);

void gantry_htj2k_free(uint8_t *output);

#ifdef __cplusplus
}
#endif
