package dev.pollux.inference.tokenizer;

import java.util.Collection;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Determines the tokens that end a turn, with one rule for GGUF files, Hugging Face folders and ready-made ONNX folders.
 *
 * <p>They are the ids that any file of the model names, the end tokens that its tokenizer files spell, and the tokens of its
 * vocabulary that are known to end a turn, whatever their type: converted and fine-tuned models often name one end token and
 * were trained with another. In some vocabularies two of these texts do not end a turn:
 *
 * <table>
 * <caption>Exceptions</caption>
 * <tr><th>token</th><th>does not end a turn if these tokens exist</th><th>reason</th></tr>
 * <tr><td>{@code <|end|>}</td><td>{@code <|return|>} and {@code <|call|>}</td><td>in the harmony format (gpt-oss) it closes a
 * message, and the first message is reasoning</td></tr>
 * <tr><td>{@code <|end|>}</td><td>{@code <|flush|>}, and {@code <|calls|>} or {@code <|call|>}</td><td>likewise in Solar
 *     Open</td></tr>
 * <tr><td>{@code </s>}</td><td>{@code <|tool_response>}</td><td>in Gemma 4 it closes struck-through HTML text</td></tr>
 * <tr><td>{@code </s>}, unless a file names it</td><td>{@code </u>}</td><td>likewise in other vocabularies with HTML
 * tags</td></tr>
 * </table>
 *
 * <p><em>Thread-safe.</em>
 */
public final class TurnEnds {

    private static final String END = "<|end|>";
    private static final String CLOSED_SENTENCE = "</s>";

    /*
     * The texts are those in llama.cpp's src/llama-vocab.cpp (llama_vocab::impl::load: end of turn, of message and of
     * generation, and the tokens of fill-in-the-middle that end the filled-in text), followed by those of families for which
     * llama.cpp relies on the ids of the file. The exceptions are llama.cpp's too, except for the last: Gemma 1 to 3 also have
     * HTML tags as tokens, but no token of Gemma 4. A text counts only if it is a single token with exactly this spelling.
     */
    private static final Set<String> KNOWN = Set.of(
            "<|eot_id|>", // Llama 3
            "<|eom_id|>", // Llama 3: a message that waits for a tool
            "<|im_end|>", // ChatML
            END, // Phi 3
            "<end_of_turn>", // Gemma
            "<turn|>", // Gemma 4
            "<|tool_response>", // Gemma 4: a call that waits for its answer
            "<|return|>", // harmony
            "<|call|>", // harmony
            "<|flush|>", // Solar Open
            "<|calls|>", // Solar Open
            "<|endoftext|>",
            "<|end_of_text|>",
            CLOSED_SENTENCE,
            "<eos>",
            "<EOT>",
            "_<EOT>",
            "[EOT]", // Kimi K2
            "[EOS]", // Kimi K2
            "<end_of_utterance>", // SmolVLM
            "<\uFF5Cend\u2581of\u2581sentence\uFF5C>", // DeepSeek
            "[e~[", // MiniMax
            "<|fim_pad|>",
            "<fim-pad>",
            "<fim_pad>",
            "<PAD>",
            "[PAD]",
            "<|fim_repo|>",
            "<|repo_name|>",
            "<fim-repo>",
            "<REPO>",
            "<reponame>",
            "<|file_sep|>",
            "<|eot|>", // Llama 4
            "<|end_of_turn|>", // OpenChat
            "<|endofturn|>", // HyperCLOVA X
            "[|endofturn|]", // EXAONE
            "<|END_OF_TURN_TOKEN|>", // Command R
            "<|assistant_end|>", // Apertus
            "<|role_end|>", // Ling 2
            "<seed:eos>"); // Seed-OSS

    /** The keys of a GGUF file that name the end of a text, a turn, a message, or a filled-in text. */
    public static final List<String> GGUF_KEYS = List.of(
            "tokenizer.ggml.eos_token_id",
            "tokenizer.ggml.eot_token_id",
            "tokenizer.ggml.eom_token_id",
            "tokenizer.ggml.fim_pad_token_id",
            "tokenizer.ggml.fim_rep_token_id",
            "tokenizer.ggml.fim_sep_token_id");

    private TurnEnds() {}

    /**
     * The ids that end a turn, sorted, without duplicates.
     *
     * @param ids the ids in the model's files; negative ones are ignored
     * @param tokens the end tokens that its files spell; those that are not tokens are ignored
     * @param vocabulary maps a token to its id, such as {@link Tokenizer#idOf}
     */
    public static List<Integer> of(
            Collection<Integer> ids, Collection<String> tokens, Function<String, OptionalInt> vocabulary) {
        TreeSet<Integer> ends = new TreeSet<>();
        known(vocabulary).forEach(token -> ends.add(vocabulary.apply(token).orElseThrow()));
        ids.stream().filter(id -> id >= 0).forEach(ends::add);
        tokens.forEach(token -> vocabulary.apply(token).ifPresent(ends::add));
        if (has(vocabulary, "<|return|>", "<|call|>")
                || has(vocabulary, "<|flush|>", "<|calls|>")
                || has(vocabulary, "<|flush|>", "<|call|>")) {
            vocabulary.apply(END).ifPresent(ends::remove);
        }
        if (has(vocabulary, "<|tool_response>")) {
            vocabulary.apply(CLOSED_SENTENCE).ifPresent(ends::remove);
        }
        return List.copyOf(ends);
    }

    /**
     * The tokens of a vocabulary that are known by their text to end a turn or, as in the case of {@code <|end|>}, possibly a
     * message.
     */
    static List<String> known(Function<String, OptionalInt> vocabulary) {
        boolean tags = has(vocabulary, "<|tool_response>") || has(vocabulary, "</u>");
        return KNOWN.stream()
                .filter(token -> has(vocabulary, token))
                .filter(token -> !(tags && token.equals(CLOSED_SENTENCE)))
                .sorted()
                .toList();
    }

    private static boolean has(Function<String, OptionalInt> vocabulary, String... tokens) {
        for (String token : tokens) {
            if (vocabulary.apply(token).isEmpty()) {
                return false;
            }
        }
        return true;
    }
}
