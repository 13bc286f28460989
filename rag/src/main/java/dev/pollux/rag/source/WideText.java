package dev.pollux.rag.source;

import dev.pollux.rag.source.TextDecoding.Text;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Detects UTF-16 without a byte order mark by the plausibility of the decoded text. */
final class WideText {

    private WideText() {}

    static Optional<Text> in(byte[] bytes) {
        Optional<String> little = plain(bytes, StandardCharsets.UTF_16LE);
        Optional<String> big = plain(bytes, StandardCharsets.UTF_16BE);
        boolean isLittle = little.isPresent() && (big.isEmpty() || common(little.get()) >= common(big.get()));
        Charset charset = isLittle ? StandardCharsets.UTF_16LE : StandardCharsets.UTF_16BE;
        return (isLittle ? little : big)
                .filter(text -> common(text) > 0)
                .map(text -> new Text(text, Optional.of("has no byte order mark and is read as " + charset.name())));
    }

    /** The text, if it has no characters that plain text has not. */
    private static Optional<String> plain(byte[] bytes, Charset charset) {
        return TextDecoding.strictly(bytes, charset)
                .filter(text -> text.codePoints().allMatch(WideText::isPlain));
    }

    private static boolean isPlain(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL -> c >= '\t' && c <= '\r' || c == 0x1A;
            case Character.UNASSIGNED, Character.PRIVATE_USE, Character.SURROGATE -> false;
            default -> true;
        };
    }

    /** Characters that every script uses, and ASCII letters. */
    private static long common(String text) {
        return text.chars().filter(c -> c >= '\t' && c < 127).count();
    }
}
