public import DICOMCore
public import HTTPTypes

/// A resource of the DICOMweb service, by its path below the service root (PS3.18 8.2, 9.1, 10.1, 10.4.1.1).
public enum ResourcePath: Hashable, Sendable {
    /// The service itself: capabilities (PS3.18 8.9).
    case service
    /// The URI service (PS3.18 9).
    case uriService
    /// `/studies`: searched, and stored to.
    case studies
    /// `/series`: all series.
    case allSeries
    /// `/instances`: all instances.
    case allInstances
    /// `/studies/{study}/series`: searched.
    case series(of: UID)
    /// `/studies/{study}/instances` and `/studies/{study}/series/{series}/instances`: searched.
    case instances(ofStudy: UID, series: UID?)
    /// A study, series or instance, or an aspect of it.
    case entity(EntityPath, Aspect)
    /// One bulk data value of an instance.
    case bulkDataValue(EntityPath, BulkDataPath)
    /// Frames of an instance.
    case frames(EntityPath, FrameList, FrameAspect)

    /// What of a study, series or instance is meant (PS3.18 10.4.1.1).
    public enum Aspect: String, CaseIterable, Hashable, Sendable {
        /// The instances themselves.
        case instances = ""
        case metadata, rendered, thumbnail
        case bulkData = "bulkdata"
        case pixelData = "pixeldata"
    }

    /// What of frames is meant.
    public enum FrameAspect: String, CaseIterable, Hashable, Sendable {
        case pixelData = ""
        case rendered, thumbnail
    }
}

/// A study, a series in its study, or an instance in its series.
public struct EntityPath: Hashable, Sendable {
    public var study: UID
    public var series: UID?
    public var instance: UID?

    public init(study: UID) { self.study = study }

    public init(study: UID, series: UID, instance: UID? = nil) {
        self.study = study
        self.series = series
        self.instance = instance
    }

    public var level: QueryLevel { instance != nil ? .instance : series != nil ? .series : .study }
}

extension EntityPath: CustomStringConvertible {
    /// The path below the service root.
    public var description: String {
        var text = "/studies/\(study.string)"
        if let series { text += "/series/\(series.string)" }
        if let instance { text += "/instances/\(instance.string)" }
        return text
    }
}

extension ResourcePath {
    /// Reads a path below the service root, percent-encoded, without a query.
    ///
    /// In this order: 404 when it fits no resource, 405 when the resource does not have the method, 400 when a UID,
    /// frame list or bulk data path in it is malformed. One slash at the end is let pass.
    public init(_ path: some StringProtocol, for method: HTTPRequest.Method? = nil) throws(DICOMWebError) {
        // 1. Segments, each decoded once: an encoded slash never separates.
        var text = Substring(path)
        if text.hasPrefix("/") { text.removeFirst() }
        if text.hasSuffix("/") { text.removeLast() }
        var segments: [String] = []
        for part in text.isEmpty ? [] : text.split(separator: "/", omittingEmptySubsequences: false) {
            guard let segment = PercentEncoding.decoded(part) else {
                throw Self.malformed("The path has a malformed escape.", clause: "RFC 3986 2.1")
            }
            segments.append(segment)
        }
        // 2. The route.
        guard let route = Route(segments) else {
            throw DICOMWebError(.unknownResource, "The path names no resource of this service.", clause: "PS3.18 8.5")
        }
        // 3. The method.
        if let method, !route.methods.contains(method) {
            var error = DICOMWebError(
                .methodNotAllowed, "The resource does not have this method.", clause: "RFC 9110 15.5.6")
            error.allow = route.methods
            throw error
        }
        // 4. What stands in the segments.
        self = try route.resolved()
    }

    /// The methods that the resource has; the value of the Allow header.
    public var allowedMethods: [HTTPRequest.Method] {
        switch self {
        case .service: [.options]
        case .studies: [.get, .head, .post]
        case .entity(let entity, .instances):
            entity.level == .study ? [.get, .head, .post, .delete] : [.get, .head, .delete]
        case .uriService, .allSeries, .allInstances, .series, .instances, .entity, .bulkDataValue, .frames:
            [.get, .head]
        }
    }

    /// What a search on this resource returns; `nil` when it is not a search resource.
    public var searchLevel: QueryLevel? {
        switch self {
        case .studies: .study
        case .allSeries, .series: .series
        case .allInstances, .instances: .instance
        case .service, .uriService, .entity, .bulkDataValue, .frames: nil
        }
    }

    fileprivate static func malformed(_ detail: String, clause: String) -> DICOMWebError {
        DICOMWebError(.invalidPath, detail, clause: clause)
    }
}

extension ResourcePath: CustomStringConvertible {
    /// The path below the service root, with a slash at its start and none at its end.
    public var description: String {
        switch self {
        case .service: "/"
        case .uriService: "/wado"
        case .studies: "/studies"
        case .allSeries: "/series"
        case .allInstances: "/instances"
        case .series(let study): "\(EntityPath(study: study))/series"
        case .instances(let study, nil): "\(EntityPath(study: study))/instances"
        case .instances(let study, .some(let series)): "\(EntityPath(study: study, series: series))/instances"
        case .entity(let entity, .instances): "\(entity)"
        case .entity(let entity, let aspect): "\(entity)/\(aspect.rawValue)"
        case .bulkDataValue(let entity, let path): "\(entity)/bulkdata/\(path)"
        case .frames(let entity, let frames, .pixelData): "\(entity)/frames/\(frames)"
        case .frames(let entity, let frames, let aspect): "\(entity)/frames/\(frames)/\(aspect.rawValue)"
        }
    }
}

/// A resource whose segments are not yet looked into.
private enum Route {
    case fixed(ResourcePath)
    case series(study: String)
    case instances(study: String, series: String?)
    case entity([String], ResourcePath.Aspect)
    case bulkData([String], ArraySlice<String>)
    case frames([String], String, ResourcePath.FrameAspect)

    init?(_ segments: [String]) {
        var entity: [String] = []
        var rest = segments[...]
        // 1. studies/{study}/series/{series}/instances/{instance}, as far as it goes.
        for name in ["studies", "series", "instances"] {
            guard rest.count >= 2, rest[rest.startIndex] == name else { break }
            entity.append(rest[rest.startIndex + 1])
            rest = rest.dropFirst(2)
        }
        // 2. What follows.
        switch (entity.count, rest.count, rest.first) {
        case (0, 0, _): self = .fixed(.service)
        case (0, 1, "wado"): self = .fixed(.uriService)
        case (0, 1, "studies"): self = .fixed(.studies)
        case (0, 1, "series"): self = .fixed(.allSeries)
        case (0, 1, "instances"): self = .fixed(.allInstances)
        case (1, 1, "series"): self = .series(study: entity[0])
        case (1, 1, "instances"): self = .instances(study: entity[0], series: nil)
        case (2, 1, "instances"): self = .instances(study: entity[0], series: entity[1])
        case (1..., 0, _): self = .entity(entity, .instances)
        case (1..., 1, .some(let name)):
            guard let aspect = ResourcePath.Aspect(rawValue: name), aspect != .instances else { return nil }
            self = .entity(entity, aspect)
        case (3, 2..., "bulkdata"): self = .bulkData(entity, rest.dropFirst())
        case (3, 2...3, "frames"):
            let name = rest.count == 3 ? rest[rest.startIndex + 2] : ""
            guard let aspect = ResourcePath.FrameAspect(rawValue: name), (rest.count == 3) == (aspect != .pixelData)
            else { return nil }
            self = .frames(entity, rest[rest.startIndex + 1], aspect)
        default: return nil
        }
    }

    var methods: [HTTPRequest.Method] {
        switch self {
        case .fixed(let path): path.allowedMethods
        case .entity(let entity, .instances):
            entity.count == 1 ? [.get, .head, .post, .delete] : [.get, .head, .delete]
        case .series, .instances, .entity, .bulkData, .frames: [.get, .head]
        }
    }

    func resolved() throws(DICOMWebError) -> ResourcePath {
        switch self {
        case .fixed(let path): return path
        case .series(let study): return .series(of: try Self.uid(study))
        case .instances(let study, let series):
            guard let series else { return .instances(ofStudy: try Self.uid(study), series: nil) }
            return .instances(ofStudy: try Self.uid(study), series: try Self.uid(series))
        case .entity(let entity, let aspect): return .entity(try Self.entity(entity), aspect)
        case .bulkData(let entity, let segments):
            let entity = try Self.entity(entity)
            guard let path = BulkDataPath(segments: segments) else {
                throw ResourcePath.malformed(
                    "A bulk data path is a tag, or sequences with item numbers before it.",
                    clause: "PS3.18 10.4.1.1.5")
            }
            return .bulkDataValue(entity, path)
        case .frames(let entity, let text, let aspect):
            return .frames(try Self.entity(entity), try FrameList(text), aspect)
        }
    }

    private static func entity(_ segments: [String]) throws(DICOMWebError) -> EntityPath {
        let study = try uid(segments[0])
        guard segments.count > 1 else { return EntityPath(study: study) }
        let series = try uid(segments[1])
        guard segments.count > 2 else { return EntityPath(study: study, series: series) }
        return EntityPath(study: study, series: series, instance: try uid(segments[2]))
    }

    private static func uid(_ text: String) throws(DICOMWebError) -> UID {
        guard let uid = UID(text) else {
            throw ResourcePath.malformed(
                "A UID in the path is not 1 to 64 digits and dots without an empty component.", clause: "PS3.5 9.1")
        }
        return uid
    }
}
