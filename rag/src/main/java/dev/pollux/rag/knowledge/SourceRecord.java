package dev.pollux.rag.knowledge;

import dev.pollux.rag.source.MetadataRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;

/**
 * The index record of a source. <em>Immutable.</em>
 *
 * @param key the key of its documents; independent of name and path
 * @param name name, unique among the sources
 * @param named whether the caller gave the name; false if it derives from the path
 * @param path root path of its documents; empty if unknown
 * @param link the path last given by the caller if it is a link to {@code path}; else empty
 * @param changed time of the last ingest that changed something
 * @param skipped its files that were not read
 * @param rules the metadata rules of its last ingest that gave some; in force until another ingest gives others
 */
record SourceRecord(
        String key,
        String name,
        boolean named,
        String path,
        String link,
        Instant changed,
        SkippedFiles skipped,
        List<MetadataRule> rules) {

    /** Its record in the index. */
    Document fields() {
        Document fields = new Document();
        fields.add(new StringField(IndexLayout.KEY, key, Field.Store.YES));
        fields.add(new StringField(IndexLayout.SOURCES, IndexLayout.SOURCES, Field.Store.NO));
        fields.add(new StoredField(IndexLayout.NAME, name));
        fields.add(new StoredField(IndexLayout.NAMED, named ? 1 : 0));
        fields.add(new StoredField(IndexLayout.PATH, path));
        fields.add(new StoredField(IndexLayout.LINK, link));
        fields.add(new StoredField(IndexLayout.CHANGED, changed.toString()));
        fields.add(new StoredField(IndexLayout.UNREADABLE, skipped.unreadable()));
        fields.add(new StoredField(IndexLayout.OTHER, skipped.other()));
        skipped.kinds().forEach((kind, count) -> {
            fields.add(new StoredField(IndexLayout.SKIPPED_KIND, kind));
            fields.add(new StoredField(IndexLayout.SKIPPED_KIND, String.valueOf(count)));
        });
        for (SkippedFile file : skipped.files()) {
            fields.add(new StoredField(IndexLayout.SKIPPED_FILE, file.file()));
            fields.add(new StoredField(IndexLayout.SKIPPED_FILE, file.reason()));
        }
        for (MetadataRule rule : rules) {
            fields.add(new StoredField(IndexLayout.RULE, rule.pattern()));
            fields.add(new StoredField(IndexLayout.RULE, rule.field()));
            fields.add(new StoredField(IndexLayout.RULE, rule.value()));
        }
        return fields;
    }

    static SourceRecord of(Document fields) {
        Map<String, Integer> kinds = new TreeMap<>();
        String[] counts = fields.getValues(IndexLayout.SKIPPED_KIND);
        for (int i = 0; i < counts.length; i += 2) {
            kinds.put(counts[i], Integer.valueOf(counts[i + 1]));
        }
        List<SkippedFile> files = new ArrayList<>();
        String[] pairs = fields.getValues(IndexLayout.SKIPPED_FILE);
        for (int i = 0; i < pairs.length; i += 2) {
            files.add(new SkippedFile(pairs[i], pairs[i + 1]));
        }
        List<MetadataRule> rules = new ArrayList<>();
        String[] triples = fields.getValues(IndexLayout.RULE);
        for (int i = 0; i < triples.length; i += 3) {
            rules.add(new MetadataRule(triples[i], triples[i + 1], triples[i + 2]));
        }
        return new SourceRecord(
                fields.get(IndexLayout.KEY),
                fields.get(IndexLayout.NAME),
                number(fields, IndexLayout.NAMED) == 1,
                fields.get(IndexLayout.PATH),
                fields.get(IndexLayout.LINK),
                Instant.parse(fields.get(IndexLayout.CHANGED)),
                new SkippedFiles(
                        kinds, number(fields, IndexLayout.UNREADABLE), number(fields, IndexLayout.OTHER), files),
                List.copyOf(rules));
    }

    private static int number(Document fields, String name) {
        return fields.getField(name).numericValue().intValue();
    }

    SourceRecord renamed(String newName) {
        return new SourceRecord(key, newName, named, path, link, changed, skipped, rules);
    }

    SourceRecord changedAt(Instant time) {
        return new SourceRecord(key, name, named, path, link, time, skipped, rules);
    }

    /** Whether it equals another, ignoring the time. */
    boolean agrees(SourceRecord other) {
        return equals(new SourceRecord(
                other.key, other.name, other.named, other.path, other.link, changed, other.skipped, other.rules));
    }

    /** The path of one of its documents. */
    String pathOf(String own, String id) {
        if (!own.isEmpty() || path.isEmpty()) {
            return own.isEmpty() ? id : own;
        }
        return file(path).map(place -> place.resolve(id).toString()).orElse(path + "/" + id);
    }

    /** Whether its path is one of this machine and nothing is there. */
    boolean isMissing() {
        return file(path).filter(Files::notExists).isPresent();
    }

    /** Whether nothing is there, or only a link to another place. */
    boolean hasLeft() {
        Optional<Path> place = file(path);
        try {
            return place.isPresent() && !place.get().toRealPath().equals(place.get());
        } catch (IOException e) {
            return isMissing();
        }
    }

    /** The path as one of this machine, where it is one. */
    static Optional<Path> file(String path) {
        try {
            return path.isEmpty()
                    ? Optional.empty()
                    : Optional.of(Path.of(path)).filter(Path::isAbsolute);
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }
}
