package dev.pollux.inference.encoder;

import dev.pollux.embedding.TextRole;
import dev.pollux.inference.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Texts as the encoder of a folder reads them: passages, with prefix and special tokens, a long text in several windows.
 * <em>Immutable.</em>
 *
 * @param windows token ids, (tokens) each
 * @param firstPosition the position id of the first token
 */
public record EncoderTexts(List<int[]> windows, int firstPosition) {

    public EncoderTexts {
        windows = List.copyOf(windows);
    }

    /**
     * Encodes texts.
     *
     * @param folder the folder of the encoder, with its tokenizer and configuration
     * @throws dev.pollux.StorageException if there is no {@code tokenizer.json}
     */
    public static EncoderTexts of(Path folder, List<String> texts) {
        EncoderFolder read = EncoderFolder.read(folder);
        EncoderConfig config = read.config();
        EmbedderOptions options = EmbedderOptions.builder()
                .longText(LongText.WINDOWED)
                .windowOverlap(0)
                .build();
        List<int[]> windows = new ArrayList<>();
        try (Tokenizer tokenizer = read.openTokenizer().tokenizer()) {
            TokenWindows encoder = new TokenWindows(tokenizer, config, options);
            texts.forEach(
                    text -> windows.addAll(encoder.of(text, TextRole.PASSAGE).windows()));
        }
        return new EncoderTexts(windows, config.firstPosition());
    }
}
