"""Studies to look at, made of ellipses, speckle and noise: no patient, no device, the same every time.

usage: sample_studies.py FOLDER        writes the files of all studies there
"""
import pathlib
import sys

import numpy
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

ROOT = "1.2.826.0.1.3680043.10.1559.7"
CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4", "US": "1.2.840.10008.5.1.4.1.1.3.1",
    "XC": "1.2.840.10008.5.1.4.1.1.77.1.4", "SR": "1.2.840.10008.5.1.4.1.1.88.11", "DOC": "1.2.840.10008.5.1.4.1.1.104.1",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
}
PATIENTS = {
    1: ("Okafor^Amara", "GT-1041", "19640312", "F"), 2: ("Lindqvist^Johan^Erik", "GT-2207", "19811120", "M"),
    3: ("Yamada^Tarou", "GT-3310", "19550704", "M"), 4: ("Rossi^Chiara", "GT-4188", "19920229", "F"),
}
STUDIES = {
    1: ("20240518", "091542", "CT chest", "A-50233"), 2: ("20240611", "134010", "MR brain", "A-50871"),
    3: ("20240702", "101855", "Echocardiography", "A-51002"), 4: ("20240715", "160327", "Skin lesion, forearm", "A-51440"),
}


def generator(*seed):
    return numpy.random.default_rng(seed)


def grid(rows, columns):
    y, x = numpy.mgrid[-1:1:rows * 1j, -1:1:columns * 1j]
    return x, y


def ellipse(x, y, cx, cy, rx, ry):
    return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1


def blurred(image, times=2):
    for _ in range(times):
        image = (image + numpy.roll(image, 1, 0) + numpy.roll(image, -1, 0) + numpy.roll(image, 1, 1) + numpy.roll(image, -1, 1)) / 5
    return image


def dataset(study, series, instance, modality, description, **attributes):
    name, identifier, born, sex = PATIENTS[study]
    date, time, study_description, accession = STUDIES[study]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CLASSES[modality]
    meta.MediaStorageSOPInstanceUID = f"{ROOT}.{study}.{series}.{instance}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    one.SpecificCharacterSet = "ISO_IR 192"
    one.SOPClassUID = meta.MediaStorageSOPClassUID
    one.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    one.StudyInstanceUID = f"{ROOT}.{study}"
    one.SeriesInstanceUID = f"{ROOT}.{study}.{series}"
    one.PatientName, one.PatientID, one.PatientBirthDate, one.PatientSex = name, identifier, born, sex
    one.StudyDate, one.StudyTime, one.StudyDescription, one.AccessionNumber = date, time, study_description, accession
    one.StudyID, one.ReferringPhysicianName = str(study), "Weber^Ines"
    one.Modality, one.SeriesNumber, one.SeriesDescription, one.InstanceNumber = modality, series, description, instance
    for keyword, value in attributes.items():
        setattr(one, keyword, value)
    return one


def with_pixels(one, pixels, bits_stored, signed=False, photometric="MONOCHROME2"):
    colour = photometric == "RGB"
    one.SamplesPerPixel, one.PhotometricInterpretation = (3, "RGB") if colour else (1, photometric)
    if colour:
        one.PlanarConfiguration = 0
    one.Rows, one.Columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    one.BitsAllocated = 8 if bits_stored <= 8 else 16
    one.BitsStored, one.HighBit, one.PixelRepresentation = bits_stored, bits_stored - 1, int(signed)
    one.PixelData = pixels.astype("u1" if bits_stored <= 8 else "<i2" if signed else "<u2").tobytes()
    return one


def ct_slice(series, number, count, size=256):
    """A chest from the shoulders down, in Hounsfield units."""
    x, y = grid(size, size)
    at = number / count
    noise = generator(1, series, number).normal(0, 18, (size, size))
    body = numpy.full((size, size), -1000.0)
    wide = 0.86 - 0.1 * abs(at - 0.6)
    body[ellipse(x, y, 0, 0.02, wide, 0.62)] = -95
    body[ellipse(x, y, 0, 0.02, wide - 0.06, 0.56)] = 45
    for side in (-1, 1):
        lung = ellipse(x, y, side * 0.39, -0.02, 0.29 * numpy.sin(0.5 + at * 2.2), 0.42 * numpy.sin(0.45 + at * 2.2))
        body[lung] = -860
        vessels = generator(2, series, number // 3).normal(0, 1, (size, size))
        body[lung & (blurred(vessels, 3) > 0.55)] = -80
        for rib in range(7):
            angle = numpy.pi * (0.12 + rib / 7 * 0.8 + at * 0.06)
            body[ellipse(x, y, side * numpy.sin(angle) * (wide - 0.11), numpy.cos(angle) * 0.5, 0.055, 0.03)] = 520
    body[ellipse(x, y, -0.09 + at * 0.02, -0.08, 0.16 + 0.13 * at, 0.19 + 0.12 * at)] = 60 + 110 * (series == 2)
    body[ellipse(x, y, 0.11, 0.27, 0.07, 0.07)] = 50 + 200 * (series == 2)
    body[ellipse(x, y, 0, 0.42, 0.12, 0.1)] = 380
    body[ellipse(x, y, 0, 0.42, 0.085, 0.07)] = 180
    body[ellipse(x, y, 0, 0.53, 0.05, 0.045)] = 40
    if 0.35 < at < 0.62:
        radius = 0.05 * numpy.sqrt(max(0, 1 - ((at - 0.48) / 0.14) ** 2)) + 0.001
        body[ellipse(x, y, 0.42, -0.12, radius, radius)] = 30
    return numpy.clip(blurred(body, 1) + noise, -1024, 3071)


def ct_study():
    for series, description, kernel in ((1, "Axial 5 mm", "B30f"), (2, "Axial 5 mm, contrast", "B30f")):
        for number in range(1, 25):
            values = ct_slice(series, number, 24)
            yield with_pixels(dataset(
                1, series, number, "CT", description, ConvolutionKernel=kernel, BodyPartExamined="CHEST",
                PixelSpacing=[1.4, 1.4], SliceThickness=5, SliceLocation=-(number - 1) * 5,
                ImagePositionPatient=[-179, -179, -(number - 1) * 5], ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
                RescaleIntercept=-1024, RescaleSlope=1, RescaleType="HU",
                WindowCenter=[40, -600], WindowWidth=[400, 1500], WindowCenterWidthExplanation=["MEDIASTINUM", "LUNG"]),
                values + 1024, 12)
    report = dataset(1, 3, 1, "SR", "Report", ValueType="CONTAINER", ContinuityOfContent="SEPARATE",
                     CompletionFlag="COMPLETE", VerificationFlag="UNVERIFIED")
    report.ConceptNameCodeSequence = [code("18748-4", "LN", "Diagnostic imaging report")]
    report.ContentSequence = [
        text_item("121070", "Findings", "Round opacity of 12 mm in the left upper lobe. No pleural effusion. Heart of normal size."),
        text_item("121076", "Conclusions", "Solitary nodule. Comparison with earlier studies, else control in three months."),
    ]
    yield report


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def text_item(value, meaning, words):
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "TEXT"
    item.ConceptNameCodeSequence = [code(value, "DCM", meaning)]
    item.TextValue = words
    return item


def mr_slice(series, number, count, size=256):
    x, y = grid(size, size)
    at = numpy.sin(numpy.pi * (0.18 + 0.72 * number / count))
    fluid, grey, white, fat = ((820, 430, 340, 560), (150, 420, 620, 900))[series - 1]
    head = numpy.zeros((size, size))
    folds = blurred(generator(3, number).normal(0, 1, (size, size)), 6) * 2
    head[ellipse(x, y, 0, 0, 0.78 * at, 0.92 * at)] = fat
    head[ellipse(x, y, 0, 0, 0.72 * at, 0.86 * at)] = 60
    head[ellipse(x, y, 0, 0, 0.68 * at, 0.82 * at)] = fluid
    head[ellipse(x + 0.02 * folds, y + 0.02 * folds, 0, 0, 0.645 * at, 0.785 * at)] = grey
    inner = ellipse(x + 0.09 * folds, y + 0.09 * folds, 0, 0, 0.52 * at, 0.66 * at)
    head[inner] = white
    for side in (-1, 1):
        head[ellipse(x + 0.12 * y * side, y, side * 0.12 * at, -0.1, 0.055 * at, 0.26 * at)] = fluid
        head[ellipse(x, y, side * 0.22 * at, 0.1, 0.1 * at, 0.13 * at)] = grey
    head[(abs(x) < 0.008) & ellipse(x, y, 0, 0, 0.1, 0.8 * at)] = fluid
    if series == 1 and 8 <= number <= 12:
        head[ellipse(x, y, 0.33, -0.28, 0.07, 0.055)] = 760
    noise = generator(4, series, number).normal(0, 14, (size, size))
    return numpy.clip(blurred(head, 1) + noise * (head > 0) + abs(noise) * 0.5, 0, 4095)


def mr_study():
    for series, description in ((1, "T2 TSE axial"), (2, "T1 SE axial")):
        for number in range(1, 19):
            # No window in the second series: what is shown goes by the pixels.
            window = {"WindowCenter": 420, "WindowWidth": 860} if series == 1 else {}
            yield with_pixels(dataset(
                2, series, number, "MR", description, BodyPartExamined="BRAIN", PixelSpacing=[0.9, 0.9], SliceThickness=4,
                SliceLocation=(number - 9) * 4.4, RepetitionTime=4200 if series == 1 else 520, EchoTime=98 if series == 1 else 12,
                MagneticFieldStrength=1.5, **window), mr_slice(series, number, 18), 12)


def us_clip():
    """A beating ventricle in a sector, in colour as such machines write it."""
    rows, columns, frames = 240, 320, 30
    x, y = grid(rows, columns)
    x = x * columns / rows
    depth, angle = numpy.hypot(x, y + 1), numpy.arctan2(x, y + 1)
    sector = (abs(angle) < 0.72) & (depth < 1.95) & (depth > 0.12)
    speckle = blurred(abs(generator(5).normal(0, 1, (rows, columns))), 1)
    clip = numpy.zeros((frames, rows, columns, 3), "u1")
    for frame in range(frames):
        beat = 0.5 + 0.5 * numpy.cos(2 * numpy.pi * frame / frames)
        tissue = 105 * numpy.roll(speckle, frame % 3, 0) * (1.15 - depth / 2.4)
        wall = ellipse(x, y, 0.02, 0.02, 0.42 + 0.05 * beat, 0.56 + 0.04 * beat)
        cavity = ellipse(x, y, 0.02, 0.0, 0.22 + 0.12 * beat, 0.38 + 0.09 * beat)
        grey = numpy.where(wall, tissue * 1.55, tissue * 0.75)
        grey = numpy.where(cavity, 9 * speckle, grey)
        grey = numpy.clip(numpy.where(sector, grey, 0), 0, 255)
        picture = numpy.repeat(grey[:, :, None], 3, 2)
        flow = cavity & ellipse(x, y, 0.02, 0.22 - 0.3 * beat, 0.11, 0.2) & sector
        picture[flow] = (30 + 60 * beat, 40, 190) if beat > 0.5 else (200, 60, 20)
        clip[frame] = picture
    return clip


def us_study():
    for instance in (1, 2):
        yield with_pixels(dataset(
            3, 1, instance, "US", "Apical four chamber", NumberOfFrames=30, FrameTime=40, FrameIncrementPointer=0x00181063,
            BodyPartExamined="HEART"), numpy.roll(us_clip(), 11 * instance, 0), 8, photometric="RGB")


def photograph():
    """A mole on skin."""
    rows, columns = 480, 640
    x, y = grid(rows, columns)
    x = x * columns / rows
    random = generator(6)
    grain = blurred(random.normal(0, 1, (rows, columns)), 2)
    angle = numpy.arctan2(y, x)
    edge = 0.13 * numpy.sin(3 * angle + 1) + 0.08 * numpy.sin(7 * angle) + 0.04 * numpy.sin(13 * angle + 2)
    skin = numpy.stack([222 + 7 * grain - 14 * y, 176 + 8 * grain - 18 * y, 150 + 8 * grain - 20 * y], -1)
    distance = numpy.hypot((x - 0.05) / 0.5, (y + 0.02) / 0.38) + edge
    share = numpy.clip((1 - distance) * 6, 0, 1)[..., None]
    inner = numpy.stack([104 + 26 * grain, 62 + 18 * grain, 44 + 14 * grain], -1) * (0.75 + 0.35 * distance[..., None])
    return numpy.clip(skin * (1 - share) + inner * share, 0, 255)


def photo_study():
    yield with_pixels(dataset(4, 1, 1, "XC", "Dermatoscopy", BodyPartExamined="FOREARM"), photograph(), 8, photometric="RGB")
    document = dataset(4, 2, 1, "DOC", "Referral letter", MIMETypeOfEncapsulatedDocument="application/pdf", DocumentTitle="Referral letter")
    document.EncapsulatedDocument = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    yield document


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, study in (("ct", ct_study), ("mr", mr_study), ("us", us_study), ("photo", photo_study)):
        for one in study():
            one.save_as(folder / f"{name}-{one.SeriesNumber}-{one.InstanceNumber:03}.dcm", enforce_file_format=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
