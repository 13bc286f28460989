package dev.pollux.documents;

import dev.pollux.retrieval.Location;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads EPUB 2 and 3: the chapters in the order of the spine, without navigation documents. <em>Confined to one thread.</em> */
final class EpubReader {

    private static final Map<String, String> PROPERTIES = Map.of(
            "title", "title",
            "creator", "author",
            "language", "language",
            "subject", "subject",
            "date", "date");

    private EpubReader() {}

    /** An entry of the manifest. */
    private record Item(String part, String type, String properties) {}

    static void read(Parts parts, Extracted out) {
        if (parts.has("META-INF/encryption.xml") && parts.has("META-INF/rights.xml")) {
            throw new UnreadableException("is protected against copying");
        }
        String opf = rootFile(parts);
        Map<String, Item> manifest = new HashMap<>();
        List<String> spine = new ArrayList<>();
        try (Xml xml = parts.xml(opf)) {
            while (xml.next()) {
                if (!xml.isStart()) {
                    continue;
                }
                String field = PROPERTIES.get(xml.name());
                if (field != null) {
                    out.field(field, xml.content());
                } else if (xml.name().equals("item")) {
                    String part = Parts.resolve(opf, xml.attribute("href"));
                    manifest.put(
                            xml.attribute("id"),
                            new Item(part, xml.attribute("media-type"), xml.attribute("properties")));
                } else if (xml.name().equals("itemref")) {
                    spine.add(xml.attribute("idref"));
                }
            }
        }
        out.guard().checkPages(spine.size());
        out.text().at(Location.whole());
        int missing = 0;
        for (String id : spine) {
            Item item = manifest.get(id);
            if (item != null && isChapter(item)) {
                if (parts.has(item.part())) {
                    HtmlText.part(HtmlCharset.page(parts.bytes(item.part())), out);
                } else {
                    missing++;
                }
            }
        }
        if (missing > 0) {
            out.notice("lacks " + missing + " of its chapters");
        }
    }

    private static boolean isChapter(Item item) {
        boolean text = item.type().contains("html") || item.type().contains("xml");
        return text && !List.of(item.properties().split("\\s+")).contains("nav");
    }

    private static String rootFile(Parts parts) {
        try (Xml xml = parts.xml("META-INF/container.xml")) {
            while (xml.next()) {
                if (xml.starts("rootfile")) {
                    return Parts.resolve("", xml.attribute("full-path"));
                }
            }
        }
        throw new UnreadableException("is a damaged archive: it names no package document");
    }
}
