package dev.pollux.inference.engine;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.sampling.Sampler;
import dev.pollux.inference.sampling.TokenDistribution;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Drafts the next tokens of a text with a smaller model, or by look-up where that promises more (Leviathan et al.,
 * arXiv:2211.17192; Chen et al., arXiv:2302.01318). <em>Confined to one thread except {@link #interrupt()}.</em>
 */
final class ModelDrafter implements Drafter {

    /*
     * How many tokens are drafted depends on the chance that a drafted token is right, estimated from the drafts before, and on
     * measured costs (DraftCosts). Outcomes fade with every step, so that a text that did not pay is tried again after a while; the
     * balance of the steps that drafts have saved and taken limits what these trials cost. The model reads the prompt when the answer is
     * as long as the reading takes: a short answer is not delayed.
     *
     * Tokens are drafted in one of three ways:
     *  greedy    the best one, if the request is greedy
     *  coupled   drawn with the random number with which the sampler will draw the token of this place, if the request has a seed: the
     *            output is that without drafts, whatever is drafted and whatever the costs are
     *  free      drawn with a random number of its own; the sampler applies the rule of acceptance, which accepts more
     * The draft's distribution has the request's temperature and cuts, but not its penalties, because they would have to forget
     * refused tokens.
     *
     * The sequence of the draft model contains a prefix of the text, after which tokens of the last draft may follow.
     */

    private static final double PRIOR = .6;
    private static final double PRIOR_WEIGHT = 3;
    private static final double FADING = .95;
    private static final double FADING_UNDRAFTED = .98;

    /** Steps that a text may lose by drafts that are refused. */
    private static final double MOST_LOST = 2;

    /** Share of its steps that a text may lose in addition. */
    private static final double SHARE_LOST = .02;

    private final DraftModel model;
    private final DraftModel.Request request;
    private final DraftCosts costs;
    private final LookupDrafter lookup;
    private final Sampler drafts;
    private final SplittableRandom random = new SplittableRandom();
    private final ReentrantLock releasing = new ReentrantLock();
    private @Nullable DecoderSequence sequence; // written under the lock; none before the first draft
    private boolean interrupted;
    private boolean closed;
    private int[] tokens = new int[256]; // (count and more)
    private int count;
    private int written; // tokens after the prompt
    private int[] draft = {}; // the last one of the model
    private int draftedAt; // the number of tokens before the last draft
    private final List<TokenDistribution> distributions = new ArrayList<>();
    private boolean byModel;
    private double right;
    private double tested;
    private double balance; // steps saved

    ModelDrafter(DraftModel model, DraftModel.Request request) {
        this.model = model;
        this.request = request;
        this.costs = model.costs();
        this.lookup = new LookupDrafter(request.even(), costs);
        this.drafts = Sampler.of(cuts(request.options()), request.vocabulary());
    }

    /** The options that decide between tokens by their logits alone. */
    private static GenerationOptions cuts(GenerationOptions options) {
        return GenerationOptions.builder()
                .temperature(options.temperature())
                .topH(options.topH())
                .topK(options.topK())
                .topP(options.topP())
                .minP(options.minP())
                .typicalP(options.typicalP())
                .epsilonCutoff(options.epsilonCutoff())
                .etaCutoff(options.etaCutoff())
                .build();
    }

    @Override
    public void add(int token) {
        if (count == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * count);
        }
        tokens[count++] = token;
        lookup.add(token);
    }

    @Override
    public int[] draft(int most) {
        DraftCosts.Plan found = lookup.plan(most);
        DraftCosts.Plan own = plan(most);
        byModel = own.size() > 0 && own.rate() > found.rate();
        distributions.clear();
        return byModel ? read(own.size()) : lookup.draft(most);
    }

    private DraftCosts.Plan plan(int most) {
        double p = (right + PRIOR_WEIGHT * PRIOR) / (tested + PRIOR_WEIGHT);
        int room = Math.min(Math.min(most, LookupDrafter.LONGEST), model.contextLength() - count - 1);
        DraftCosts.Plan none = new DraftCosts.Plan(0, 0);
        if (room <= 0 || balance < -MOST_LOST - SHARE_LOST * written) {
            return none;
        }
        if (written < request.prompt().length * costs.reading() && !isReadingShort()) {
            return none;
        }
        return costs.plan(p, room, request.even(), costs.step(1, request.even() && pairs()));
    }

    /** Whether the text is longer than reading the rest of it takes. */
    private boolean isReadingShort() {
        return written >= (count - sequence().length()) * costs.reading();
    }

    private int[] read(int size) {
        DecoderSequence reader = sequence();
        int same = 0;
        while (same < draft.length && draftedAt + same < count && draft[same] == tokens[draftedAt + same]) {
            same++;
        }
        reader.truncate(Math.min(reader.length(), draftedAt + same));
        draft = new int[size];
        Arrays.fill(draft, -1); // until they are drafted
        draftedAt = count;
        FloatBuffer logits = reader.append(Arrays.copyOfRange(tokens, reader.length(), count));
        for (int i = 0; i < size; i++) {
            draft[i] = choose(logits, i);
            if (i + 1 < size) {
                logits = reader.append(draft[i]);
            }
        }
        return draft.clone();
    }

    private int choose(FloatBuffer logits, int ahead) {
        TokenDistribution distribution = drafts.distribution(logits);
        if (request.options().temperature() == 0) {
            return distribution.token(0);
        }
        if (request.options().seed().isPresent()) {
            return distribution.draw(request.sampler().uniform(ahead));
        }
        distributions.add(distribution.copy());
        return distribution.draw(random.nextDouble());
    }

    @Override
    public Optional<TokenDistribution> distribution(int index) {
        return index < distributions.size() ? Optional.of(distributions.get(index)) : Optional.empty();
    }

    @Override
    public void verified(int accepted, int size) {
        written += accepted + 1;
        if (!byModel) {
            lookup.verified(accepted, size);
            return;
        }
        right = right * FADING + accepted;
        tested = tested * FADING + Math.min(accepted + 1, size);
        balance += accepted + 1 - costs.step(size + 1, request.even()) - size * costs.token();
    }

    @Override
    public void undrafted() {
        written++;
        right *= FADING_UNDRAFTED;
        tested *= FADING_UNDRAFTED;
        lookup.undrafted();
    }

    @Override
    public boolean pairs() {
        return lookup.pairs();
    }

    private DecoderSequence sequence() {
        DecoderSequence present = sequence;
        if (present != null) {
            return present;
        }
        DecoderSequence acquired = model.acquire(request);
        releasing.lock();
        try {
            sequence = acquired;
            draftedAt = acquired.length();
            if (interrupted) {
                acquired.interrupt();
            }
        } finally {
            releasing.unlock();
        }
        return acquired;
    }

    @Override
    public void interrupt() {
        releasing.lock();
        try {
            interrupted = true;
            if (sequence != null && !closed) {
                sequence.interrupt();
            }
        } finally {
            releasing.unlock();
        }
    }

    @Override
    public void close() {
        releasing.lock();
        try {
            if (!closed) {
                closed = true;
                if (sequence != null) {
                    sequence.close();
                }
            }
        } finally {
            releasing.unlock();
        }
    }
}
