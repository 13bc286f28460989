package dev.pollux.inference.encoder;

import dev.pollux.UnsupportedModelException;
import dev.pollux.embedding.TextRole;
import dev.pollux.inference.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.List;

/**
 * Texts and pairs as the encoder of a folder reads them, for its training: with prefixes and special tokens, and cut if they are
 * too long. <em>Confined to one thread.</em>
 */
public final class EncoderInputs implements AutoCloseable {

    private final EncoderFolder folder;
    private final EncoderConfig config;
    private final Tokenizer tokenizer;
    private final TokenWindows texts;
    private final PairWindows pairs;

    /**
     * A row of tokens.
     *
     * @param ids (tokens)
     * @param types the type of each token, (tokens)
     * @param pooledFrom the first token that is pooled
     * @param tokens their number before the row was cut
     */
    public record Row(int[] ids, int[] types, int pooledFrom, int tokens) {

        /** Whether tokens were left out. */
        public boolean isCut() {
            return tokens > ids.length;
        }
    }

    private EncoderInputs(EncoderFolder folder, int maxTokens) {
        this.folder = folder;
        EmbedderOptions.Builder options =
                EmbedderOptions.builder().longText(LongText.WINDOWED).windowOverlap(0);
        options.maxTokens(Math.min(maxTokens, folder.config().maxTokens()));
        RerankerOptions.Builder ofPairs =
                RerankerOptions.builder().longText(LongText.WINDOWED).windowOverlap(0);
        EmbedderOptions chosen = options.build();
        this.config = folder.config().with(chosen);
        this.tokenizer = folder.openTokenizer().tokenizer();
        this.texts = new TokenWindows(tokenizer, config, chosen);
        this.pairs = new PairWindows(tokenizer, config, ofPairs.build());
    }

    /**
     * Opens the tokenizer and the settings of a folder; the caller closes it.
     *
     * @param maxTokens the largest number of tokens of a row, if the model's own is not smaller
     * @throws dev.pollux.StorageException if there is no {@code tokenizer.json}
     */
    public static EncoderInputs open(Path folder, int maxTokens) {
        return new EncoderInputs(EncoderFolder.read(folder), maxTokens);
    }

    /** A query or a passage. */
    public Row text(String text, TextRole role) {
        TokenWindows.Input input = texts.of(text, role);
        int[] ids = input.windows().get(0);
        return new Row(ids, new int[ids.length], Math.min(input.promptTokens(), ids.length - 1), input.tokens());
    }

    /** A query with a document. */
    public Row pair(String query, String document) {
        PairWindows.Pair pair = pairs.of(query, document);
        PairWindows.Window window = pair.windows().get(0);
        return new Row(window.ids(), window.types(), 0, pair.tokens());
    }

    /** The poolings whose results are concatenated. */
    public List<Pooling> pooling() {
        return config.pooling();
    }

    /** The largest number of tokens of a row. */
    public int maxTokens() {
        return config.maxTokens();
    }

    /**
     * Refuses a model whose pooled vectors pass through trained modules.
     *
     * @throws UnsupportedModelException if it has modules other than a normalization
     */
    public void requireNoModules() {
        for (VectorLayer layer : config.layers()) {
            if (!(layer instanceof VectorLayer.Normalize)) {
                throw new UnsupportedModelException(
                        config.name() + " has a module " + layer.getClass().getSimpleName()
                                + " after its pooling, through which training does not pass; train a model without it");
            }
        }
    }

    /** The folder with the configuration and the weights of the transformer, the folder of the model or one in it. */
    public Path transformer() {
        return folder.transformer();
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
