package import DICOMCore

/// Documents as the process that has the index sends them: those of a series with the template that they are differences
/// from, once.
extension MetadataDocuments: Codable {
    private struct Series: Codable {
        var study: UID
        var series: UID
        var template: AttributeFragments
        var instances: [Instance] = []
    }

    private struct Instance: Codable {
        var instance: UID
        var version: Int64
        var document: AttributeFragments
    }

    private enum CodingKeys: String, CodingKey {
        case version, series
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let series = try values.decode([Series].self, forKey: .series)
        try values.check(series.allSatisfy { $0.template.isComplete }, .series)
        self.init(
            version: try values.decode(ResourceVersion.self, forKey: .version),
            documents: series.flatMap { series in
                series.instances.map {
                    MetadataDocument(
                        study: series.study, series: series.series, instance: $0.instance, version: $0.version,
                        template: series.template, own: $0.document)
                }
            })
    }

    package func encode(to encoder: any Encoder) throws {
        var all: [Series] = []
        for document in documents {
            if all.last?.series != document.series {
                all.append(Series(study: document.study, series: document.series, template: document.template))
            }
            all[all.count - 1].instances.append(
                Instance(instance: document.instance, version: document.version, document: document.own))
        }
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(version, forKey: .version)
        try values.encode(all, forKey: .series)
    }
}

extension MetadataDocuments {
    /// The documents of data sets that were read from their files.
    package init(reading dataSets: [(instance: StoredInstance, dataSet: DataSet)], version: ResourceVersion) {
        self.init(
            version: version,
            documents: dataSets.map { read in
                let identity = read.instance.identity
                return MetadataDocument(
                    study: identity.study, series: identity.series, instance: identity.instance,
                    version: read.instance.version, template: AttributeFragments(),
                    own: IndexEntry(
                        unread: read.dataSet, blob: read.instance.location, digest: [],
                        transferSyntaxUID: read.instance.transferSyntaxUID, identity: identity, receivedAt: 0
                    ).document)
            })
    }
}
