import DICOMCore
import DICOMModels

extension HostileInputs {
    /// Data sets in the DICOM JSON model.
    public static func json(_ input: [UInt8]) {
        guard let dataSets = try? DICOMJSONReader.dataSets(from: input) else { return }
        hold(dataSets.count <= input.count, "more data sets than bytes")
        for dataSet in dataSets { checkRead(dataSet, inputCount: input.count) }
    }

    /// A data set in the Native DICOM Model.
    public static func xml(_ input: [UInt8]) {
        guard let dataSet = try? NativeModelReader.dataSet(from: input) else { return }
        checkRead(dataSet, inputCount: input.count)
    }

    private static func checkRead(_ dataSet: DataSet, inputCount: Int) {
        checkModels(of: dataSet, inputCount: inputCount)
        for syntax in [TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian] {
            checkEncoding(of: dataSet, in: syntax)
        }
    }

    // MARK: - Text models

    /// A data set can be written in both models and read again; from the second time on the text stays the same.
    static func checkModels(of dataSet: DataSet, inputCount: Int) {
        // Paths of bulk data grow with the depth of sequences, which is bounded.
        let bound = 4096 + 256 * inputCount
        for policy in [BulkDataPolicy(base: "/\"i"), .inlineEverything] {
            let first = json(of: dataSet, policy)
            hold(first.count <= bound, "\(first.count) bytes of JSON from \(inputCount)")
            guard let second = reread(json: first) else { return }
            hold(second.modelTags == dataSet.modelTags, "JSON changes the attributes of \(text(first))")
            let text = json(of: second, policy)
            guard let third = reread(json: text) else { return }
            let last = json(of: third, policy)
            hold(last == text, "JSON does not settle:\n\(Self.text(text))\n\(Self.text(last))")
        }
        for policy in [BulkDataPolicy(base: "/<&\"i"), .inlineEverything] {
            let first = xml(of: dataSet, policy)
            hold(first.count <= bound, "\(first.count) bytes of XML from \(inputCount)")
            guard let second = reread(xml: first) else { return }
            let text = xml(of: second, policy)
            guard let third = reread(xml: text) else { return }
            let last = xml(of: third, policy)
            hold(last == text, "XML does not settle:\n\(Self.text(text))\n\(Self.text(last))")
        }
    }

    private static func json(of dataSet: DataSet, _ policy: BulkDataPolicy) -> [UInt8] {
        var bytes: [UInt8] = []
        var writer = DICOMJSONWriter(bulkData: policy)
        writer.write(dataSet, into: &bytes)
        return bytes
    }

    private static func xml(of dataSet: DataSet, _ policy: BulkDataPolicy) -> [UInt8] {
        var bytes: [UInt8] = []
        var writer = NativeModelWriter(bulkData: policy)
        writer.write(dataSet, into: &bytes)
        return bytes
    }

    private static func reread(json bytes: [UInt8]) -> DataSet? {
        do throws(ModelError) {
            return try DICOMJSONReader.dataSets(from: bytes).first
        } catch {
            hold(false, "our JSON cannot be read: \(error) in \(text(bytes))")
            return nil
        }
    }

    private static func reread(xml bytes: [UInt8]) -> DataSet? {
        do throws(ModelError) {
            return try NativeModelReader.dataSet(from: bytes)
        } catch {
            hold(false, "our XML cannot be read: \(error) in \(text(bytes))")
            return nil
        }
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    // MARK: - Encoding

    /// What a model gave can be encoded, and read from its bytes unless a tag in it has no place in a file.
    private static func checkEncoding(of dataSet: DataSet, in syntax: TransferSyntax) {
        var bytes = FileMetaInformation(
            mediaStorageSOPClassUID: "1.2", mediaStorageSOPInstanceUID: "1.3", transferSyntaxUID: syntax.uid
        ).encoded()
        // The way a data set begins tells its encoding.
        var dataSet = dataSet
        dataSet.insertIfAbsent(DataElement(Tag(0x0008, 0x0016), .UI, .empty))
        do throws(DataSetWriteError) {
            try DataSetEncoder(transferSyntax: syntax).encode(dataSet, into: &bytes) { _, _ in [] }
        } catch {
            return hold(false, "encoding in \(syntax.uid) fails: \(error)")
        }
        guard dataSet.isFileContent else { return }
        do throws(DataSetReadError) {
            let file = try Part10Reader.read(bytes)
            hold(
                file.dataSet.modelTags == dataSet.modelTags || syntax.isImplicitVR,
                "\(syntax.uid) changes the attributes")
        } catch {
            // The length of pixel data is the sender's business.
            let isShort = error.code == .truncated && dataSet.contains { $0.tag.group == 0x7FE0 }
            // Bytes of unknown VR may stand where implicit VR has a sequence.
            hold(isShort || syntax.isImplicitVR, "what was encoded in \(syntax.uid) cannot be read: \(error)")
        }
    }
}

extension DataSet {
    /// The tags that text models show, with those in items; but Specific Character Set, which reading may add.
    fileprivate var modelTags: [Tag] {
        flatMap { element -> [Tag] in
            let tag = element.tag
            let isShown = tag.element != 0 && tag.group != 0x0002 && tag.group != 0xFFFE && tag.rawValue != 0xFFFC_FFFC
            guard isShown, tag.rawValue != 0x0008_0005 else { return [] }
            return [tag] + (element.items ?? []).flatMap(\.modelTags)
        }
    }

    /// Whether all tags are such as data sets in files have (PS3.5 7.1, 7.8).
    fileprivate var isFileContent: Bool {
        allSatisfy { element in
            let group = element.tag.group
            let isPlace = group >= 0x0008 && group < 0xFFFC
            return isPlace && (element.items ?? []).allSatisfy(\.isFileContent)
        }
    }
}
