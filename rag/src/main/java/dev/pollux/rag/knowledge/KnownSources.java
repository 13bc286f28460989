package dev.pollux.rag.knowledge;

import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Map;

/** The sources of a snapshot with the counts of their documents. */
final class KnownSources {

    private KnownSources() {}

    /** The sources, sorted by name. */
    static List<KnownSource> of(Snapshot snapshot) throws IOException {
        Map<String, IntSummaryStatistics> passages = new HashMap<>(); // by the key of the source
        StoredDocuments stored = snapshot.stored();
        stored.each((doc, count) -> passages.computeIfAbsent(stored.source(doc), key -> new IntSummaryStatistics())
                .accept(Math.toIntExact(count)));
        return snapshot.sources().all().stream()
                .sorted(Comparator.comparing(SourceRecord::name))
                .map(source -> known(source, passages.getOrDefault(source.key(), new IntSummaryStatistics())))
                .toList();
    }

    private static KnownSource known(SourceRecord source, IntSummaryStatistics passages) {
        return new KnownSource(
                source.name(),
                source.path(),
                (int) passages.getCount(),
                (int) passages.getSum(),
                source.changed(),
                source.isMissing(),
                source.skipped(),
                source.rules());
    }
}
