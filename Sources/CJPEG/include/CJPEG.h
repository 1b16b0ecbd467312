#pragma once
#include <stddef.h>
#include <stdint.h>

/* JPEG of 8 bits with libjpeg. Its errors leave by longjmp, which must not cross frames of Swift: they end here. */

enum gantry_jpeg_result {
    GANTRY_JPEG_OK = 0,
    GANTRY_JPEG_CORRUPT = 1,
    GANTRY_JPEG_OTHER_SIZE = 2,
    GANTRY_JPEG_UNSUPPORTED = 3,
};

/* How the samples are coded, or how they are wanted. */
enum gantry_jpeg_colour {
    GANTRY_JPEG_GREY = 0,
    GANTRY_JPEG_RGB = 1,
    GANTRY_JPEG_YCC = 2,
};

/* Decodes into `output`, which has width * height * components bytes, by pixel. When what is `wanted` is what is
   `coded`, samples are returned as they are coded. */
int gantry_jpeg_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, int components, int coded, int wanted,
    uint8_t *output);
