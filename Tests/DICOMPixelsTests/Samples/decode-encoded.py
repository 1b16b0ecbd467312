#!/usr/bin/env python3
"""Decodes frames that we encoded with every decoder that pydicom can use.

usage: decode-encoded.py FOLDER

FOLDER/frames.txt has a line for each frame: transfer syntax, rows, columns, samples, bits allocated, bits stored,
signed (0 or 1), photometric interpretation, the file of the codestream and that of the samples by pixel. Says for each
frame and decoder, separated by tabs: the line's first nine words, the decoder, and "equal" or what is wrong.
"""
import pathlib
import sys
import warnings

import numpy
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder


def data_set(words, codestream):
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = words[0]
    image.Rows, image.Columns, image.SamplesPerPixel = map(int, words[1:4])
    image.BitsAllocated, image.BitsStored, image.PixelRepresentation = map(int, words[4:7])
    image.HighBit = image.BitsStored - 1
    image.PhotometricInterpretation = words[7].replace("-", " ")
    if image.SamplesPerPixel > 1:
        image.PlanarConfiguration = 0
    image.PixelData = encapsulate([codestream])
    image["PixelData"].VR = "OB"
    return image


def main(folder):
    warnings.simplefilter("ignore")
    for line in (folder / "frames.txt").read_text().splitlines():
        words = line.split()
        image = data_set(words, (folder / words[8]).read_bytes())
        expected = (folder / words[9]).read_bytes()
        decoder = get_decoder(words[0])
        for plugin in sorted(decoder.available_plugins):
            try:
                array, _ = decoder.as_array(image, raw=True, decoding_plugin=plugin)
                kind = f"<{'i' if array.dtype.kind == 'i' else 'u'}{image.BitsAllocated // 8}"
                decoded = numpy.ascontiguousarray(array).astype(kind).tobytes()
                outcome = "equal" if decoded == expected else "different"
            except Exception as error:
                outcome = "cannot: " + " ".join(str(error).split())
            print(*words[:9], plugin, outcome, sep="\t")


main(pathlib.Path(sys.argv[1]))
