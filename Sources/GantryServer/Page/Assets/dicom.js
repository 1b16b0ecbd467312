// Reading DICOM JSON (PS3.18 Annex F): values by tag, and how people write them.

/** Tags by keyword: those that this page looks at. */
export const tags = {
  SpecificCharacterSet: "00080005", SOPClassUID: "00080016", SOPInstanceUID: "00080018", StudyDate: "00080020",
  SeriesDate: "00080021", StudyTime: "00080030", AccessionNumber: "00080050", Modality: "00080060", ModalitiesInStudy: "00080061",
  ReferringPhysicianName: "00080090", StudyDescription: "00081030", SeriesDescription: "0008103E",
  ReferencedSOPClassUID: "00081150", ReferencedSOPInstanceUID: "00081155", RetrieveURL: "00081190",
  WarningReason: "00081196", FailureReason: "00081197", FailedSOPSequence: "00081198",
  ReferencedSOPSequence: "00081199", OtherFailuresSequence: "0008119A",
  RecommendedDisplayFrameRate: "00082144", PatientName: "00100010", PatientID: "00100020",
  PatientBirthDate: "00100030", PatientSex: "00100040", PatientAge: "00101010", BodyPartExamined: "00180015",
  CineRate: "00180040", SliceThickness: "00180050", FrameTime: "00181063", FrameTimeVector: "00181065",
  StudyInstanceUID: "0020000D", SeriesInstanceUID: "0020000E", StudyID: "00200010", SeriesNumber: "00200011",
  InstanceNumber: "00200013", SliceLocation: "00201041", NumberOfStudyRelatedSeries: "00201206",
  NumberOfStudyRelatedInstances: "00201208", NumberOfSeriesRelatedInstances: "00201209",
  SamplesPerPixel: "00280002", PhotometricInterpretation: "00280004", NumberOfFrames: "00280008", Rows: "00280010",
  Columns: "00280011", PixelSpacing: "00280030", PixelAspectRatio: "00280034", BitsAllocated: "00280100",
  BitsStored: "00280101", PixelRepresentation: "00280103", WindowCenter: "00281050", WindowWidth: "00281051",
  RescaleIntercept: "00281052", RescaleSlope: "00281053", WindowCenterWidthExplanation: "00281055",
  PixelMeasuresSequence: "00289110", FrameVOILUTSequence: "00289132", PixelValueTransformationSequence: "00289145",
  EncapsulatedDocument: "00420011", MIMETypeOfEncapsulatedDocument: "00420012",
  SharedFunctionalGroupsSequence: "52009229", PerFrameFunctionalGroupsSequence: "52009230",
};

/** All values of an attribute; none when it is absent or empty. */
export function values(dataset, tag) {
  return dataset?.[tag]?.Value ?? [];
}

/** The first value as text; "" when there is none. */
export function text(dataset, tag) {
  const value = values(dataset, tag)[0];
  return value === null || value === undefined ? "" : String(value).trim();
}

/** The first value as a number; `null` when there is none. DS and IS may be strings. */
export function number(dataset, tag) {
  const found = text(dataset, tag);
  const value = Number(found);
  return found === "" || !Number.isFinite(value) ? null : value;
}

/** Numbers of an attribute. */
export function numbers(dataset, tag) {
  return values(dataset, tag).map(Number).filter(Number.isFinite);
}

/** A person's name as it is read: "Doe, Jane (山田)". PS3.5 6.2.1. */
export function personName(value) {
  if (value === null || value === undefined) return "";
  const groups = typeof value === "string" ? { Alphabetic: value } : value;
  const written = (group, index) => {
    const [family = "", given = "", middle = "", prefix = "", suffix = ""] = group.split("^").map((part) => part.trim());
    const rest = [prefix, given, middle].filter(Boolean).join(" ");
    // Ideographs and their sounds are written without a comma.
    return [[family, rest].filter(Boolean).join(index === 0 ? ", " : " "), suffix].filter(Boolean).join(" ");
  };
  const [first, ...others] = [groups.Alphabetic, groups.Ideographic, groups.Phonetic].map((group, index) => group && written(group, index))
    .filter(Boolean);
  return first === undefined ? "" : others.length ? `${first} (${others.join(", ")})` : first;
}

/** The patient's or another person's name in an attribute. */
export function nameOf(dataset, tag) {
  return personName(values(dataset, tag)[0]);
}

/** "2024-01-31" of a DA; other text as it stands. */
export function dateText(value) {
  const match = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(value);
  return match ? `${match[1]}-${match[2]}-${match[3]}` : value;
}

/** "14:05" of a TM. */
export function timeText(value) {
  const match = /^(\d{2}):?(\d{2})?/.exec(value);
  return match ? `${match[1]}:${match[2] ?? "00"}` : value;
}

/** "2024-01-31 14:05" of a study. */
export function studyMoment(study) {
  const date = dateText(text(study, tags.StudyDate));
  const time = text(study, tags.StudyTime);
  return date && time ? `${date} ${timeText(time)}` : date;
}

/** "Female", "Male", "Other". */
export function sexText(study) {
  const code = text(study, tags.PatientSex);
  return { F: "Female", M: "Male", O: "Other" }[code] ?? code;
}

/** Whether text is a UID as the service takes it (PS3.5 9.1). */
export function isUID(value) {
  return value.length <= 64 && /^\d+(\.\d+)*$/.test(value);
}
