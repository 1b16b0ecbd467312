#pragma once
#include <openjpeg.h>

/* The parameters hold arrays of thousands of elements, which are tuples in Swift. */
static inline OPJ_BOOL gantry_opj_setup_decoder(opj_codec_t *codec) {
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    return opj_setup_decoder(codec, &parameters);
}

static inline OPJ_BOOL gantry_opj_setup_lossless_encoder(
    opj_codec_t *codec, opj_image_t *image, int resolutions, int colourTransform) {
    opj_cparameters_t parameters;
    opj_set_default_encoder_parameters(&parameters);
    parameters.irreversible = 0;
    parameters.numresolution = resolutions;
    parameters.tcp_mct = (char)colourTransform;
    parameters.tcp_numlayers = 1;
    parameters.tcp_rates[0] = 0;
    parameters.cp_disto_alloc = 1;
    return opj_setup_encoder(codec, &parameters, image);
}
