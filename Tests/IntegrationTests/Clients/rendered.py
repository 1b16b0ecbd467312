"""Renders images of pydicom's samples on the server and compares them with what numpy makes of the same pixels.

usage: rendered.py SERVICE-URL               says "all well" when all is

PNG is read here, with zlib alone: eight bits, gray or RGB, not interlaced.
"""
import io
import struct
import sys
import urllib.error
import urllib.request
import zlib

import numpy
import pydicom
from pydicom.data import get_testdata_file
from pydicom.pixels import apply_color_lut, convert_color_space


def png(data):
    """The pixels of a PNG."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n", data[:20]
    position, body = 8, b""
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position:position + 8])
        chunk = data[position + 8:position + 8 + length]
        assert zlib.crc32(kind + chunk) == struct.unpack(">I", data[position + 8 + length:position + 12 + length])[0]
        if kind == b"IHDR":
            width, height, depth, color, _, _, interlace = struct.unpack(">IIBBBBB", chunk)
            assert depth == 8 and interlace == 0 and color in (0, 2)
        elif kind == b"IDAT":
            body += chunk
        position += 12 + length
    step = 3 if color == 2 else 1
    rows = numpy.frombuffer(zlib.decompress(body), "u1").reshape(height, width * step + 1)
    result = numpy.zeros((height, width * step), "u1")
    above = numpy.zeros(width * step, int)
    for number, row in enumerate(rows):
        kind, line = row[0], row[1:].astype(int)
        if kind == 2:
            line = (line + above) & 255
        elif kind != 0:
            for x in range(len(line)):
                a = line[x - step] if x >= step else 0
                b, c = above[x], above[x - step] if x >= step else 0
                if kind == 4:
                    p = a + b - c
                    near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
                line[x] = (line[x] + (a if kind == 1 else (a + b) // 2 if kind == 3 else near)) & 255
        result[number] = line
        above = line
    return result.reshape((height, width, 3) if color == 2 else (height, width))


def jpeg_size(data):
    """Columns and rows in the frame header of a baseline JPEG."""
    assert data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9"
    position = 2
    while data[position + 1] != 0xC0:
        position += 2 + struct.unpack(">H", data[position + 2:position + 4])[0]
    rows, columns = struct.unpack(">HH", data[position + 5:position + 9])
    return columns, rows


def windowed(values, center, width, function="LINEAR"):
    """PS3.3 C.11.2.1.2 and C.11.2.1.3, to 0…255."""
    values = values.astype("f8")
    if function == "LINEAR":
        shown = ((values - (center - 0.5)) / (width - 1) + 0.5) * 255
    elif function == "LINEAR_EXACT":
        shown = ((values - center) / width + 0.5) * 255
    else:
        shown = 255 / (1 + numpy.exp(-4 * (values - center) / width))
    return numpy.clip(shown, 0, 255)


def gray(dataset, frame, window=None):
    """What a grayscale frame looks like; a window is center, width and function."""
    pixels = dataset.pixel_array if dataset.get("NumberOfFrames", 1) in (None, 1) else dataset.pixel_array[frame - 1]
    values = pixels * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
    if window is None and "WindowCenter" in dataset:
        first = [v[0] if isinstance(v, pydicom.multival.MultiValue) else v
                 for v in (dataset.WindowCenter, dataset.WindowWidth)]
        window = (float(first[0]), float(first[1]), dataset.get("VOILUTFunction", "LINEAR"))
    if window is None:
        window = ((values.min() + values.max()) / 2, values.max() - values.min(), "LINEAR_EXACT")
    shown = windowed(values, *window)
    return 255 - shown if dataset.PhotometricInterpretation == "MONOCHROME1" else shown


def color(dataset, frame):
    pixels = dataset.pixel_array if dataset.get("NumberOfFrames", 1) in (None, 1) else dataset.pixel_array[frame - 1]
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        return apply_color_lut(pixels, dataset) / 257.0
    return pixels / 257.0 if pixels.dtype.itemsize == 2 else pixels


class Service:
    def __init__(self, url):
        self.url = url

    def get(self, path, accept):
        request = urllib.request.Request(self.url + path, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.headers.get_content_type() == accept, answer.headers
            return answer.read()

    def store(self, dataset):
        file = io.BytesIO()
        dataset.save_as(file, enforce_file_format=True)
        request = urllib.request.Request(
            self.url + "/studies", file.getvalue(), {"Content-Type": "application/dicom"}, method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status in (200, 202)
        return (f"/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
                f"/instances/{dataset.SOPInstanceUID}")


def difference(shown, expected):
    assert shown.shape == expected.shape, (shown.shape, expected.shape)
    return abs(shown.astype("f8") - numpy.round(expected)).max()


GRAY = ["CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_jp2klossless.dcm",
        "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "MR_small_padded.dcm", "693_J2KI.dcm", "image_dfl.dcm",
        "JPEG2000.dcm", "rtdose.dcm", "rtdose_rle.dcm", "liver_1frame.dcm", "liver_expb_1frame.dcm"]
COLOR = ["SC_rgb_rle.dcm", "SC_rgb_rle_2frame.dcm", "SC_rgb_rle_16bit.dcm", "SC_rgb_rle_16bit_2frame.dcm",
         "SC_rgb_small_odd.dcm", "SC_rgb_small_odd_big_endian.dcm", "SC_ybr_full_422_uncompressed.dcm",
         "SC_rgb_dcmtk_+eb+cr.dcm", "examples_rgb_color.dcm", "examples_ybr_color.dcm", "examples_palette.dcm"]


def main(url):
    service = Service(url)
    compared = 0
    for name in GRAY + COLOR:
        path = get_testdata_file(name, download=False)
        assert path, f"pydicom does not bring {name}"
        dataset = pydicom.dcmread(path)
        instance = service.store(dataset)
        for frame in {1, int(dataset.get("NumberOfFrames", 1) or 1)}:
            if name in COLOR:
                expected = color(dataset, frame)
            else:
                expected = gray(dataset, frame)
            shown = png(service.get(f"{instance}/frames/{frame}/rendered", "image/png"))
            worst = difference(shown, expected)
            assert worst <= 1, f"{name} frame {frame}: off by {worst}"
            compared += 1
            if name in GRAY:
                for center, width, function, word in [(40, 400, "LINEAR", "linear"), (100, 50, "SIGMOID", "sigmoid"),
                                                      (50.5, 333.25, "LINEAR_EXACT", "linear-exact")]:
                    if dataset.BitsAllocated == 1:
                        continue
                    shown = png(service.get(
                        f"{instance}/frames/{frame}/rendered?window={center},{width},{word}", "image/png"))
                    worst = difference(shown, gray(dataset, frame, (center, width, function)))
                    assert worst <= 1, f"{name} frame {frame} {word}: off by {worst}"
                    compared += 1
            size = jpeg_size(service.get(f"{instance}/frames/{frame}/rendered", "image/jpeg"))
            assert size == (dataset.Columns, dataset.Rows), (name, size)
        size = jpeg_size(service.get(f"{instance}/thumbnail?viewport=50,50", "image/jpeg"))
        assert max(size) <= 50, (name, size)
    print(f"{compared} images compared")
    assert compared >= 40, compared
    print("all well")


if __name__ == "__main__":
    main(sys.argv[1])
