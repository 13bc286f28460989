package dev.pollux.rag.source;

import dev.pollux.internal.text.Lines;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/** Detects the encoding of a file and decodes it. */
final class TextDecoding {

    /*
     * In this order:
     *   1. A byte order mark determines the encoding (Unicode, section 23.8).
     *   2. With zero bytes, UTF-16 in the byte order that gives plain text.
     *   3. Valid UTF-8 is UTF-8: text in another encoding is rarely valid UTF-8 by chance.
     *   4. Windows-1252 if no multi-byte character indicates UTF-8 and every byte above 127 is a letter next to letters or
     *      a mark at a plausible position. ISO-8859-1 differs only in control characters.
     *   5. UTF-8 with few invalid bytes, each replaced by U+FFFD.
     * Everything else, and a file with many control characters, is not text.
     *
     * Rejected: statistics of letters for each of the world's encodings. They need a table for each and are wrong on short
     * files; a file in another encoding is named, and can be converted.
     */

    private static final char REPLACEMENT = '\uFFFD';

    /** Up to so many wrong bytes, or one in {@link #ONE_IN}, are damage; more are another encoding. */
    private static final int FEW = 3;

    private static final int ONE_IN = 100;

    /** Of so few bytes a wrong one is too large a part. */
    private static final int LEAST_BYTES = 8;

    /**
     * A text.
     *
     * @param text without a byte order mark
     * @param notice a notice, such as the position of the first invalid byte
     */
    record Text(String text, Optional<String> notice) {}

    private final byte[] bytes;

    private TextDecoding(byte[] bytes) {
        this.bytes = bytes;
    }

    /** The text of a file; absent where it is none. */
    static Optional<Text> decode(byte[] bytes) {
        return new TextDecoding(bytes).text().filter(text -> !hasManyControls(text.text()));
    }

    private Optional<Text> text() {
        if (startsWith(0xEF, 0xBB, 0xBF)) {
            return marked(StandardCharsets.UTF_8, 3);
        }
        if (startsWith(0xFF, 0xFE, 0, 0) && bytes.length % 4 == 0) {
            return marked(Charset.forName("UTF-32LE"), 4);
        }
        if (startsWith(0, 0, 0xFE, 0xFF)) {
            return marked(Charset.forName("UTF-32BE"), 4);
        }
        if (startsWith(0xFF, 0xFE)) {
            return marked(StandardCharsets.UTF_16LE, 2);
        }
        if (startsWith(0xFE, 0xFF)) {
            return marked(StandardCharsets.UTF_16BE, 2);
        }
        boolean zeros = false;
        for (int i = 0; i < bytes.length && !zeros; i++) {
            zeros = bytes[i] == 0;
        }
        Optional<Text> wide = zeros ? WideText.in(bytes) : Optional.empty();
        return wide.isPresent() ? wide : narrow();
    }

    private boolean startsWith(int... mark) {
        for (int i = 0; i < mark.length; i++) {
            if (bytes.length <= i || (bytes[i] & 0xFF) != mark[i]) {
                return false;
            }
        }
        return true;
    }

    private Optional<Text> marked(Charset charset, int mark) {
        Damage damage = Damage.in(bytes, mark, charset);
        return damage.isSmall() ? Optional.of(damage.text()) : Optional.empty();
    }

    private Optional<Text> narrow() {
        Damage damage = Damage.in(bytes, 0, StandardCharsets.UTF_8);
        if (damage.wrong() > 0 && damage.wrong() > multibyte(damage.decoded())) {
            Optional<Text> western = WesternText.in(bytes);
            if (western.isPresent()) {
                return western;
            }
        }
        return damage.isSmall() ? Optional.of(damage.text()) : Optional.empty();
    }

    private static long multibyte(String text) {
        return text.codePoints().filter(c -> c > 127 && c != REPLACEMENT).count();
    }

    private static boolean hasManyControls(String text) {
        long controls = text.chars()
                .filter(c -> c < ' ' && (c < '\b' || c > '\r') && c != 0x1B && c != 0x1A)
                .count();
        return controls > FEW && controls > text.length() / ONE_IN
                || text.indexOf('\0') >= 0 && text.length() < LEAST_BYTES;
    }

    /** Strictly decoded, if that is possible. */
    static Optional<String> strictly(byte[] bytes, Charset charset) {
        try {
            return Optional.of(
                    charset.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    /**
     * A text in one encoding, with the bytes that are not.
     *
     * @param decoded the text, with U+FFFD for each of them
     * @param first position of the first of them in the text; -1 if none
     * @param value the first of them
     */
    private record Damage(String decoded, Charset charset, int size, int wrong, int first, int value) {

        static Damage in(byte[] bytes, int from, Charset charset) {
            ByteBuffer in = ByteBuffer.wrap(bytes, from, bytes.length - from);
            CharBuffer out = CharBuffer.allocate(bytes.length - from + 1);
            var decoder = charset.newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT);
            int wrong = 0;
            int first = -1;
            int value = 0;
            for (CoderResult result = decoder.decode(in, out, true);
                    result.isError();
                    result = decoder.decode(in, out, true)) {
                if (wrong++ == 0) {
                    first = out.position();
                    value = in.get(in.position()) & 0xFF;
                }
                in.position(in.position() + result.length());
                out.put(REPLACEMENT);
            }
            return new Damage(out.flip().toString(), charset, bytes.length - from, zeros(out) + wrong, first, value);
        }

        private static int zeros(CharBuffer text) {
            return (int) text.toString().chars().filter(c -> c == 0).count();
        }

        boolean isSmall() {
            return wrong == 0 || size >= LEAST_BYTES * wrong && wrong <= Math.max(FEW, size / ONE_IN);
        }

        Text text() {
            int at = first >= 0 ? first : decoded.indexOf('\0');
            if (wrong == 0) {
                return new Text(decoded, Optional.empty());
            }
            String rest = wrong == 1 ? "" : wrong == 2 ? "; so is another one" : "; so are " + (wrong - 1) + " others";
            return new Text(
                    decoded.replace('\0', REPLACEMENT),
                    Optional.of(String.format(
                            Locale.ROOT,
                            "has a byte in line %d that is not %s (0x%02X), read as U+FFFD%s",
                            new Lines(decoded).at(at) + 1,
                            charset.name(),
                            first >= 0 ? value : 0,
                            rest)));
        }
    }
}
