import DICOMPixels
import Testing

@Suite struct KindIconTests {
    @Test(arguments: [-5, 0, 16, 37, 64, 256, 10_000])
    func `has letters on a tile with round corners`(side: Int) {
        let icon = KindIcon.image("SR", side: side)
        #expect(icon.width == icon.height && KindIcon.sides.contains(icon.width) && icon.colorSpace == .gray)
        #expect(icon.samples[0] == 0xFF && icon.samples[icon.samples.count / 2 + 1] != 0xFF)
        let grays = Dictionary(grouping: icon.samples) { $0 }.mapValues(\.count)
        #expect(grays.count == 3)
        #expect(icon.samples != KindIcon.image("PR", side: side).samples)
    }

    @Test func `takes any text`() {
        for text in ["", "a long text", "é∑", "\u{0}"] { #expect(KindIcon.image(text, side: 32).width == 32) }
    }
}
