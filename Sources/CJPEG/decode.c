#include "CJPEG.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* More scans than this in one progressive image only cost time. */
#define MAXIMUM_SCANS 64

struct failure {
    struct jpeg_error_mgr manager;
    jmp_buf exit;
};

static void leave(j_common_ptr info) { longjmp(((struct failure *)info->err)->exit, 1); }

/* Negative levels are warnings: data that is damaged, which libjpeg would replace with something. */
static void consider(j_common_ptr info, int level) {
    if (level >= 0) return;
    switch (info->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR: return;
    default: leave(info);
    }
}

static void say_nothing(j_common_ptr info) { (void)info; }

static void count_scans(j_common_ptr info) {
    if (((j_decompress_ptr)info)->input_scan_number > MAXIMUM_SCANS) leave(info);
}

static void nothing_to_do(j_decompress_ptr info) { (void)info; }

/* At the end of the bytes comes an end marker, so that one which is missing is no error, but missing data is. */
static boolean end_of_bytes(j_decompress_ptr info) {
    static const JOCTET end[2] = {0xFF, JPEG_EOI};
    info->src->next_input_byte = end;
    info->src->bytes_in_buffer = 2;
    return TRUE;
}

static void skip(j_decompress_ptr info, long count) {
    if (count <= 0) return;
    if ((size_t)count > info->src->bytes_in_buffer) {
        end_of_bytes(info);
        return;
    }
    info->src->next_input_byte += count;
    info->src->bytes_in_buffer -= (size_t)count;
}

static J_COLOR_SPACE colour_space(int colour) {
    switch (colour) {
    case GANTRY_JPEG_GREY: return JCS_GRAYSCALE;
    case GANTRY_JPEG_RGB: return JCS_RGB;
    default: return JCS_YCbCr;
    }
}

int gantry_jpeg_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, int components, int coded, int wanted,
    uint8_t *output) {
    struct jpeg_decompress_struct info;
    struct failure failure;
    struct jpeg_progress_mgr progress;
    struct jpeg_source_mgr source;
    memset(&info, 0, sizeof info);
    memset(&progress, 0, sizeof progress);
    memset(&source, 0, sizeof source);
    info.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = leave;
    failure.manager.emit_message = consider;
    failure.manager.output_message = say_nothing;
    if (setjmp(failure.exit)) {
        jpeg_destroy_decompress(&info);
        return GANTRY_JPEG_CORRUPT;
    }
    jpeg_create_decompress(&info);
    source.next_input_byte = bytes;
    source.bytes_in_buffer = count;
    source.init_source = nothing_to_do;
    source.fill_input_buffer = end_of_bytes;
    source.skip_input_data = skip;
    source.resync_to_restart = jpeg_resync_to_restart;
    source.term_source = nothing_to_do;
    info.src = &source;
    progress.progress_monitor = count_scans;
    info.progress = &progress;

    jpeg_read_header(&info, TRUE);
    if (info.image_width != width || info.image_height != height || info.num_components != components) {
        jpeg_destroy_decompress(&info);
        return GANTRY_JPEG_OTHER_SIZE;
    }
    if (info.data_precision != 8 || info.arith_code) {
        jpeg_destroy_decompress(&info);
        return GANTRY_JPEG_UNSUPPORTED;
    }
    info.jpeg_color_space = colour_space(coded);
    info.out_color_space = colour_space(wanted);
    jpeg_start_decompress(&info);
    if (info.output_width != width || info.output_height != height || info.output_components != components) {
        jpeg_destroy_decompress(&info);
        return GANTRY_JPEG_OTHER_SIZE;
    }
    size_t stride = (size_t)width * (size_t)components;
    while (info.output_scanline < height) {
        JSAMPROW rows[8];
        uint32_t first = info.output_scanline;
        uint32_t wanted_rows = height - first < 8 ? height - first : 8;
        for (uint32_t row = 0; row < wanted_rows; row++) rows[row] = output + (first + row) * stride;
        jpeg_read_scanlines(&info, rows, wanted_rows);
    }
    jpeg_destroy_decompress(&info);
    return GANTRY_JPEG_OK;
}
