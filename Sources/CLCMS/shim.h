#pragma once
#include <lcms2.h>

/* Formats and tags are macros, which Swift cannot read. */
static const cmsUInt32Number gantry_gray8 = TYPE_GRAY_8;
static const cmsUInt32Number gantry_rgb8 = TYPE_RGB_8;
