#!/usr/bin/env python3
"""Decodes every compressed sample file inside the pydicom package with every decoder that pydicom can use, and DCMTK.

usage: decode-samples.py FOLDER

Writes one file for each frame, decoder and colour space into FOLDER: samples by pixel, little endian, as many bytes as
are allocated. Says in a line each, separated by tabs: the sample, its path, the frame (from 0), the decoder, the
photometric interpretation, and the file's name or "!" and why there is none.
"""
import pathlib
import shutil
import subprocess
import sys
import warnings

import numpy
import pydicom
from pydicom.pixels import get_decoder
from pydicom.uid import UID

COMPRESSED = "1.2.840.10008.1.2.1.98 1.2.840.10008.1.2.5 1.2.840.10008.1.2.8.1".split()

LOSSLESS_OR_12_BIT = "1.2.840.10008.1.2.4.51 1.2.840.10008.1.2.4.57 1.2.840.10008.1.2.4.70".split()


def is_compressed(uid):
    return uid in COMPRESSED or uid.startswith("1.2.840.10008.1.2.4.")


def frames(data_set, decoder, plugin, count):
    """Pairs of photometric interpretation and array for each frame: as coded, and as RGB where that is another one."""
    for index in range(count):
        seen = set()
        for raw in (True, False):
            array, pixel = decoder.as_array(data_set, index=index, raw=raw, decoding_plugin=plugin)
            if pixel["photometric_interpretation"] not in seen:
                seen.add(pixel["photometric_interpretation"])
                yield index, str(pixel["photometric_interpretation"]), array


def frames_of_dcmtk(path, folder):
    """As above, for what dcmdjpeg makes of 12-bit and lossless JPEG."""
    target = folder / "decoded.dcm"
    subprocess.run(["dcmdjpeg", "+cn", path, target], check=True, capture_output=True)
    data_set = pydicom.dcmread(target)
    decoder = get_decoder(data_set.file_meta.TransferSyntaxUID)
    target.unlink()
    array, pixel = decoder.as_array(data_set, index=0, raw=True)
    yield 0, str(pixel["photometric_interpretation"]), array


def main(folder):
    warnings.simplefilter("ignore")
    root = pathlib.Path(pydicom.__file__).parent / "data"
    written = 0
    for path in sorted(root.rglob("*")):
        if not path.is_file() or path.suffix in {".py", ".pyc", ".json"}:
            continue
        try:
            data_set = pydicom.dcmread(path)
            syntax = UID(data_set.file_meta.TransferSyntaxUID)
        except Exception:
            continue  # no DICOM file, or none that says how it is encoded
        if not is_compressed(syntax):
            continue
        name = str(path.relative_to(root))
        if "PixelData" not in data_set:
            print(name, path, 0, "-", "-", "! no pixel data", sep="\t")
            continue
        decoder = get_decoder(syntax)
        count = min(int(data_set.get("NumberOfFrames") or 1), 5)
        plugins = sorted(decoder.available_plugins)
        if syntax in LOSSLESS_OR_12_BIT and shutil.which("dcmdjpeg"):
            plugins.append("dcmtk")
        for plugin in plugins:
            try:
                decoded = frames_of_dcmtk(path, folder) if plugin == "dcmtk" else frames(data_set, decoder, plugin, count)
                for index, photometric, array in decoded:
                    target = f"{written}.raw"
                    written += 1
                    size = data_set.BitsAllocated // 8
                    kind = f"<{'i' if array.dtype.kind == 'i' else 'u'}{size}"
                    (folder / target).write_bytes(numpy.ascontiguousarray(array).astype(kind).tobytes())
                    print(name, path, index, plugin, photometric, target, sep="\t")
            except Exception as error:
                reason = " ".join(str(error).split())
                print(name, path, 0, plugin, "-", f"! {reason[:200]}", sep="\t")


main(pathlib.Path(sys.argv[1]))
