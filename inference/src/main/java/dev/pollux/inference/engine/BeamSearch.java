package dev.pollux.inference.engine;

import dev.pollux.inference.sampling.Sampler;
import dev.pollux.internal.Interrupts;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** A search for the most probable texts after one prompt. <em>Not thread-safe: one thread at a time.</em> */
final class BeamSearch implements AutoCloseable {

    /*
     * Beam search as in transformers' generate. In each step the logits of every open beam become log-probabilities (a softmax in
     * double precision), the rules of the options change them without another normalisation, and the beam's sum is added. The best
     * (1 + number of end tokens) · beams of all continuations, at least 2 · beams, are the candidates, best first:
     *  - the best ones that do not end are the next open beams;
     *  - those among the first `beams` candidates that end, by an end token or the maximum number of tokens, compete with the
     *    texts that have ended before, by sum / length^penalty; the best `beams` are kept.
     * The search ends when all candidates end, when early stopping is wanted and enough texts have ended, or when the best open beam,
     * divided by its present length^penalty, is not better than the worst of enough texts that have ended.
     *
     * Each open beam has a sequence. Of the beams that continue the same one, the first takes its sequence; the others copy its
     * rows (DecoderSequence.follow), so a prompt is computed once.
     */

    private record Beam(int[] tokens, double sum, DecoderSequence sequence, float[] logits) {}

    private record Candidate(int parent, int token, double sum, boolean ends) {}

    private record Ended(int[] tokens, double score) {}

    private final DecoderModel model;
    private final BeamOptions search;
    private final GenerationLoop.Request request;
    private final Sampler.Vocabulary vocabulary;
    private final List<DecoderSequence> idle = new ArrayList<>();
    private final List<DecoderSequence> all = new ArrayList<>();
    private List<Beam> open = new ArrayList<>();
    private List<Ended> ended = new ArrayList<>();

    BeamSearch(DecoderModel model, BeamOptions search, GenerationLoop.Request request, Sampler.Vocabulary vocabulary) {
        this.model = model;
        this.search = search;
        this.request = request;
        this.vocabulary = vocabulary;
    }

    /** The token ids and scores of the best texts, best first. */
    List<Hypothesis> run() {
        int most = Math.min(request.options().maxTokens(), request.contextLength() - request.prompt().length);
        DecoderSequence first = model.acquire(request.prompt(), model.scope());
        all.add(first);
        first.pair(true);
        FloatBuffer logits =
                first.append(Arrays.copyOfRange(request.prompt(), first.length(), request.prompt().length));
        open.add(new Beam(new int[0], 0, first, copy(logits)));
        boolean goesOn = true;
        for (int length = 1; goesOn; length++) {
            Interrupts.check();
            goesOn = step(length, most);
        }
        return ended.stream()
                .limit(search.results())
                .map(one ->
                        new Hypothesis("", Arrays.stream(one.tokens()).boxed().toList(), one.score()))
                .toList();
    }

    /** Appends the {@code length}-th token to the beams. False if the search has ended. */
    private boolean step(int length, int most) {
        List<Candidate> candidates = candidates(length == most);
        close(candidates, Math.pow(length, search.lengthPenalty()));
        boolean full = ended.size() == search.beams();
        List<Candidate> next = candidates.stream()
                .filter(one -> !one.ends())
                .limit(search.beams())
                .toList();
        if (next.isEmpty() || full && search.earlyStopping()) {
            return false;
        }
        double best = next.get(0).sum() / Math.pow(length, search.lengthPenalty());
        if (full && best <= ended.get(ended.size() - 1).score()) {
            return false;
        }
        advance(next);
        return true;
    }

    private List<Candidate> candidates(boolean last) {
        int count = Math.max(2, 1 + request.endTokens().size()) * search.beams();
        PriorityQueue<Candidate> best = new PriorityQueue<>(Comparator.comparingDouble(Candidate::sum));
        for (int parent = 0; parent < open.size(); parent++) {
            Beam beam = open.get(parent);
            float[] values = logProbabilities(beam);
            for (int token = 0; token < values.length; token++) {
                double sum = beam.sum() + values[token];
                if (best.size() < count || sum > best.element().sum()) {
                    best.add(new Candidate(
                            parent, token, sum, last || request.endTokens().contains(token)));
                    if (best.size() > count) {
                        best.remove();
                    }
                }
            }
        }
        List<Candidate> sorted = new ArrayList<>(best);
        sorted.removeIf(one -> one.sum() == Double.NEGATIVE_INFINITY);
        sorted.sort(Comparator.comparingDouble(Candidate::sum)
                .reversed()
                .thenComparingInt(Candidate::parent)
                .thenComparingInt(Candidate::token));
        return sorted;
    }

    private float[] logProbabilities(Beam beam) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float logit : beam.logits()) {
            largest = Math.max(largest, logit);
        }
        double mass = 0;
        for (float logit : beam.logits()) {
            mass += Math.exp(logit - largest);
        }
        double norm = largest + Math.log(mass);
        float[] values = new float[beam.logits().length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (beam.logits()[i] - norm);
        }
        Sampler rules = Sampler.of(request.options(), vocabulary);
        rules.observePrompt(request.prompt());
        Arrays.stream(beam.tokens()).forEach(rules::accept);
        rules.applyRules(values);
        return values;
    }

    /** Adds the best candidates that end to the texts that have ended. */
    private void close(List<Candidate> candidates, double divisor) {
        for (Candidate one : candidates.subList(0, Math.min(search.beams(), candidates.size()))) {
            if (one.ends()) {
                ended.add(new Ended(tokens(one), one.sum() / divisor));
            }
        }
        ended.sort(Comparator.comparingDouble(Ended::score).reversed()); // stable: of equal ones, the earlier is kept
        ended = new ArrayList<>(ended.subList(0, Math.min(search.beams(), ended.size())));
    }

    private int[] tokens(Candidate one) {
        int[] before = open.get(one.parent()).tokens();
        int[] tokens = Arrays.copyOf(before, before.length + 1);
        tokens[before.length] = one.token();
        return tokens;
    }

    /** Reads the tokens of the next beams. */
    private void advance(List<Candidate> next) {
        boolean[] taken = new boolean[open.size()];
        for (Candidate one : next) {
            taken[one.parent()] = true;
        }
        for (int i = 0; i < taken.length; i++) {
            if (!taken[i]) {
                idle.add(open.get(i).sequence());
            }
        }
        DecoderSequence[] sequences = new DecoderSequence[next.size()];
        for (int i = 0;
                i < sequences.length;
                i++) { // copies first: a sequence that is read on is no longer the parent's
            Beam parent = open.get(next.get(i).parent());
            sequences[i] = taken[next.get(i).parent()] ? parent.sequence() : other(parent.sequence());
            taken[next.get(i).parent()] = false;
        }
        List<Beam> beams = new ArrayList<>();
        for (int i = 0; i < sequences.length; i++) {
            Candidate one = next.get(i);
            FloatBuffer logits = sequences[i].append(one.token());
            beams.add(new Beam(tokens(one), one.sum(), sequences[i], copy(logits)));
        }
        open = beams;
    }

    private DecoderSequence other(DecoderSequence parent) {
        DecoderSequence sequence;
        if (idle.isEmpty()) {
            sequence = model.sequence();
            all.add(sequence);
        } else {
            sequence = idle.remove(idle.size() - 1);
        }
        sequence.follow(parent);
        return sequence;
    }

    private static float[] copy(FloatBuffer logits) {
        float[] values = new float[logits.remaining()];
        logits.get(logits.position(), values);
        return values;
    }

    @Override
    public void close() {
        all.forEach(DecoderSequence::close);
    }
}
