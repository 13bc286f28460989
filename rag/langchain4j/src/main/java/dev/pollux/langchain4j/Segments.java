package dev.pollux.langchain4j;

import dev.langchain4j.data.segment.TextSegment;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Origin;
import dev.pollux.retrieval.Passage;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Segments as passages. <em>Stateless, thread-safe.</em> */
final class Segments {

    private Segments() {}

    /** A segment as a passage that is all that is known of its document. */
    static Passage passage(String id, TextSegment segment, String source) {
        Map<String, String> metadata = new TreeMap<>();
        segment.metadata().toMap().forEach((name, value) -> metadata.put(name, value.toString()));
        String document = Stream.of("file_name", "document", "url")
                .map(metadata::get)
                .filter(name -> name != null && !name.isBlank())
                .findFirst()
                .orElse(id);
        return new Passage(
                id,
                new Origin(source, document, path(metadata, document), List.of()),
                List.of(),
                segment.text(),
                0,
                segment.text().length(),
                Location.whole(),
                "",
                "text/plain",
                metadata);
    }

    private static String path(Map<String, String> metadata, String document) {
        String folder = metadata.getOrDefault("absolute_directory_path", "");
        String path = metadata.getOrDefault("url", metadata.getOrDefault("path", document));
        return folder.isEmpty() ? path : folder + "/" + document;
    }
}
