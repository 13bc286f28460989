package dev.pollux.documents;

import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.util.Optional;

/** Encodings of RTF by the numbers of Windows. */
final class RtfCharsets {

    private static final int UTF_8 = 65001;

    private RtfCharsets() {}

    /** The encoding of a character set of fonts; empty for that of the document. */
    static Optional<Charset> ofFont(int set) {
        return Optional.ofNullable(
                switch (set) {
                    case 77 -> named("x-MacRoman", 0);
                    case 128 -> named("windows-31j", 932);
                    case 129 -> named("x-windows-949", 949);
                    case 134 -> named("GBK", 936);
                    case 136 -> named("Big5", 950);
                    case 161 -> named("windows-1253", 1253);
                    case 162 -> named("windows-1254", 1254);
                    case 163 -> named("windows-1258", 1258);
                    case 177 -> named("windows-1255", 1255);
                    case 178 -> named("windows-1256", 1256);
                    case 186 -> named("windows-1257", 1257);
                    case 204 -> named("windows-1251", 1251);
                    case 222 -> named("x-windows-874", 874);
                    case 238 -> named("windows-1250", 1250);
                    default -> null;
                });
    }

    /** The first encoding that this JVM has: {@code name}, names of the code page {@code page}, windows-1252, ISO 8859-1. */
    static Charset named(String name, int page) {
        if (page == UTF_8) {
            return StandardCharsets.UTF_8;
        }
        for (String candidate : new String[] {name, "x-windows-" + page, "IBM" + page, "windows-1252"}) {
            try {
                return Charset.forName(candidate);
            } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
                // the next
            }
        }
        return StandardCharsets.ISO_8859_1;
    }
}
