package dev.pollux.inference.engine;

import dev.pollux.UnsupportedModelException;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.sampling.Sampler;
import dev.pollux.inference.tokenizer.Tokenizer;

/** A smaller model that drafts the texts of another one. <em>Thread-safe.</em> */
final class DraftModel implements AutoCloseable {

    private final DecoderModel model;
    private final DraftCosts costs;

    private DraftModel(DecoderModel model, DraftCosts costs) {
        this.model = model;
        this.costs = costs;
    }

    /**
     * A request whose text is drafted.
     *
     * @param prompt (prompt)
     * @param sampler of the request
     * @param tenant as in {@link PrefixStore.Scope}
     * @param vocabulary the number of tokens that both models have
     * @param even whether steps of the request's model read an even number of tokens
     */
    record Request(
            int[] prompt, GenerationOptions options, Sampler sampler, String tenant, int vocabulary, boolean even) {}

    /**
     * Opens a draft model, and measures its steps and those of the target, if the cache folder does not have them.
     *
     * @param target the model whose texts are drafted
     * @param prompts that of the target
     * @throws UnsupportedModelException if the two have different vocabularies
     */
    static DraftModel open(DecoderGraph graph, DecoderModel target, PromptEncoder prompts) {
        try (PromptEncoder own = PromptEncoder.open(graph)) {
            requireSame(graph.manifest().name(), own, target.manifest().name(), prompts);
        }
        DecoderModel model = DecoderModel.open(graph, target.options().ofDraft());
        try {
            return of(model, target);
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    /** Lets a model with the same vocabulary draft, which the result closes. */
    static DraftModel of(DecoderModel draft, DecoderModel target) {
        return of(draft, DraftCosts.of(target, draft));
    }

    /** The same with known costs. */
    static DraftModel of(DecoderModel draft, DraftCosts costs) {
        return new DraftModel(draft, costs);
    }

    /** The models exchange token ids, so each id must have one meaning. Unused ids may differ. */
    private static void requireSame(String draft, PromptEncoder own, String target, PromptEncoder prompts) {
        Tokenizer one = own.tokenizer();
        Tokenizer other = prompts.tokenizer();
        int common = Math.min(one.vocabularySize(), other.vocabularySize());
        for (int id = 0; id < common; id++) {
            String mine = one.tokenOf(id);
            String theirs = other.tokenOf(id);
            if (!mine.equals(theirs) && !mine.isEmpty() && !theirs.isEmpty()) {
                throw new UnsupportedModelException(
                        "The model " + draft + " cannot draft for " + target + ": token " + id + " is '" + mine
                                + "' in its vocabulary and '" + theirs
                                + "' in the other; draft with a model that has the same tokenizer");
            }
        }
    }

    DraftCosts costs() {
        return costs;
    }

    int contextLength() {
        return model.manifest().contextLength();
    }

    int vocabularySize() {
        return model.manifest().vocabularySize();
    }

    /** The bytes of the states of a text of {@code tokens} tokens. */
    long bytes(int tokens) {
        return model.bytes(Math.min(tokens, contextLength()));
    }

    /** A sequence that may have read a prefix of the prompt. */
    DecoderSequence acquire(Request request) {
        return model.acquire(request.prompt(), new PrefixStore.Scope(model.none(), request.tenant()));
    }

    @Override
    public void close() {
        model.close();
    }
}
