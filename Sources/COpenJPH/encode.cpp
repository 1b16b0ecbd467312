#include "COpenJPH.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <stdexcept>

#include <openjph/ojph_arch.h>
#include <openjph/ojph_base.h>
#include <openjph/ojph_codestream.h>
#include <openjph/ojph_file.h>
#include <openjph/ojph_mem.h>
#include <openjph/ojph_message.h>
#include <openjph/ojph_params.h>

namespace {

/// The library prints to the standard error output unless it is told otherwise.
struct Silence : ojph::message_warning {
    void operator()(int, const char *, int, const char *, ...) override {}
};

struct Throw : ojph::message_error {
    void operator()(int, const char *, int, const char *, ...) override { throw std::runtime_error("OpenJPH"); }
};

void be_silent() {
    static std::once_flag once;
    static Silence silence;
    static Throw raise;
    std::call_once(once, [] {
        ojph::configure_warning(&silence);
        ojph::configure_error(&raise);
    });
}

/// One row of one component, with the sign where there is one.
template <typename Sample>
void fill(ojph::si32 *line, const uint8_t *row, uint32_t width, uint32_t components, uint32_t component, int unused) {
    for (uint32_t x = 0; x < width; x++) {
        Sample sample;
        std::memcpy(&sample, row + (size_t(x) * components + component) * sizeof sample, sizeof sample);
        // Bits above those that are coded are the sign's, or zero.
        line[x] = ojph::si32(uint32_t(ojph::si32(sample)) << unused) >> unused;
    }
}

template <typename Sample>
void fill_unsigned(ojph::si32 *line, const uint8_t *row, uint32_t width, uint32_t components, uint32_t component) {
    for (uint32_t x = 0; x < width; x++) {
        Sample sample;
        std::memcpy(&sample, row + (size_t(x) * components + component) * sizeof sample, sizeof sample);
        line[x] = ojph::si32(sample);
    }
}

void encode(const gantry_htj2k_image &image, const uint8_t *samples, ojph::mem_outfile &file) {
    ojph::codestream codestream;
    ojph::param_siz size = codestream.access_siz();
    size.set_image_extent(ojph::point(image.width, image.height));
    size.set_num_components(image.components);
    for (uint32_t component = 0; component < image.components; component++)
        size.set_component(component, ojph::point(1, 1), image.precision, image.is_signed != 0);
    size.set_image_offset(ojph::point(0, 0));
    size.set_tile_size(ojph::size(image.width, image.height));
    size.set_tile_offset(ojph::point(0, 0));

    uint32_t smaller = image.width < image.height ? image.width : image.height;
    uint32_t decompositions = 0;
    while (decompositions < 5 && (smaller >> (decompositions + 1)) > 0) decompositions++;
    ojph::param_cod coding = codestream.access_cod();
    coding.set_num_decomposition(decompositions);
    coding.set_block_dims(64, 64);
    coding.set_progression_order("RPCL");
    coding.set_color_transform(image.uses_colour_transform != 0);
    coding.set_reversible(true);
    codestream.set_planar(false);

    codestream.write_headers(&file);
    ojph::ui32 component = 0;
    ojph::line_buf *line = codestream.exchange(nullptr, component);
    size_t stride = size_t(image.width) * image.components * image.sample_bytes;
    int unused = 32 - int(image.precision);
    for (uint32_t y = 0; y < image.height; y++) {
        const uint8_t *row = samples + y * stride;
        for (uint32_t count = 0; count < image.components; count++) {
            if (image.is_signed && image.sample_bytes == 1)
                fill<int8_t>(line->i32, row, image.width, image.components, component, unused);
            else if (image.is_signed)
                fill<int16_t>(line->i32, row, image.width, image.components, component, unused);
            else if (image.sample_bytes == 1)
                fill_unsigned<uint8_t>(line->i32, row, image.width, image.components, component);
            else
                fill_unsigned<uint16_t>(line->i32, row, image.width, image.components, component);
            line = codestream.exchange(line, component);
        }
    }
    codestream.flush();
}

}  // namespace

extern "C" int gantry_htj2k_encode(
    const gantry_htj2k_image *image, const uint8_t *samples, uint8_t **output, size_t *count) {
    *output = nullptr;
    *count = 0;
    try {
        be_silent();
        ojph::mem_outfile file;
        file.open();
        encode(*image, samples, file);
        size_t length = size_t(file.tell());
        uint8_t *copy = static_cast<uint8_t *>(std::malloc(length > 0 ? length : 1));
        if (copy == nullptr) return 0;
        std::memcpy(copy, file.get_data(), length);
        *output = copy;
        *count = length;
        return 1;
    } catch (...) {
        return 0;
    }
}

extern "C" void gantry_htj2k_free(uint8_t *output) { std::free(output); }
