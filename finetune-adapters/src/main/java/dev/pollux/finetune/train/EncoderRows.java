package dev.pollux.finetune.train;

import dev.pollux.MalformedFileException;
import dev.pollux.embedding.TextRole;
import dev.pollux.inference.encoder.EncoderInputs;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Queries with documents as tokens. <em>Immutable.</em> */
final class EncoderRows {

    private final List<Unit> units;
    private final long cut;

    /**
     * A row.
     *
     * @param query the text of the query
     * @param texts for an embedder, the query, its positive and its negatives; for a reranker, the pair
     * @param documents the texts of the documents
     * @param label of a pair
     */
    record Unit(long number, String query, List<EncoderInputs.Row> texts, List<String> documents, double label) {

        long tokens() {
            return texts.stream().mapToLong(text -> text.ids().length).sum();
        }
    }

    private EncoderRows(List<Unit> units) {
        this.units = List.copyOf(units);
        this.cut = units.stream()
                .flatMap(unit -> unit.texts.stream())
                .filter(EncoderInputs.Row::isCut)
                .count();
    }

    /** @throws MalformedFileException if the rows cannot train a model */
    static EncoderRows of(RelevanceDataset dataset, EncoderObjective objective, EncoderInputs inputs) {
        List<Unit> units = new ArrayList<>();
        if (objective.scores()) {
            for (RelevanceDataset.Row row : dataset.pairs()) {
                RelevanceDataset.Labelled document = row.documents().get(0);
                units.add(new Unit(
                        row.number(),
                        row.query(),
                        List.of(inputs.pair(row.query(), document.text())),
                        List.of(document.text()),
                        document.label()));
            }
            return new EncoderRows(units);
        }
        for (RelevanceDataset.Row row : dataset.triples()) {
            List<EncoderInputs.Row> texts = new ArrayList<>();
            texts.add(inputs.text(row.query(), TextRole.QUERY));
            row.documents().forEach(one -> texts.add(inputs.text(one.text(), TextRole.PASSAGE)));
            units.add(new Unit(
                    row.number(),
                    row.query(),
                    texts,
                    row.documents().stream()
                            .map(RelevanceDataset.Labelled::text)
                            .toList(),
                    1));
        }
        if (units.isEmpty()) {
            throw new MalformedFileException(
                    dataset.name()
                            + " has no positive document, from which an embedder learns; give rows with a label of at least 0.5");
        }
        return new EncoderRows(units);
    }

    int size() {
        return units.size();
    }

    /** The number of texts that were cut. */
    long cut() {
        return cut;
    }

    long tokens() {
        return units.stream().mapToLong(Unit::tokens).sum();
    }

    /** The most texts of a row. */
    int texts() {
        return units.stream().mapToInt(unit -> unit.texts.size()).max().orElse(1);
    }

    int longest() {
        return units.stream()
                .flatMap(unit -> unit.texts.stream())
                .mapToInt(text -> text.ids().length)
                .max()
                .orElse(1);
    }

    /** Whether all labels are on one side of ½. */
    boolean isOneSided() {
        return units.stream().map(unit -> unit.label >= 0.5).distinct().count() == 1;
    }

    /** The rows whose positive is also their negative. */
    List<Long> contradictions() {
        Map<String, Set<String>> positives = new HashMap<>();
        Map<String, Set<String>> negatives = new HashMap<>();
        for (Unit unit : units) {
            for (int i = 0; i < unit.documents.size(); i++) {
                boolean positive = i == 0 && unit.label >= 0.5;
                (positive ? positives : negatives)
                        .computeIfAbsent(unit.query, key -> new HashSet<>())
                        .add(unit.documents.get(i));
            }
        }
        return units.stream()
                .filter(unit -> unit.label >= 0.5
                        && negatives.getOrDefault(unit.query, Set.of()).contains(unit.documents.get(0)))
                .map(Unit::number)
                .toList();
    }

    /** The number of pairs of a query and a first document of another set that this one has, too. */
    long shared(EncoderRows other) {
        Set<List<String>> own = new HashSet<>();
        units.forEach(unit -> own.add(List.of(unit.query, unit.documents.get(0))));
        return other.units.stream()
                .filter(unit -> own.contains(List.of(unit.query, unit.documents.get(0))))
                .count();
    }

    List<Unit> batch(RowOrder order, int first, int end) {
        List<Unit> batch = new ArrayList<>();
        for (int place = first; place < end; place++) {
            batch.add(units.get(order.row(place)));
        }
        return batch;
    }
}
