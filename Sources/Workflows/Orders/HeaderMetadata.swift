import DICOMCore

/// What an instance's header says of the attributes that an order needs.
struct HeaderMetadata {
    /// The value of a required attribute, and where it is from; `nil` when the header does not tell.
    static func value(of keyword: String, in dataSet: DataSet) -> (text: String, source: MetadataSource)? {
        guard let tag = DataDictionary.standard.tag(forKeyword: keyword) ?? Tag(hexadecimal: keyword) else {
            return nil
        }
        if let text = dataSet.string(for: tag)?.trimmingSpaces, !text.isEmpty { return (text, .header) }
        if tag == .patientAge, let age = age(in: dataSet) { return (age, .computed) }
        if let number = dataSet.double(for: tag) {
            return (Int(exactly: number).map(String.init) ?? "\(number)", .header)
        }
        return nil
    }

    /// The patient's age on the day of the study, from the birth date (AS, PS3.5 6.2).
    private static func age(in dataSet: DataSet) -> String? {
        guard let birth = dataSet.date(for: .patientBirthDate), let study = dataSet.date(for: .studyDate) else {
            return nil
        }
        return age(from: birth, to: study)
    }

    /// An age in years from the second birthday on, below that in months, in the first month in days.
    static func age(from birth: DateValue, to day: DateValue) -> String? {
        guard birth <= day else { return nil }
        var months = (day.year - birth.year) * 12 + day.month - birth.month
        if day.day < birth.day { months -= 1 }
        let (number, unit): (Int, String) =
            if months >= 24 { (months / 12, "Y") } else if months >= 1 {
                (months, "M")
            } else { (day.daysSince1970 - birth.daysSince1970, "D") }
        guard number <= 999 else { return nil }
        let digits = String(number)
        return String(repeating: "0", count: 3 - digits.count) + digits + unit
    }
}

extension String {
    /// Without spaces and NULs around it.
    var trimmingSpaces: String {
        let isPadding: (Character) -> Bool = { $0 == " " || $0 == "\0" }
        return String(drop(while: isPadding).reversed().drop(while: isPadding).reversed())
    }
}
