package dev.pollux.finetune.merge;

import dev.pollux.tensor.DType;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.StoredTensor;
import dev.pollux.tensor.TensorSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The source tensors of one tensor of the result, converted to one shape. */
record SourceSet(
        String output,
        List<Entry> entries,
        MethodKind kind,
        Optional<Stack.Part> base,
        Optional<TokenizerJoin> join,
        Problems problems) {

    /** One model's tensor. */
    record Entry(Stack.Part part, String name, TensorSource source, DType stored) {
        Entry with(TensorSource other) {
            return new Entry(part, name, other, stored);
        }

        String model() {
            return part.model().label();
        }
    }

    private SourceSet with(List<Entry> others) {
        return new SourceSet(output, others, kind, base, join, problems);
    }

    /** Returns this set; if a tensor cannot be read, returns empty and reports a problem. */
    Optional<SourceSet> readable() {
        for (Entry entry : entries) {
            if (!StoredTensor.READABLE.contains(entry.stored())) {
                problems.fatal(
                        "Cannot merge ",
                        output,
                        ": " + entry.model() + " stores it as " + entry.stored()
                                + ", only F32, F16, BF16 and F64 can be merged");
                return Optional.empty();
            }
        }
        return Optional.of(this);
    }

    /** Returns the set with embedding rows in the order of the joined tokenizer. */
    Optional<SourceSet> joined() {
        if (join.isEmpty() || !isVocabulary()) {
            return Optional.of(this);
        }
        List<Entry> joined = new ArrayList<>();
        for (Entry entry : entries) {
            joined.add(entry.with(join.get().rows(entry.part().model(), entry.source(), output)));
        }
        return Optional.of(with(joined));
    }

    private boolean isVocabulary() {
        return (LayerName.isEmbedding(output) || LayerName.isHead(output))
                && entries.stream().allMatch(entry -> entry.source().shape().size() == 2);
    }

    /** Returns the set with tensors of one shape; if that is impossible, returns empty and reports a problem. */
    Optional<SourceSet> shaped() {
        if (entries.stream().map(entry -> entry.source().shape()).distinct().count() == 1) {
            return Optional.of(this);
        }
        boolean rowsOnly = isVocabulary()
                && entries.stream()
                                .map(entry -> entry.source().shape().get(1))
                                .distinct()
                                .count()
                        == 1;
        if (rowsOnly) {
            return switch (kind.heights()) {
                case COMMON ->
                    Optional.of(cut(
                            entries.stream().mapToLong(SourceSet::rows).min().orElseThrow()));
                case BASE -> cutToBase();
                case EQUAL -> differentVocabularies();
            };
        }
        return kind.skipsOtherShapes() ? withoutOtherShapes() : differentShapes();
    }

    private static long rows(Entry entry) {
        return entry.source().shape().get(0);
    }

    private SourceSet cut(long rows) {
        problems.notice(
                "of ",
                output,
                " only the first " + rows + " rows are merged, which all models have; a tokenizer"
                        + " section would merge by token");
        return with(entries.stream()
                .map(entry -> rows(entry) == rows ? entry : entry.with(new CutTensor(entry.source(), rows)))
                .toList());
    }

    private Optional<SourceSet> cutToBase() {
        long rows = rows(baseFirst().get(0));
        if (entries.stream().anyMatch(entry -> rows(entry) < rows)) {
            return differentVocabularies();
        }
        return Optional.of(cut(rows));
    }

    private Optional<SourceSet> differentVocabularies() {
        problems.fatal("vocabulary sizes differ at ", output, ": " + shapes() + "; give a tokenizer section");
        return Optional.empty();
    }

    private Optional<SourceSet> differentShapes() {
        problems.fatal("Cannot merge ", output, ": " + shapes() + "; merge models of one architecture");
        return Optional.empty();
    }

    private String shapes() {
        return entries.stream()
                .map(entry -> entry.model() + " is " + entry.source().shape())
                .collect(Collectors.joining(", "));
    }

    private Optional<SourceSet> withoutOtherShapes() {
        List<Long> shape = baseFirst().get(0).source().shape();
        List<Entry> kept = new ArrayList<>();
        for (Entry entry : entries) {
            if (entry.source().shape().equals(shape)) {
                kept.add(entry);
            } else {
                problems.notice(
                        "model " + entry.model() + " is left out of ",
                        output,
                        ", where it is " + entry.source().shape() + " and the base " + shape);
            }
        }
        return Optional.of(with(kept));
    }

    /** The entries, the base first if there is one. */
    List<Entry> baseFirst() {
        if (base.isEmpty() || kind.base() == MethodKind.Base.INPUT) {
            return entries;
        }
        List<Entry> ordered = new ArrayList<>(entries);
        Optional<Entry> first = entries.stream()
                .filter(entry -> entry.model().equals(base.get().model().label()))
                .findFirst();
        first.ifPresent(entry -> {
            ordered.remove(entry);
            ordered.add(0, entry);
        });
        return ordered;
    }

    /**
     * The default type to write: the base's if {@code ofBase}, otherwise the common type, or float32 if the types differ.
     * Float64 becomes float32.
     */
    DType type(boolean ofBase) {
        List<DType> types = entries.stream().map(Entry::stored).distinct().toList();
        DType type = ofBase ? baseFirst().get(0).stored() : types.size() == 1 ? types.get(0) : DType.F32;
        return type == DType.F64 ? DType.F32 : type;
    }
}
