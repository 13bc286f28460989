package dev.pollux.rag.knowledge;

import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.MetadataRule;
import java.io.IOException;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Finds the known source that a given source is identical with. */
final class SourceIdentity {

    /*
     * The first rule that applies identifies the source:
     *   1. It has a given name, and a known source has the same given name.
     *   2. Its path is that of a known source whose name is equal or derived from the path.
     *   3. It was given by a link through which a known source was read, and the link had another target then.
     *   4. Its documents are those of a source whose path no longer exists: it has moved. At least half of the old documents
     *      are present, with the same text, or under the same path with a text that shares half of its words. Empty documents
     *      and licences, which many folders share, are not counted.
     * Otherwise it is new. Documents are stored under the key of their source, so a move changes only the name and path in
     * the source's record.
     *
     * A name derived from a path yields to a given one: names of parent folders are added until it is unique.
     */

    /**
     * The answer.
     *
     * @param source the source to record
     * @param renamed other sources that get a new name because of it
     * @param notices messages about changes of the source; none if it is unchanged or new
     */
    record Found(SourceRecord source, List<SourceRecord> renamed, List<String> notices) {}

    private static final double MOVED = 0.5;

    private final Snapshot snapshot;
    private final DocumentSource source;
    private final Sources sources;

    private SourceIdentity(Snapshot snapshot, DocumentSource source) {
        this.snapshot = snapshot;
        this.source = source;
        this.sources = snapshot.sources();
    }

    static Found of(DocumentSource source, Snapshot snapshot) throws IOException {
        return new SourceIdentity(snapshot, source).found();
    }

    private Found found() throws IOException {
        Optional<SourceRecord> here = byName().or(this::byPath).or(this::byLink);
        Optional<SourceRecord> known = here.isPresent() || source.path().isEmpty() ? here : moved();
        String key = known.map(SourceRecord::key).orElseGet(sources::newKey);
        boolean given = source.isNamed() || known.filter(SourceRecord::named).isPresent();
        String name = source.isNamed()
                ? source.name()
                : known.filter(old -> old.named() || old.path().equals(source.path()))
                        .map(SourceRecord::name)
                        .orElseGet(() -> free(source.name(), source.path(), key));
        SourceRecord now = new SourceRecord(
                key,
                name,
                given,
                source.path(),
                source.link(),
                known.map(SourceRecord::changed).orElse(Instant.EPOCH),
                known.map(SourceRecord::skipped).orElse(SkippedFiles.NONE),
                source.metadataRules().or(() -> known.map(SourceRecord::rules)).orElse(List.of()));
        List<SourceRecord> renamed = sources
                .named(name)
                .filter(other -> !other.key().equals(key))
                .map(other -> other.renamed(free(other.name(), other.path(), other.key(), name)))
                .stream()
                .toList();
        return new Found(now, renamed, known.map(old -> notices(old, now)).orElse(List.of()));
    }

    private Optional<SourceRecord> byName() {
        return source.isNamed() ? sources.named(source.name()).filter(SourceRecord::named) : Optional.empty();
    }

    private Optional<SourceRecord> byPath() {
        return sources.all().stream()
                .filter(known -> !known.path().isEmpty() && known.path().equals(source.path()))
                .filter(known -> !source.isNamed() || !known.named())
                .min(Comparator.comparing(SourceRecord::named).thenComparing(SourceRecord::name));
    }

    private Optional<SourceRecord> byLink() {
        return sources.all().stream()
                .filter(known -> !known.named()
                        && !known.link().isEmpty()
                        && known.link().equals(source.link()))
                .findFirst();
    }

    private Optional<SourceRecord> moved() throws IOException {
        List<SourceRecord> gone = sources.all().stream()
                .filter(known -> !known.path().equals(source.path()) && known.hasLeft())
                .toList();
        if (gone.isEmpty()) {
            return Optional.empty();
        }
        Set<String> old = new HashSet<>();
        for (SourceRecord record : gone) {
            old.addAll(snapshot.values(record.key(), IndexLayout.CONTENT_HASH).keySet());
        }
        Contents now = Contents.of(source, old);
        Optional<SourceRecord> best = Optional.empty();
        double most = 0;
        for (SourceRecord record : gone) {
            double share = share(record, now);
            if (share > most && share >= MOVED) {
                best = Optional.of(record);
                most = share;
            }
        }
        return best;
    }

    /** Fraction of a source's documents that are present, in [0, 1]. */
    private double share(SourceRecord old, Contents now) throws IOException {
        int all = 0;
        int here = 0;
        for (Map.Entry<String, String> document :
                snapshot.values(old.key(), IndexLayout.CONTENT_HASH).entrySet()) {
            String id = document.getKey();
            if (Contents.counts(id, document.getValue())) {
                all++;
                boolean same = now.holds(document.getValue());
                here += same || now.resembles(id, snapshot.stored().text(old.key(), id)) ? 1 : 0;
            }
        }
        return all == 0 ? 0 : (double) here / all;
    }

    private String free(String name, String path, String key, String... taken) {
        Set<String> names = new HashSet<>(List.of(taken));
        sources.all().stream().filter(other -> !other.key().equals(key)).forEach(other -> names.add(other.name()));
        String[] folders = path.split("[/\\\\]+");
        String longer = name;
        for (int i = folders.length - 2; i >= 0 && names.contains(longer); i--) {
            longer = folders[i].isEmpty() ? longer : folders[i].replaceAll("[#\\p{Cc}]", "_") + "/" + longer;
        }
        String free = longer;
        for (int i = 2; names.contains(free); i++) {
            free = longer + " " + i;
        }
        return free;
    }

    private static List<String> notices(SourceRecord old, SourceRecord now) {
        return Stream.of(move(old, now), endedRules(old, now))
                .flatMap(Optional::stream)
                .toList();
    }

    /** A message that names the rules that a source had and another one does not have; absent if there are none. */
    static Optional<String> endedRules(SourceRecord old, SourceRecord now) {
        List<MetadataRule> ended =
                old.rules().stream().filter(rule -> !now.rules().contains(rule)).toList();
        return ended.isEmpty()
                ? Optional.empty()
                : Optional.of("metadata rules of source " + old.name() + " that are no longer in force: "
                        + ended.stream().map(MetadataRule::toString).collect(Collectors.joining(", ")));
    }

    private static Optional<String> move(SourceRecord old, SourceRecord now) {
        if (old.path().equals(now.path()) || old.path().isEmpty() || now.path().isEmpty()) {
            return Optional.empty();
        }
        String name = old.name().equals(now.name()) ? "" : now.name() + " ";
        return Optional.of(
                "source " + old.name() + ", read from " + old.path() + " before, is now " + name + "in " + now.path());
    }
}
