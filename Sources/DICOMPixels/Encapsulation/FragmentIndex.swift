public import DICOMCore

/// Which fragments make up which frame of encapsulated pixel data (PS3.5 A.4).
///
/// Known from the Extended Offset Table, else the Basic Offset Table where every entry points at an item, else from
/// the number of fragments and the first bytes of each. Codestreams are never searched. Where Number of Frames
/// disagrees with what is there, what is there counts.
public struct FragmentIndex: Hashable, Sendable {
    /// The byte ranges of each frame, in the order of the stream; empty fragments are left out.
    public private(set) var frames: [[Range<Int>]]

    /// - Parameters:
    ///   - extendedOffsets: (7FE0,0001), if it is there.
    ///   - extendedLengths: (7FE0,0002), if it is there.
    public init(
        _ value: EncapsulatedValue, numberOfFrames: Int, transferSyntax: TransferSyntax?,
        extendedOffsets: [UInt64] = [],
        extendedLengths: [UInt64] = []
    ) {
        let fragments = value.fragments
        frames = []
        if transferSyntax?.isVideo == true {
            // One stream, however it is cut.
            frames = Self.groups(of: fragments, startingAt: [0])
        } else if let starts = Self.starts(of: extendedOffsets, in: value) {
            frames = Self.groups(of: fragments, startingAt: starts)
            if extendedLengths.count == frames.count { trim(to: extendedLengths) }
        } else {
            let table = Self.starts(of: value.basicOffsetTable.map(UInt64.init), in: value)
            if let table, table.count == numberOfFrames {
                frames = Self.groups(of: fragments, startingAt: table)
            } else {
                let counted = Self.counted(fragments, numberOfFrames, StartMarkers(transferSyntax))
                // A table that disagrees with the number of frames is still better than a guess that does, too.
                if let table, table.count > 1, numberOfFrames == 1 || counted.count != numberOfFrames {
                    frames = Self.groups(of: fragments, startingAt: table)
                } else {
                    frames = counted
                }
            }
        }
        frames.removeAll(where: \.isEmpty)
    }

    /// The fragments that the offsets point at; `nil` unless each one points at an item, in ascending order.
    private static func starts(of offsets: [UInt64], in value: EncapsulatedValue) -> [Int]? {
        guard offsets.first == 0 else { return nil }
        var starts: [Int] = []
        starts.reserveCapacity(offsets.count)
        var index = 0
        for offset in offsets {
            while index < value.fragments.count, value.fragments[index].headerOffset(in: value) < offset { index += 1 }
            guard index < value.fragments.count, value.fragments[index].headerOffset(in: value) == offset,
                starts.last != index
            else { return nil }
            starts.append(index)
        }
        return starts
    }

    private static func groups(of fragments: [EncapsulatedValue.Fragment], startingAt starts: [Int]) -> [[Range<Int>]] {
        starts.indices.map { index in
            let end = index + 1 < starts.count ? starts[index + 1] : fragments.count
            return fragments[min(starts[index], end)..<end].map(\.range).filter { !$0.isEmpty }
        }
    }

    /// Without an offset table: by the number of fragments, else by the first bytes of each.
    private static func counted(
        _ all: [EncapsulatedValue.Fragment], _ numberOfFrames: Int, _ markers: StartMarkers
    ) -> [[Range<Int>]] {
        let fragments = all.filter { !$0.range.isEmpty }
        let single = fragments.indices.map { $0 }
        guard !fragments.isEmpty else { return [] }
        guard !markers.isOnePerFragment, fragments.count != numberOfFrames else {
            return groups(of: fragments, startingAt: single)
        }
        let starts = single.filter { markers.match(fragments[$0].head) }
        guard starts.first != 0 else { return groups(of: fragments, startingAt: starts) }
        // Nothing that we know starts here: all there is, or one fragment each.
        return groups(of: fragments, startingAt: numberOfFrames == 1 ? [0] : single)
    }

    /// Leaves out what is behind the end of each frame: the byte that makes a fragment even.
    private mutating func trim(to lengths: [UInt64]) {
        for (index, length) in lengths.enumerated() {
            let total = frames[index].reduce(0) { $0 + $1.count }
            guard var surplus = UInt64(total) >= length ? total - Int(length) : nil, surplus < total else { continue }
            while surplus > 0, let last = frames[index].popLast() {
                let taken = min(surplus, last.count)
                surplus -= taken
                if taken < last.count { frames[index].append(last.lowerBound..<last.upperBound - taken) }
            }
        }
    }
}

extension EncapsulatedValue.Fragment {
    /// Where the item header is, counted as the offset tables do.
    fileprivate func headerOffset(in value: EncapsulatedValue) -> UInt64 {
        let offset = range.lowerBound - 8 - value.origin
        return offset < 0 ? .max : UInt64(offset)
    }
}

/// How the codestreams of a transfer syntax begin.
private struct StartMarkers {
    /// Whether every frame is exactly one fragment, as RLE (PS3.5 A.4.2), encapsulated uncompressed and deflated
    /// frames are.
    let isOnePerFragment: Bool
    private let isRLE: Bool
    private let isJPEGXL: Bool

    init(_ transferSyntax: TransferSyntax?) {
        isRLE = transferSyntax?.uid == "1.2.840.10008.1.2.5"
        // Two bytes are few: they count only where they are to be expected.
        isJPEGXL = transferSyntax?.uid.hasPrefix("1.2.840.10008.1.2.4.11") != false
        let others = ["1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.8.1"]
        isOnePerFragment = isRLE || others.contains(transferSyntax?.uid ?? "")
    }

    /// JPEG and JPEG-LS, JPEG 2000, JPEG XL, and the boxes of JP2 and JXL; RLE by its number of segments.
    func match(_ head: UInt32) -> Bool {
        if isRLE { return head & 0x00FF_FFFF == 0 && (1...15).contains(head >> 24) }
        return head >> 8 == 0xFFD8FF || head == 0xFF4F_FF51 || head == 0x0000_000C || isJPEGXL && head >> 16 == 0xFF0A
    }
}
