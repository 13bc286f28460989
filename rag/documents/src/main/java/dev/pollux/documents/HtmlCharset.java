package dev.pollux.documents;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Decodes bytes: by byte order mark, else the declared encoding, else UTF-8 if they are valid in it, else Windows-1252. */
final class HtmlCharset {

    private static final int DECLARED_WITHIN = 4096;
    private static final Pattern DECLARED = Pattern.compile(
            "(?i)<(?:meta[^>]{0,200}charset|\\?xml[^>]{0,200}encoding)\\s*=\\s*[\"']?\\s*([\\w.:-]{2,40})");
    private static final Charset WESTERN = Charset.forName("windows-1252");

    private HtmlCharset() {}

    /** A page, whose encoding may be declared in it. */
    static String page(byte[] bytes) {
        String head = new String(bytes, 0, Math.min(bytes.length, DECLARED_WITHIN), StandardCharsets.ISO_8859_1);
        Matcher declared = DECLARED.matcher(head);
        return decode(bytes, declared.find() ? declared.group(1) : "");
    }

    /** @param declared the name of the encoding; empty if unknown */
    static String decode(byte[] bytes, String declared) {
        int first = bytes.length > 0 ? bytes[0] & 0xFF : 0;
        int second = bytes.length > 1 ? bytes[1] & 0xFF : 0;
        if (first == 0xFE && second == 0xFF || first == 0xFF && second == 0xFE) {
            return new String(bytes, StandardCharsets.UTF_16);
        }
        if (first == 0xEF && second == 0xBB) {
            return new String(bytes, 3, bytes.length - 3, StandardCharsets.UTF_8);
        }
        Charset charset = charset(declared);
        if (charset.equals(StandardCharsets.UTF_8)) {
            try {
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes))
                        .toString();
            } catch (CharacterCodingException e) {
                return new String(bytes, declared.isEmpty() ? WESTERN : StandardCharsets.UTF_8);
            }
        }
        return new String(bytes, charset);
    }

    /** A declared encoding as browsers read it: ISO-8859-1 is Windows-1252; what is unknown is UTF-8. */
    private static Charset charset(String declared) {
        try {
            Charset charset = declared.isEmpty() ? StandardCharsets.UTF_8 : Charset.forName(declared);
            boolean western = charset.equals(StandardCharsets.ISO_8859_1) || charset.equals(StandardCharsets.US_ASCII);
            boolean wide = charset.name().startsWith("UTF-16") || charset.name().startsWith("UTF-32");
            return western ? WESTERN : wide ? StandardCharsets.UTF_8 : charset;
        } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
            return StandardCharsets.UTF_8;
        }
    }
}
