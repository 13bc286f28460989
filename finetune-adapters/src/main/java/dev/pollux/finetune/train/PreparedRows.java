package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import dev.pollux.finetune.train.RowTokenizer.Tokens;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The rows of a data set as tokens, and their order. <em>Immutable.</em> */
final class PreparedRows {

    private final Objective objective;
    private final List<Unit> units;
    private final long left;
    private final long cut;

    /**
     * What is processed as one: sequences that share a row, or the two of a pair.
     *
     * @param sequences of a pair, chosen and rejected
     * @param prompt of an unpaired row, the number of tokens of the prompt
     * @param row the number of the row; 0 for several
     * @param margin of a pair
     * @param asked a prompt without a completion
     */
    private record Unit(
            List<Sequence> sequences,
            int prompt,
            boolean desirable,
            double margin,
            long row,
            Optional<RolloutSampler.Asked> asked) {

        Unit(List<Sequence> sequences, int prompt, TrainingRow row) {
            this(sequences, prompt, row.desirable().orElse(true), row.margin(), row.number(), Optional.empty());
        }

        /** Several sequences in one row. */
        static Unit packed(List<Sequence> sequences) {
            return new Unit(sequences, 0, true, 0, 0, Optional.empty());
        }

        static Unit of(TrainingRow row, int[] ids) {
            Sequence sequence = new Sequence(ids, new boolean[ids.length]);
            return new Unit(
                    List.of(sequence),
                    ids.length,
                    true,
                    0,
                    row.number(),
                    Optional.of(RolloutSampler.Asked.of(row, ids)));
        }

        int length() {
            return sequences.stream().mapToInt(one -> one.ids().length).sum();
        }
    }

    private PreparedRows(Objective objective, List<Unit> units, long left, long cut) {
        this.objective = objective;
        this.units = List.copyOf(units);
        this.left = left;
        this.cut = cut;
    }

    /**
     * Turns rows into tokens.
     *
     * @throws dev.pollux.MalformedFileException if a row does not fit the objective or has no token to train
     */
    static PreparedRows of(Dataset dataset, Objective objective, RowTokenizer tokenizer, TrainingOptions options) {
        Packing packing = objective.rows() == Objective.Rows.SEQUENCES ? options.packing() : Packing.NONE;
        List<Unit> units = new ArrayList<>();
        boolean answered = objective instanceof GrpoObjective rated && rated.needsAnswers();
        long left = 0;
        long cut = 0;
        for (TrainingRow row : dataset.rows()) {
            if (objective.rows() == Objective.Rows.PROMPTS) {
                units.add(Unit.of(row, tokenizer.prompt(row, answered)));
                continue;
            }
            List<Tokens> tokens = switch (objective.rows()) {
                case SEQUENCES -> List.of(tokenizer.supervised(row, options.trainedTokens()));
                case PAIRS -> objective.scoresTexts() ? tokenizer.scored(row) : tokenizer.pair(row);
                case UNPAIRED -> List.of(tokenizer.unpaired(row));
                case PROMPTS -> List.of();
            };
            List<Sequence> sequences = new ArrayList<>();
            for (Tokens one : tokens) {
                cut += !packing.splits() && one.ids().length > options.maxLength() ? 1 : 0;
                Optional<Sequence> fitted = tokenizer.fitted(row, one, packing.splits());
                fitted.ifPresent(sequences::add);
            }
            if (sequences.size() == tokens.size()) {
                units.add(new Unit(sequences, tokens.get(0).prompt(), row));
            } else {
                left++;
            }
        }
        if (packing == Packing.NONE) {
            return new PreparedRows(objective, units, left, cut);
        }
        List<Sequence> all = units.stream().map(unit -> unit.sequences().get(0)).toList();
        List<Unit> packed = Packer.pack(all, options.maxLength(), packing).stream()
                .filter(row -> row.stream().anyMatch(one -> one.targets() > 0))
                .map(Unit::packed)
                .toList();
        return new PreparedRows(objective, packed, left, cut);
    }

    /** The number of rows, or of packed rows. */
    int size() {
        return units.size();
    }

    /** Rows that were left out, since no trained token was left after they were cut. */
    long left() {
        return left;
    }

    /** Sequences that were cut. */
    long cut() {
        return cut;
    }

    long tokens() {
        return units.stream().mapToLong(Unit::length).sum();
    }

    long targets() {
        return units.stream()
                .flatMap(unit -> unit.sequences().stream())
                .mapToLong(Sequence::targets)
                .sum();
    }

    int longest() {
        return units.stream()
                .flatMap(unit -> unit.sequences().stream())
                .mapToInt(one -> one.ids().length)
                .max()
                .orElse(2);
    }

    /** The numbers of rows whose chosen and rejected sequence are the same. */
    List<Long> equalPairs() {
        return units.stream()
                .filter(unit -> objective.rows() == Objective.Rows.PAIRS
                        && Arrays.equals(
                                unit.sequences().get(0).ids(),
                                unit.sequences().get(1).ids()))
                .map(Unit::row)
                .toList();
    }

    /** Whether one of these tokens is trained in any row. */
    boolean trains(Set<Integer> tokens) {
        for (Unit unit : units) {
            for (Sequence one : unit.sequences()) {
                for (int i = 1; i < one.ids().length; i++) {
                    if (one.isTarget()[i] && tokens.contains(one.ids()[i])) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /** The number of sequences of another set that this one has, too. */
    long shared(PreparedRows other) {
        Set<IntBuffer> own = sequences();
        return other.units.stream()
                .flatMap(unit -> unit.sequences().stream())
                .filter(one -> own.contains(IntBuffer.wrap(one.ids())))
                .count();
    }

    /** The number of rows of another set whose prompt this one has, too, with another completion. */
    long sharedPrompts(PreparedRows other) {
        Set<IntBuffer> own =
                units.stream().flatMap(unit -> prompt(unit).stream()).collect(Collectors.toSet());
        Set<IntBuffer> whole = sequences();
        return other.units.stream()
                .filter(unit -> prompt(unit).filter(own::contains).isPresent())
                .filter(unit -> unit.sequences().stream().noneMatch(one -> whole.contains(IntBuffer.wrap(one.ids()))))
                .count();
    }

    private Set<IntBuffer> sequences() {
        return units.stream()
                .flatMap(unit -> unit.sequences().stream())
                .map(one -> IntBuffer.wrap(one.ids()))
                .collect(Collectors.toSet());
    }

    /** The rows with the prompt that most rows have; empty if there are no prompts. */
    List<Long> samePrompt() {
        Map<IntBuffer, List<Long>> rows = new HashMap<>();
        units.forEach(unit -> prompt(unit)
                .ifPresent(prompt ->
                        rows.computeIfAbsent(prompt, key -> new ArrayList<>()).add(unit.row())));
        return rows.values().stream().max(Comparator.comparingInt(List::size)).orElse(List.of());
    }

    /** The tokens before the first trained one; empty if all are trained, but the one that begins a text. */
    private static Optional<IntBuffer> prompt(Unit unit) {
        Sequence one = unit.sequences().get(0);
        int length = 0;
        while (length < one.ids().length && !one.isTarget()[length]) {
            length++;
        }
        return length > 1 ? Optional.of(IntBuffer.wrap(one.ids(), 0, length).slice()) : Optional.empty();
    }

    /** Rows from {@code first} to {@code end} of an order, as one micro-batch. */
    MicroBatch batch(int[] order, int first, int end) {
        List<Sequence> sequences = new ArrayList<>();
        List<Sequence> rejected = new ArrayList<>();
        List<Sequence> mismatched = new ArrayList<>();
        boolean[] desirable = new boolean[objective.rows() == Objective.Rows.UNPAIRED ? end - first : 0];
        double[] margins = new double[end - first];
        for (int i = first; i < end; i++) {
            Unit unit = units.get(order[i]);
            margins[i - first] = unit.margin();
            if (objective.rows() == Objective.Rows.PAIRS) {
                sequences.add(unit.sequences().get(0));
                rejected.add(unit.sequences().get(1));
            } else {
                sequences.addAll(unit.sequences());
            }
            if (objective.rows() == Objective.Rows.UNPAIRED) {
                desirable[i - first] = unit.desirable();
                Unit before = units.get(order[i == first ? end - 1 : i - 1]);
                mismatched.add(mismatched(unit, before));
            }
        }
        sequences.addAll(rejected);
        return new MicroBatch(
                sequences, desirable, objective.needsMismatched() ? mismatched : List.of(), new double[0], margins);
    }

    /** The prompts from {@code first} to {@code end} of an order. */
    List<RolloutSampler.Asked> prompts(int[] order, int first, int end) {
        List<RolloutSampler.Asked> prompts = new ArrayList<>();
        for (int i = first; i < end; i++) {
            units.get(order[i]).asked().ifPresent(prompts::add);
        }
        return prompts;
    }

    /** The prompt of one row with the completion of another. */
    private static Sequence mismatched(Unit prompt, Unit completion) {
        Sequence one = prompt.sequences().get(0);
        Sequence other = completion.sequences().get(0);
        int kept = Math.min(prompt.prompt(), one.ids().length);
        int from = Math.min(completion.prompt(), other.ids().length);
        int[] ids = new int[kept + other.ids().length - from];
        boolean[] trained = new boolean[ids.length];
        System.arraycopy(one.ids(), 0, ids, 0, kept);
        System.arraycopy(other.ids(), from, ids, kept, other.ids().length - from);
        System.arraycopy(other.isTarget(), from, trained, kept, other.ids().length - from);
        return new Sequence(ids, trained);
    }
}
