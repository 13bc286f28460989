package dev.pollux.inference.encoder.export;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.architecture.Architectures;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The supported encoders by the class name in {@code architectures}: its stem selects the family, its suffix the output.
 */
final class Families {

    private static final String BERT_TABLE = "embeddings.word_embeddings.weight";

    private static final List<Entry> ENCODERS = List.of(
            new Entry("Bert", "bert", BERT_TABLE, BertFamily::new),
            new Entry("Roberta", "roberta", BERT_TABLE, RobertaFamily::new),
            new Entry("XLMRoberta", "xlm-roberta", BERT_TABLE, RobertaFamily::new),
            new Entry("Camembert", "camembert", BERT_TABLE, RobertaFamily::new),
            new Entry("Electra", "electra", BERT_TABLE, ElectraFamily::new),
            new Entry("DistilBert", "distilbert", BERT_TABLE, DistilBertFamily::new),
            new Entry("MPNet", "mpnet", BERT_TABLE, MpnetFamily::new),
            new Entry("ModernBert", "modernbert", "embeddings.tok_embeddings.weight", ModernBertFamily::new),
            new Entry("NomicBert", "nomic_bert", BERT_TABLE, NomicFamily::new),
            new Entry("DebertaV2", "deberta-v2", BERT_TABLE, DebertaFamily::new));

    private static final String SCORES = "ForSequenceClassification";
    private static final List<String> ENDINGS =
            List.of("Model", "ForMaskedLM", "ForPreTraining", "ForCausalLM", SCORES);

    private static final List<Entry> KNOWN =
            Stream.concat(ENCODERS.stream(), decoders()).toList();

    private Families() {}

    /** The architectures of decoders: their classes without what follows the stem. */
    private static Stream<Entry> decoders() {
        Stream<Entry> named = Architectures.known().stream()
                .map(name -> decoder(name.replaceAll("(ForCausalLM|LMHeadModel)$", ""), name));
        return Stream.concat(Stream.of(decoder("Gemma3Text", "Gemma3ForCausalLM")), named);
    }

    private static Entry decoder(String stem, String architecture) {
        String type = stem.equals("Gemma3Text") ? "gemma3_text" : stem.toLowerCase(Locale.ROOT);
        String table = switch (stem) {
            case "GPT2", "GPTJ", "GPTNeo", "GPTBigCode", "CodeGen", "Mpt" -> "wte.weight";
            case "Falcon", "Bloom" -> "word_embeddings.weight";
            case "OPT" -> "decoder.embed_tokens.weight";
            case "GPTNeoX" -> "embed_in.weight";
            case "Mamba", "Mamba2", "FalconMamba", "NemotronH" -> "embeddings.weight";
            default -> "embed_tokens.weight";
        };
        String base = switch (stem) {
            case "GPT2", "GPTJ", "GPTNeo", "GPTBigCode", "CodeGen", "Mpt", "Falcon", "Bloom" -> "transformer.";
            case "BioGpt" -> "biogpt.";
            case "GPTNeoX" -> "gpt_neox.";
            case "Mamba", "Mamba2", "FalconMamba", "NemotronH" -> "backbone.";
            default -> "model.";
        };
        return new Entry(
                stem,
                type,
                table,
                (operators, config) -> new ArchitectureFamily(operators, config, architecture, base));
    }

    /**
     * A family.
     *
     * @param stem the prefix of its class names in transformers
     * @param type its {@code model_type}, for configurations that name no class
     * @param anchor the table of token vectors
     */
    private record Entry(String stem, String type, String anchor, Maker maker) {}

    /** Makes a family over the blocks of one graph. */
    @FunctionalInterface
    interface Maker {
        Family make(EncoderOperators blocks, ConfigReader config);
    }

    /**
     * The family and output selected by a configuration.
     *
     * @param scores whether the graph returns scores per row rather than vectors per token
     */
    record Choice(String architecture, String anchor, Maker maker, boolean scores) {}

    static Choice of(ConfigReader config) {
        String named = config.node("architectures").path(0).asString("");
        String type = config.text("", "model_type");
        for (Entry entry : KNOWN) {
            for (String ending : ENDINGS) {
                if (named.equals(entry.stem + ending)
                        || named.isEmpty() && type.equals(entry.type) && ending.equals("Model")) {
                    return new Choice(entry.stem + ending, entry.anchor, entry.maker, ending.equals(SCORES));
                }
            }
        }
        throw unknown(config, named.isEmpty() ? type : named);
    }

    private static UnsupportedModelException unknown(ConfigReader config, String named) {
        String nearest = (named.isEmpty() ? ENCODERS : KNOWN)
                .stream()
                        .flatMap(entry -> ENDINGS.stream().map(ending -> entry.stem + ending))
                        .min(Comparator.<String>comparingInt(known -> distance(known, named))
                                .thenComparingInt(known -> -commonBeginning(known, named)))
                        .orElseThrow();
        List<String> known = KNOWN.stream().map(Entry::stem).sorted().toList();
        return config.unsupported("the architecture '" + shortened(named) + "' is not known; the nearest is " + nearest
                + "; known are " + String.join(", ", known) + ", each followed by one of "
                + String.join(", ", ENDINGS));
    }

    private static String shortened(String name) {
        return name.length() > 80 ? name.substring(0, 80) + "…" : name;
    }

    private static int commonBeginning(String a, String b) {
        int common = 0;
        while (common < Math.min(a.length(), b.length()) && a.charAt(common) == b.charAt(common)) {
            common++;
        }
        return common;
    }

    /** Letters to insert, delete or replace (Levenshtein), of the first 80. */
    private static int distance(String a, String b) {
        String cut = shortened(b);
        int[] above = Stream.iterate(0, i -> i + 1)
                .limit(cut.length() + 1L)
                .mapToInt(i -> i)
                .toArray();
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[above.length];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int replaced = above[j - 1] + (a.charAt(i - 1) == cut.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, Math.min(above[j], row[j - 1]) + 1);
            }
            above = row;
        }
        return above[above.length - 1];
    }
}
