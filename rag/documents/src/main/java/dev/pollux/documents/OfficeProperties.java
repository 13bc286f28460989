package dev.pollux.documents;

import java.util.Map;

/** The properties of an Office Open XML file: title, author, dates. */
final class OfficeProperties {

    private static final String PART = "docProps/core.xml";

    private static final Map<String, String> NAMES = Map.of(
            "title", "title",
            "creator", "author",
            "subject", "subject",
            "keywords", "keywords",
            "language", "language",
            "created", "created",
            "modified", "updated");

    private OfficeProperties() {}

    static void read(Parts parts, Extracted out) {
        if (parts.has(PART)) {
            try (Xml xml = parts.xml(PART)) {
                Xml.fields(xml, NAMES, out);
            }
        }
    }

    /** The main part of a file, by the relationships of the package. */
    static String mainPart(Parts parts, String usual) {
        return parts.relations("").values().stream()
                .filter(relation -> relation.type().equals("officeDocument"))
                .map(Parts.Relation::target)
                .filter(parts::has)
                .findFirst()
                .orElse(usual);
    }
}
