package dev.pollux.inference.tokenizer;

import dev.pollux.UnsupportedModelException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How a byte-level BPE cuts text before merging, by the names that GGUF gives in {@code tokenizer.ggml.pre}.
 *
 * @param patterns regular expressions applied one after another, each isolating its matches
 * @param ignoreMerges whether a whole piece that is in the vocabulary is taken without merging
 * @param addsBos whether BOS is added where the file does not say
 */
record PreTokenizer(List<String> patterns, boolean ignoreMerges, boolean addsBos) {

    private static final String GPT2 =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    private static final String CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private static final String TAIL = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static final String LLAMA3 = CONTRACTION + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}" + TAIL;
    private static final String QWEN2 = CONTRACTION + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" + TAIL;
    private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
    private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
    private static final String CASED_TAIL = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private static final PreTokenizer PLAIN = new PreTokenizer(List.of(GPT2), false, false);
    private static final PreTokenizer SINGLE_DIGITS = new PreTokenizer(List.of("\\p{N}", GPT2), false, false);
    private static final PreTokenizer LLAMA_3 = new PreTokenizer(List.of(LLAMA3), true, true);
    private static final PreTokenizer QWEN_2 = new PreTokenizer(List.of(QWEN2), false, false);
    private static final PreTokenizer FALCON =
            new PreTokenizer(List.of("[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]"), false, false);
    private static final PreTokenizer TEKKEN = new PreTokenizer(
            List.of("[^\\r\\n\\p{L}\\p{N}]?" + UPPER + "*" + LOWER + "+|[^\\r\\n\\p{L}\\p{N}]?" + UPPER + "+" + LOWER
                    + "*|\\p{N}" + CASED_TAIL),
            true,
            true);
    private static final PreTokenizer GPT_4O = new PreTokenizer(
            List.of("[^\\r\\n\\p{L}\\p{N}]?" + UPPER + "*" + LOWER + "+" + CONTRACTION + "?|[^\\r\\n\\p{L}\\p{N}]?"
                    + UPPER + "+" + LOWER + "*" + CONTRACTION + "?|\\p{N}{1,3}" + CASED_TAIL),
            false,
            false);
    private static final PreTokenizer DEEPSEEK_CODER =
            new PreTokenizer(List.of("[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-퟿]+", "\\p{N}"), false, false);
    private static final PreTokenizer BLOOM = new PreTokenizer(List.of(" ?[^(\\s|.,!?…。，、।۔،)]+"), false, false);

    private static final Map<String, PreTokenizer> BY_NAME = new TreeMap<>(Map.ofEntries(
            Map.entry("default", FALCON),
            Map.entry("gpt-2", PLAIN),
            Map.entry("mpt", PLAIN),
            Map.entry("olmo", PLAIN),
            Map.entry("jais", PLAIN),
            Map.entry("phi-2", PLAIN),
            Map.entry("trillion", PLAIN),
            Map.entry("granite-docling", PLAIN),
            Map.entry("smollm", SINGLE_DIGITS),
            Map.entry("starcoder", SINGLE_DIGITS),
            Map.entry("refact", SINGLE_DIGITS),
            Map.entry("command-r", SINGLE_DIGITS),
            Map.entry("codeshell", SINGLE_DIGITS),
            Map.entry("exaone", SINGLE_DIGITS),
            Map.entry("minerva-7b", SINGLE_DIGITS),
            Map.entry("llama-bpe", LLAMA_3),
            Map.entry("llama3", LLAMA_3),
            Map.entry("llama-v3", LLAMA_3),
            Map.entry("falcon3", LLAMA_3),
            Map.entry("lfm2", LLAMA_3),
            Map.entry("dbrx", new PreTokenizer(List.of(LLAMA3), false, false)),
            Map.entry("smaug-bpe", new PreTokenizer(List.of(LLAMA3), false, false)),
            Map.entry("chatglm-bpe", new PreTokenizer(List.of(LLAMA3), false, false)),
            Map.entry("glm4", new PreTokenizer(List.of(LLAMA3), false, false)),
            Map.entry("qwen2", QWEN_2),
            Map.entry("stablelm2", QWEN_2),
            Map.entry("deepseek-r1-qwen", QWEN_2),
            Map.entry("hunyuan", QWEN_2),
            Map.entry("megrez", QWEN_2),
            Map.entry("falcon", FALCON),
            Map.entry("tekken", TEKKEN),
            Map.entry("pixtral", TEKKEN),
            Map.entry("gpt-4o", GPT_4O),
            Map.entry("llama4", GPT_4O),
            Map.entry("deepseek-coder", DEEPSEEK_CODER),
            Map.entry("bloom", BLOOM),
            Map.entry("poro-chat", BLOOM),
            Map.entry("gpt3-finnish", BLOOM)));

    static PreTokenizer named(String source, String name) {
        PreTokenizer found = BY_NAME.get(name);
        if (found == null) {
            throw new UnsupportedModelException(source + ": the pre-tokenizer '" + name + "' is not known, only "
                    + BY_NAME.keySet() + "; use the model's folder with its tokenizer.json");
        }
        return found;
    }
}
