extension SRDocument {
    /// The document as a page of HTML in UTF-8: no scripts, nothing that is loaded, everything from the data set
    /// escaped (PS3.18 8.7.2, text/html).
    public func html() -> String { "<!DOCTYPE html>\n" + page(rootAttributes: "lang=\"en\"") }

    /// The same page as a document of XML in UTF-8 (PS3.18 8.7.2, text/xml).
    public func xhtml() -> String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            + page(rootAttributes: "xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\" xml:lang=\"en\"")
    }

    /// The page, well-formed as XML is.
    private func page(rootAttributes: String) -> String {
        var page = """
            <html \(rootAttributes)>
            <head>
            <meta charset="utf-8" />
            <title>\(title.escapedForMarkup)</title>
            <style>
            body { font-family: sans-serif; max-width: 50em; margin: 1em auto; padding: 0 1em; }
            dl { display: grid; grid-template-columns: max-content auto; gap: .2em 1em; }
            dt, .name { font-weight: bold; }
            dd { margin: 0; }
            p { margin: .3em 0; white-space: pre-line; }
            div { margin-left: 1.5em; }
            </style>
            </head>
            <body>
            <header>
            <h1>\(title.escapedForMarkup)</h1>

            """
        if !header.isEmpty {
            page += "<dl>\n"
            for line in header {
                page += "<dt>\(line.label.escapedForMarkup)</dt><dd>\(line.value.escapedForMarkup)</dd>\n"
            }
            page += "</dl>\n"
        }
        page += "</header>\n<main>\n"
        for item in content { Self.write(item, level: 2, into: &page) }
        page += "</main>\n</body>\n</html>\n"
        return page
    }

    private static func write(_ item: ContentItem, level: Int, into page: inout String) {
        let name = item.name?.escapedForMarkup
        guard let text = item.readableValue else {
            let heading = min(level, 6)
            page += "<section>\n"
            if let name { page += "<h\(heading)>\(name)</h\(heading)>\n" }
            for child in item.children { write(child, level: level + 1, into: &page) }
            page += "</section>\n"
            return
        }
        page += "<p>" + (name.map { "<span class=\"name\">\($0):</span> " } ?? "") + text.escapedForMarkup + "</p>\n"
        guard !item.children.isEmpty else { return }
        page += "<div>\n"
        for child in item.children { write(child, level: level + 1, into: &page) }
        page += "</div>\n"
    }
}

extension ContentItem {
    /// The value as one text; `nil` for a container.
    var readableValue: String? {
        switch value {
        case .container: return nil
        case .text(let text): return text
        case .reference(let sopClass, let instance, let frames):
            let list = frames.map(String.init).joined(separator: ", ")
            return "\(sopClass) \(instance)" + (frames.isEmpty ? "" : ", frame\(frames.count > 1 ? "s" : "") \(list)")
        case .item(let place): return "see item \(place.map(String.init).joined(separator: "."))"
        case .other(let kind): return "[\(kind)]"
        }
    }
}
