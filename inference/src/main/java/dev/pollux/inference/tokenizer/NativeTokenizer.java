package dev.pollux.inference.tokenizer;

import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongFunction;

/**
 * A tokenizer of Hugging Face's library. DJL's own wrapper reports its use over the network, searches for GPUs and unpacks to
 * the user's home, so this class calls only DJL's native methods.
 *
 * <p><em>Thread-safe, except for {@code close}, which must follow all calls.</em>
 */
final class NativeTokenizer implements AutoCloseable {

    private static final TokenizersLibrary LIBRARY = TokenizersLibrary.LIB;

    private final long handle;

    /** Parses a {@code tokenizer.json}; the library must be loaded. */
    NativeTokenizer(String json) {
        handle = LIBRARY.createTokenizerFromString(json);
    }

    int[] ids(String text, boolean addSpecialTokens) {
        return read(LIBRARY.encode(handle, text, addSpecialTokens), found -> ints(LIBRARY.getTokenIds(found)));
    }

    Encoding encode(String text, boolean addSpecialTokens) {
        return read(LIBRARY.encode(handle, text, addSpecialTokens), NativeTokenizer::encoding);
    }

    Encoding encode(String text, String pair, boolean addSpecialTokens) {
        return read(LIBRARY.encodeDual(handle, text, pair, addSpecialTokens), NativeTokenizer::encoding);
    }

    String decode(int[] ids, boolean skipSpecialTokens) {
        return LIBRARY.decode(handle, Arrays.stream(ids).asLongStream().toArray(), skipSpecialTokens);
    }

    private static <T> T read(long found, LongFunction<T> reader) {
        try {
            return reader.apply(found);
        } finally {
            LIBRARY.deleteEncoding(found);
        }
    }

    private static Encoding encoding(long found) {
        int[] ids = ints(LIBRARY.getTokenIds(found));
        int[] starts = new int[ids.length];
        int[] ends = new int[ids.length];
        CharSpan[] spans = LIBRARY.getTokenCharSpans(found);
        for (int i = 0; i < ids.length; i++) {
            if (spans[i] != null) {
                starts[i] = spans[i].getStart();
                ends[i] = spans[i].getEnd();
            }
        }
        return new Encoding(
                ids,
                List.of(LIBRARY.getTokens(found)),
                ints(LIBRARY.getTypeIds(found)),
                ints(LIBRARY.getSequenceIds(found)),
                starts,
                ends);
    }

    private static int[] ints(long[] values) {
        return Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
    }

    @Override
    public void close() {
        LIBRARY.deleteTokenizer(handle);
    }
}
