package dev.pollux.inference.engine;

import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.graph.StateTensor;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * The time of steps, relative to that of one token in a step, and the size of a draft that pays most. <em>Immutable.</em>
 *
 * @param rows (sizes), the cost of a step of 1, 2, … tokens; the first is 1
 * @param token the cost of a drafted token
 * @param reading the cost of a token that is read in order to draft
 */
record DraftCosts(double[] rows, double token, double reading) {

    /*
     * If each drafted token is right with chance p, a draft of k tokens gives 1 + p + … + p^k tokens on average (arXiv:2211.17192,
     * equation 1), in a step that costs rows[k] + k · token. The k with the largest ratio is chosen.
     *
     * Models with recurrent states go back to the states before a refused draft, and read its right tokens again with the next step. Their
     * further rows count twice, which is the most that they can cost.
     *
     * Where the rule of even rows holds (EvenRows), a step reads an even number of tokens: drafts have odd sizes.
     */

    /**
     * Costs of look-up drafts: those of models of 135 million and 1 billion weights in 4 and 8 bits, with two threads; they differ by a
     * fifth from each other.
     */
    static final DraftCosts LOOKUP = new DraftCosts(new double[] {1, 1.13, 1.32, 1.45, 1.65, 1.83, 2.06, 2.25}, 0, 0);

    private static final int SIZES = 8;
    private static final int BEFORE = 128;
    private static final int CHUNK = 64;
    private static final int ROUNDS = 4;

    /**
     * A draft.
     *
     * @param size tokens, 0 for a step without a draft
     * @param rate the tokens expected for the time of a step of one token
     */
    record Plan(int size, double rate) {}

    /**
     * The draft that pays most.
     *
     * @param p the chance that a drafted token is right, in [0, 1]
     * @param most the largest size
     * @param even whether steps of several tokens read an even number
     * @param undrafted the cost of a step without a draft
     */
    Plan plan(double p, int most, boolean even, double undrafted) {
        Plan best = new Plan(0, 1 / undrafted);
        double expected = 1;
        double power = 1;
        for (int k = 1; k <= Math.min(most, rows.length - 1); k++) {
            power *= p;
            expected += power;
            double rate = expected / (rows[k] + k * token);
            if (rate > best.rate() && !(even && k % 2 == 0)) {
                best = new Plan(k, rate);
            }
        }
        return best;
    }

    /** The cost of a step of {@code count} tokens, filled up if it is {@code even}. */
    double step(int count, boolean even) {
        return rows[even && count % 2 == 1 ? Math.min(count, rows.length - 1) : count - 1];
    }

    /** Measures the costs of drafts by a model; the times of each model are kept in the cache folder. */
    static DraftCosts of(DecoderModel target, DecoderModel draft) {
        double one = seconds(target)[0];
        double[] drafts = seconds(draft);
        return new DraftCosts(of(target).rows(), drafts[0] / one, drafts[drafts.length - 1] / one);
    }

    /** Measures the costs of look-up drafts; the times are kept in the cache folder. */
    static DraftCosts of(DecoderModel target) {
        double[] steps = seconds(target);
        double one = steps[0];
        double[] rows = new double[steps.length - 1];
        boolean again = !target.manifest().states(StateTensor.Kind.RECURRENT).isEmpty();
        for (int i = 0; i < rows.length; i++) {
            double cost = steps[i] / one;
            double refused =
                    again ? 2 * cost - 1 : cost; // tokens before a refused one are read again with the next step
            rows[i] = i == 0 ? 1 : Math.max(refused, rows[i - 1]); // more tokens never take less time
        }
        return new DraftCosts(rows, 0, 0);
    }

    /** (sizes + 1), the seconds of steps of 1, 2, … tokens, and of a token of a prompt. */
    private static double[] seconds(DecoderModel model) {
        MachineMemo memo = model.memo("steps");
        Optional<double[]> known = memo.read().flatMap(DraftCosts::parse);
        if (known.isPresent()) {
            return known.get();
        }
        double[] seconds = measured(model);
        memo.write(Arrays.stream(seconds)
                .mapToObj(one -> String.format(Locale.ROOT, "%.9f", one))
                .collect(Collectors.joining(" ")));
        return seconds;
    }

    private static Optional<double[]> parse(String text) {
        try {
            double[] seconds = Arrays.stream(text.split(" "))
                    .mapToDouble(Double::parseDouble)
                    .toArray();
            boolean good = seconds.length >= 2 && Arrays.stream(seconds).allMatch(one -> one > 0 && one < 1e6);
            return good ? Optional.of(seconds) : Optional.empty();
        } catch (NumberFormatException damaged) {
            return Optional.empty();
        }
    }

    private static double[] measured(DecoderModel model) {
        DecoderManifest manifest = model.manifest();
        int sizes = Math.min(SIZES, Math.max(1, manifest.contextLength() / 2));
        int before = Math.min(BEFORE, manifest.contextLength() - sizes);
        int[] tokens = new Random(13)
                .ints(before + sizes, 0, manifest.vocabularySize())
                .toArray();
        double[] seconds = new double[sizes + 1];
        Arrays.fill(seconds, Double.MAX_VALUE);
        try (DecoderSequence sequence = model.sequence()) {
            sequence.reserve(before + sizes + 1);
            int chunk = Math.min(CHUNK, before);
            for (int round = 0; round < ROUNDS; round++) {
                sequence.truncate(0);
                long begin = System.nanoTime();
                sequence.append(Arrays.copyOf(tokens, chunk));
                seconds[sizes] = Math.min(seconds[sizes], since(begin) / chunk);
                if (before > chunk) {
                    sequence.append(Arrays.copyOfRange(tokens, chunk, before));
                }
                for (int size = 1; size <= sizes; size++) {
                    int[] step = Arrays.copyOfRange(tokens, before, before + size);
                    sequence.append(step, (position, row) -> {}); // memory of the size is allocated
                    sequence.truncate(before);
                    begin = System.nanoTime();
                    sequence.append(step, (position, row) -> {});
                    seconds[size - 1] = Math.min(seconds[size - 1], since(begin));
                    sequence.truncate(before);
                }
            }
        }
        return seconds;
    }

    private static double since(long begin) {
        return Math.max(1, System.nanoTime() - begin) / 1e9;
    }

    @Override
    public boolean equals(@org.jspecify.annotations.Nullable Object other) {
        return other instanceof DraftCosts that
                && Arrays.equals(rows, that.rows)
                && token == that.token
                && reading == that.reading;
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(rows);
    }

    @Override
    public String toString() {
        return "DraftCosts[" + Arrays.toString(rows) + ", " + token + ", " + reading + "]";
    }
}
