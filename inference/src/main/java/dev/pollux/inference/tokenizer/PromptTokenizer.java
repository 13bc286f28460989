package dev.pollux.inference.tokenizer;

import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Encodes prompts in which some characters are literal: in these the spelling of a control token is ordinary text.
 *
 * <pre>{@code
 * BitSet literal = new BitSet();
 * literal.set(begin, end); // what a user wrote
 * int[] ids = prompts.encode(prompt, literal, false);
 * }</pre>
 *
 * <p>A prompt without such spellings in its literal characters gets exactly the tokens of {@link Tokenizer#encode}, also at the
 * boundaries between template and content.
 *
 * <p>The caller continues to own the tokenizer, which must stay open while this object is used. <em>Thread-safe.</em>
 */
public final class PromptTokenizer implements AutoCloseable {

    /*
     * The prompt is first encoded without changes. If the control tokens among the ids equal those that the template's own
     * characters spell, in order, then none came from literal text, and the ids are the result. This is the case for nearly
     * every prompt.
     *
     * Otherwise a second tokenizer is used. It differs only in its control tokens: they have secret spellings, both as added
     * tokens and in the vocabulary, and no merge creates or uses one. The spellings outside of literal text are replaced by the
     * secret ones, so only these are recognised. Everything else (pre-tokenization, normalizers, the space before the first
     * word, stripping around an added token) is done by the same code on the same neighbours. Encoding the parts separately
     * would not give the same tokens.
     */

    private final Tokenizer tokenizer;
    private final ControlTokens controls;
    private final String secret = "\uE000" + HexFormat.of().toHexDigits(new SecureRandom().nextLong());
    private final ReentrantLock opening = new ReentrantLock();
    private @Nullable Tokenizer disguised;
    private boolean closed;

    private PromptTokenizer(Tokenizer tokenizer, ControlTokens controls) {
        this.tokenizer = tokenizer;
        this.controls = controls;
    }

    /**
     * Control tokens are the added tokens that are marked as special, those spelled {@code <|...|>}, those that the template
     * writes unless they are plain words, and those among {@code more}. The other added tokens are vocabulary, in literal text
     * too.
     *
     * @param template the source of the chat template; empty if there is none
     * @param more spellings of further control tokens, whether the template writes them or not, such as {@code </think>}
     */
    public static PromptTokenizer of(Tokenizer tokenizer, String template, Collection<String> more) {
        return new PromptTokenizer(tokenizer, new ControlTokens(tokenizer.addedTokens(), template, more));
    }

    /**
     * The token ids of a prompt.
     *
     * @param text the prompt
     * @param literal the indices of its literal UTF-16 units
     * @param addSpecialTokens as for {@link Tokenizer#encode}
     * @return (tokens)
     * @throws IllegalStateException after {@link #close()}
     */
    public int[] encode(String text, BitSet literal, boolean addSpecialTokens) {
        if (controls.isEmpty() || literal.isEmpty()) {
            return tokenizer.encode(text, addSpecialTokens);
        }
        int[] plain = tokenizer.encode(text, false);
        if (controls.areThose(controls.in(text, literal), plain)) {
            return addSpecialTokens ? tokenizer.encode(text, true) : plain;
        }
        return encodeDisguised(text, literal, addSpecialTokens);
    }

    /** Encodes with the second tokenizer. */
    int[] encodeDisguised(String text, BitSet literal, boolean addSpecialTokens) {
        List<ControlTokens.Match> meant = controls.in(text, literal);
        StringBuilder replaced = new StringBuilder();
        int done = 0;
        for (ControlTokens.Match match : meant) {
            replaced.append(text, done, match.begin())
                    .append(secret(match.token().id()));
            done = match.end();
        }
        replaced.append(text, done, text.length());
        return disguised().encode(replaced.toString(), addSpecialTokens);
    }

    private String secret(int id) {
        return secret + Integer.toHexString(id) + "\uE001";
    }

    private Tokenizer disguised() {
        opening.lock();
        try {
            if (closed) {
                throw new IllegalStateException("The tokenizer is closed; open it again");
            }
            if (disguised == null) {
                disguised = Tokenizer.ofJson("the tokenizer of literal text", disguise());
            }
            return disguised;
        } finally {
            opening.unlock();
        }
    }

    private String disguise() {
        ObjectNode root = (ObjectNode) JsonNode.parse(tokenizer.toJson());
        for (JsonNode token : root.path("added_tokens")) {
            ((ObjectNode) token).put("content", renamed(token.path("content").asString("")));
        }
        if (root.get("model") instanceof ObjectNode model) {
            vocabulary(model);
            if (model.path("unk_token").isString()) {
                model.put("unk_token", renamed(model.path("unk_token").asString()));
            }
            if (model.get("merges") instanceof ArrayNode merges) {
                List<JsonNode> kept = new ArrayList<>();
                merges.forEach(merge -> {
                    if (!touchesControl(merge)) {
                        kept.add(merge);
                    }
                });
                model.putArray("merges").addAll(kept);
            }
        }
        return root.toString();
    }

    private void vocabulary(ObjectNode model) {
        if (model.get("vocab") instanceof ObjectNode old) {
            ObjectNode renamed = new ObjectNode();
            old.properties().forEach(entry -> renamed.set(renamed(entry.getKey()), entry.getValue()));
            model.set("vocab", renamed);
        }
        if (model.get("vocab") instanceof ArrayNode pieces) { // Unigram: [[piece, score], …]
            pieces.forEach(
                    piece -> ((ArrayNode) piece).set(0, renamed(piece.path(0).asString(""))));
        }
    }

    private String renamed(String token) {
        return controls.isSpelling(token) ? secret(tokenizer.idOf(token).orElseThrow()) : token;
    }

    /** {@code "a b"} or {@code ["a", "b"]}. */
    private boolean touchesControl(JsonNode merge) {
        String joined = merge.isArray()
                ? merge.path(0).asString("") + " " + merge.path(1).asString("")
                : merge.asString("");
        int space = joined.indexOf(' ', 1);
        if (space < 0) {
            return false;
        }
        String left = joined.substring(0, space);
        String right = joined.substring(space + 1);
        return controls.isSpelling(left) || controls.isSpelling(right) || controls.isSpelling(left + right);
    }

    /** Frees the second tokenizer, but not the caller's. Idempotent. */
    @Override
    public void close() {
        opening.lock();
        try {
            closed = true;
            if (disguised != null) {
                disguised.close();
                disguised = null;
            }
        } finally {
            opening.unlock();
        }
    }
}
