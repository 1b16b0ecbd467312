// Failure Reasons (0008,1197) and Warning Reasons (0008,1196) in words, for those who sent the file.

const reasons = {
  0x0106: "A UID in the file is not valid",
  0x0110: "The server could not process the file; sending it again may help",
  0x0111: "The archive holds another version of this object and keeps it",
  0x0119: "The archive holds this object with another SOP Class",
  0x0120: "A UID that every object needs is missing",
  0x0121: "A UID that every object needs is empty",
  0x0122: "Objects of this SOP Class are not taken",
  0x0124: "Writing to this study is not allowed",
  0xA700: "The archive has no room left",
  0xA701: "The file is larger than the archive takes",
  0xA900: "The data set does not match its SOP Class",
  0xA901: "The object belongs to another study",
  0xC000: "Not a DICOM file, or cut off or damaged",
  0xC001: "The data set is nested too deeply or too large",
  0xC002: "The file did not arrive whole",
  0xC003: "Bulk data is missing",
  0xC122: "The transfer syntax is not supported",
  0xB000: "Values were changed when it was stored",
  0xB006: "Elements were left out when it was stored",
  0xB007: "The data set is doubtful; it is stored as it is",
};

/** "Not a DICOM file, or cut off or damaged (C000H)". */
export function reasonText(code) {
  const digits = `${code.toString(16).toUpperCase().padStart(4, "0")}H`;
  return reasons[code] ? `${reasons[code]} (${digits})` : `Reason ${digits}`;
}
