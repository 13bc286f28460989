package dev.pollux.internal;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/** Identifies a file of an unexpected format by its first bytes. */
public final class ForeignFile {

    /** Bytes that {@link #describe} looks at. */
    public static final int HEAD = 512;

    private static final int QUOTED = 80;

    private ForeignFile() {}

    /**
     * A description of the file and a remedy, such as {@code it is empty; download the file again}; empty if nothing is known.
     *
     * @param head the first {@link #HEAD} bytes, or all if there are fewer
     * @param size of the file, in bytes
     */
    public static Optional<String> describe(byte[] head, long size) {
        if (size == 0) {
            return Optional.of("it is empty; download the file again");
        }
        String text = new String(head, StandardCharsets.ISO_8859_1);
        String start = text.stripLeading().toLowerCase(Locale.ROOT);
        if (text.startsWith("version https://git-lfs.github.com/")) {
            return Optional.of("it is a Git LFS pointer, not the file itself; fetch the file with git lfs pull");
        }
        if (start.startsWith("<!doctype html") || start.startsWith("<html") || start.startsWith("<?xml")) {
            return Optional.of("it is a web page, not the file; download the file itself, and log in first if the page"
                    + " asks for it");
        }
        if (text.startsWith("GGUF")) {
            return Optional.of("it is a GGUF file; give it the ending .gguf");
        }
        if (text.startsWith("PK\3\4") || text.startsWith("\u0080\2") || text.startsWith("\u0080\4")) {
            return Optional.of("it is an archive or a pickle of PyTorch, whatever its name says; convert it with"
                    + " save_pretrained of transformers, which writes safetensors");
        }
        if (text.startsWith("\u0089HDF")) {
            return Optional.of("it is an HDF5 file; convert it with save_pretrained of transformers, which writes"
                    + " safetensors");
        }
        return size <= HEAD && isText(text)
                ? Optional.of("it is a text, '" + shortened(text.strip()) + "'; download the file again")
                : Optional.empty();
    }

    private static boolean isText(String text) {
        return text.chars().allMatch(c -> c >= ' ' && c < 127 || c == '\n' || c == '\r' || c == '\t');
    }

    private static String shortened(String text) {
        String line = text.replaceAll("\\s+", " ");
        return line.length() <= QUOTED ? line : line.substring(0, QUOTED) + "…";
    }
}
