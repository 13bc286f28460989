package dev.pollux.rag.knowledge;

import java.io.IOException;
import java.util.Comparator;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The sources of a snapshot with the counts of their documents. */
final class KnownSources {

    private KnownSources() {}

    /** The sources, sorted by name. */
    static List<KnownSource> of(Snapshot snapshot) throws IOException {
        Map<String, IntSummaryStatistics> passages = snapshot.stored().documents().stream()
                .collect(Collectors.groupingBy(
                        KnownDocument::source, Collectors.summarizingInt(KnownDocument::passages)));
        return snapshot.sources().all().stream()
                .sorted(Comparator.comparing(SourceRecord::name))
                .map(source -> known(source, passages.getOrDefault(source.name(), new IntSummaryStatistics())))
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
                source.skipped());
    }
}
