package dev.pollux.inference.tokenizer;

import dev.pollux.UnsupportedModelException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The pre-tokenization of a byte-level BPE, by the names of {@code tokenizer.ggml.pre} in GGUF.
 *
 * <p>The patterns are those of the models' own {@code tokenizer.json} if it is published. Where llama.cpp approximates such a
 * pattern (letter case in {@code gpt-4o} and {@code tekken}), this class uses the model's own.
 *
 * @param patterns regular expressions applied in sequence; each isolates its matches
 * @param ignoreMerges whether a piece that is in the vocabulary is taken without merging
 * @param addsBos whether BOS is added if the file does not specify it
 * @param addsSeparator whether the separator is appended if the file does not specify it
 */
record PreTokenizer(List<String> patterns, boolean ignoreMerges, boolean addsBos, boolean addsSeparator) {

    private static final String SPACES = "\\s+(?!\\S)|\\s+";
    private static final String LINES = "\\s*[\\r\\n]+|" + SPACES;
    private static final String CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private static final String WORD = "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
    private static final String SYMBOLS = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|";
    private static final String CASED_SYMBOLS = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|";
    private static final String UPPER = "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}";
    private static final String LOWER = "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}";

    static final String GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|" + SPACES;
    private static final String LLAMA3 = CONTRACTION + WORD + "\\p{N}{1,3}" + SYMBOLS + LINES;
    private static final String QWEN2 = CONTRACTION + WORD + "\\p{N}" + SYMBOLS + LINES;
    private static final String GPT4O = cased("", CONTRACTION + "?") + "|\\p{N}{1,3}" + CASED_SYMBOLS + LINES;
    private static final String DEEPSEEK3 = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
            + "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|" + LINES;
    private static final String PUNCTUATION = "[\\p{P}\\$\\+<=>\\^~\\|`]+";
    private static final String CJK = "[一-龥ࠀ-一가-퟿]+";
    private static final String KANJI = "[一-龥぀-ゟ゠-ヿ]+";
    private static final String ASIAN =
            "[\\x{4E00}-\\x{9FFF}\\x{3400}-\\x{4DBF}\\x{F900}-\\x{FAFF}\\x{3040}-\\x{309F}\\x{30A0}-\\x{30FF}\\x{FF65}-\\x{FF9F}\\x{2F00}-\\x{2FDF}"
                    + "\\x{E40}-\\x{E7F}\\x{E80}-\\x{EFF}\\x{1780}-\\x{17FF}\\x{1000}-\\x{109F}\\x{AA60}-\\x{AA7F}\\x{A9E0}-\\x{A9FF}\\x{AC00}-\\x{D7AF}\\x{1100}-\\x{11FF}]+";
    private static final String BLOOM = " ?[^(\\s|.,!?…。，、।۔،)]+";
    private static final String NEWLINES_APART = "[^\\n]+|[\\n]+";
    // The cased letters, as listed in the model's own file.
    private static final String DEEPSEEK_LETTERS = "["
            + "\\x{41}-\\x{5A}\\x{61}-\\x{7A}\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}"
            + "\\x{1BC}-\\x{1BF}\\x{1C4}-\\x{293}\\x{295}-\\x{2AF}\\x{370}-\\x{373}\\x{376}\\x{377}"
            + "\\x{37B}-\\x{37D}\\x{37F}\\x{386}\\x{388}-\\x{38A}\\x{38C}\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}"
            + "\\x{3F7}-\\x{481}\\x{48A}-\\x{52F}\\x{531}-\\x{556}\\x{10A0}-\\x{10C5}\\x{13A0}-\\x{13F5}"
            + "\\x{13F8}-\\x{13FD}\\x{1C90}-\\x{1CBA}\\x{1CBD}-\\x{1CBF}\\x{1D00}-\\x{1D2B}\\x{1D6B}-\\x{1D77}"
            + "\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}\\x{1F18}-\\x{1F1D}\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}"
            + "\\x{1F50}-\\x{1F57}\\x{1F59}\\x{1F5B}\\x{1F5D}\\x{1F5F}-\\x{1F7D}\\x{1F80}-\\x{1FB4}"
            + "\\x{1FB6}-\\x{1FBC}\\x{1FBE}\\x{1FC2}-\\x{1FC4}\\x{1FC6}-\\x{1FCC}\\x{1FD0}-\\x{1FD3}"
            + "\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}\\x{1FF2}-\\x{1FF4}\\x{1FF6}-\\x{1FFC}\\x{2102}\\x{2107}"
            + "\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}\\x{2124}\\x{2126}\\x{2128}\\x{212A}-\\x{212D}"
            + "\\x{212F}-\\x{2134}\\x{2139}\\x{213C}-\\x{213F}\\x{2145}-\\x{2149}\\x{214E}\\x{2183}\\x{2184}"
            + "\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}\\x{2CEB}-\\x{2CEE}\\x{2CF2}\\x{2CF3}\\x{A640}-\\x{A66D}"
            + "\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}\\x{A771}-\\x{A787}\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}"
            + "\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}\\x{FF21}-\\x{FF3A}\\x{FF41}-\\x{FF5A}"
            + "\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}"
            + "\\x{10CC0}-\\x{10CF2}\\x{118A0}-\\x{118DF}\\x{1E900}-\\x{1E943}"
            + "]";

    /** Of several names for one pre-tokenization, those that llama.cpp has had longest. */
    private static final List<String> COMMON = List.of(
            "gpt-2",
            "smollm",
            "llama-bpe",
            "smaug-bpe",
            "qwen2",
            "gpt-4o",
            "tekken",
            "deepseek-llm",
            "deepseek-coder",
            "deepseek-v3",
            "falcon",
            "default");

    private static final Map<String, PreTokenizer> BY_NAME = new TreeMap<>();

    static {
        add(of("[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"), "default");
        PreTokenizer gpt2 = of(GPT2);
        add(gpt2, "gpt-2", "mpt", "olmo", "jais", "phi-2", "trillion", "granite-docling", "jina-es", "jina-de");
        add(gpt2, "jina-v2-es", "jina-v2-de", "gigachat", "a.x-4.0", "mellum", "modern-bert", "exaone4");
        add(gpt2.withSeparator(), "jina-v1-en", "jina-v2-code", "roberta-bpe");
        add(of("\\p{N}", GPT2), "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b");
        add(of("\\p{N}", GPT2), "mellum2");
        PreTokenizer llama3 = of(LLAMA3).withIgnoredMerges().withBos();
        add(llama3, "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2");
        add(llama3, "jina-v5-nano");
        add(of(LLAMA3), "dbrx", "smaug-bpe", "chatglm-bpe");
        add(of(LLAMA3).withIgnoredMerges(), "glm4", "glm5");
        add(of(QWEN2), "qwen2", "stablelm2", "deepseek-r1-qwen", "hunyuan", "megrez", "kormo", "f2llmv2");
        add(of(QWEN2), "solar-open", "grok-2");
        add(of(QWEN2.substring(CONTRACTION.length() + 1)), "ufakzeka");
        add(of(NEWLINES_APART, QWEN2), "laguna");
        add(
                of(CONTRACTION + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|"
                        + LINES),
                "qwen35");
        add(of("\\p{N}{1,3}", CONTRACTION + WORD + "\\p{N}+" + SYMBOLS + LINES).withIgnoredMerges(), "minicpm5");
        add(of(PUNCTUATION, GPT2, "[0-9][0-9][0-9]"), "falcon");
        add(
                of(cased("", "") + "|\\p{N}" + CASED_SYMBOLS + LINES)
                        .withIgnoredMerges()
                        .withBos(),
                "tekken");
        add(of(GPT4O), "gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2");
        add(of(GPT4O).withIgnoredMerges(), "granite-embed-multi-97m");
        add(of("\\d{1,3}(?=(?:\\d{3})*\\b)", GPT4O), "tiny_aya", "cohere2moe");
        add(of(kimi()), "kimi-k2");
        add(
                of("[\\r\\n]", "\\s?" + DEEPSEEK_LETTERS + "+", "\\s?[!-/:-~！-／：-～‘-‟　-。]+", "\\s+$", CJK, "\\p{N}+"),
                "deepseek-llm");
        add(of("[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", CJK, "\\p{N}"), "deepseek-coder");
        add(of("\\p{N}{1,3}", KANJI, DEEPSEEK3), "deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4");
        add(
                of(
                        "\\p{N}{1,3}",
                        KANJI,
                        DEEPSEEK3.replace("[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+", "[\\p{P}\\p{S}]+|[\\r\\n]"),
                        "\\p{N}"),
                "spark2_5");
        // Groups of three digits, from the right.
        add(of("\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))", ASIAN, DEEPSEEK3), "afmoe");
        add(
                of(
                                "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|" + KANJI,
                                cased("", CONTRACTION + "?") + "|\\p{N}" + CASED_SYMBOLS + LINES)
                        .withIgnoredMerges(),
                "youtu");
        add(
                of(CONTRACTION + "|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}"
                        + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|\\s*[\\r\\n]|" + SPACES),
                "exaone-moe");
        add(of(BLOOM), "bloom", "poro-chat", "gpt3-finnish");
        add(of(BLOOM, "\\p{N}"), "viking");
        add(of("\\p{N}+", "(?=(\\d{3})+(?!\\d))"), "superbpe");
        add(
                of("'(?i:[sdmt]|ll|ve|re)" + WORD + "\\p{N}" + SYMBOLS + "\\s*[\\r\\n]|" + SPACES),
                "bailingmoe",
                "bailingmoe2",
                "llada-moe");
        add(of(CONTRACTION + WORD + "\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|" + LINES), "seed-coder");
        add(of(CONTRACTION + WORD + "\\p{N}{1,3}" + SYMBOLS + "\\s*[\\r\\n]+|" + halvingSpaces()), "jais-2");
        add(
                of(
                                "<sentinel:[0-9]+>",
                                "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
                                "([\\t\\n]|    |  )",
                                "\\p{N}",
                                "[\\p{P}!-/:-@\\[-`{-~]",
                                GPT2)
                        .withBos(),
                "chameleon");
    }

    private static PreTokenizer of(String... patterns) {
        return new PreTokenizer(List.of(patterns), false, false, false);
    }

    private static void add(PreTokenizer pre, String... names) {
        for (String name : names) {
            BY_NAME.put(name, pre);
        }
    }

    /** Words split by case: upper-case letters, then lower-case letters. */
    private static String cased(String not, String suffix) {
        String head = "[^\\r\\n\\p{L}\\p{N}]?[";
        return head + UPPER + not + "]*[" + LOWER + not + "]+" + suffix + "|" + head + UPPER + not + "]+[" + LOWER + not
                + "]*" + suffix;
    }

    private static String kimi() {
        return "[\\p{Han}]+|" + cased("&&[^\\p{Han}]", CONTRACTION + "?") + "|\\p{N}{1,3}" + SYMBOLS + LINES;
    }

    /** Runs of whitespace, split into powers of two. */
    private static String halvingSpaces() {
        StringBuilder pattern = new StringBuilder();
        for (int length = 512; length >= 4; length /= 2) {
            pattern.append("\\s{").append(length).append("}(?!\\S)|");
        }
        return pattern + "\\s{1,2}(?!\\S)|\\s{1}";
    }

    private PreTokenizer withIgnoredMerges() {
        return new PreTokenizer(patterns, true, addsBos, addsSeparator);
    }

    private PreTokenizer withBos() {
        return new PreTokenizer(patterns, ignoreMerges, true, addsSeparator);
    }

    private PreTokenizer withSeparator() {
        return new PreTokenizer(patterns, ignoreMerges, addsBos, true);
    }

    /**
     * The name of a pre-tokenization.
     *
     * @return empty if none has these patterns
     */
    static Optional<String> nameOf(List<String> patterns, boolean ignoreMerges) {
        return Stream.concat(COMMON.stream(), BY_NAME.keySet().stream())
                .filter(name -> {
                    PreTokenizer named = Objects.requireNonNull(BY_NAME.get(name));
                    return named.patterns().equals(patterns) && named.ignoreMerges() == ignoreMerges;
                })
                .findFirst();
    }

    /** All known names. */
    static List<String> names() {
        return List.copyOf(BY_NAME.keySet());
    }

    static PreTokenizer named(String source, String name) {
        PreTokenizer found = BY_NAME.get(name);
        if (found == null) {
            throw new UnsupportedModelException(source + ": the pre-tokenizer '" + name + "' is not known, only "
                    + names() + "; use the model's folder with its tokenizer.json");
        }
        return found;
    }
}
