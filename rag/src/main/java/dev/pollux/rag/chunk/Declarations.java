package dev.pollux.rag.chunk;

import dev.pollux.internal.text.Lines;
import java.util.Comparator;
import java.util.List;

/** Finds the declarations of source code. */
final class Declarations {

    private static final String CODE = "text/x-";

    private Declarations() {}

    /** Whether a document of a media type is source code. */
    static boolean isCode(String mediaType) {
        return mediaType.startsWith(CODE);
    }

    /** The declarations of a text in the order of their first lines, an outer one before those in it. */
    static List<Declaration> of(String text, String mediaType, Lines lines) {
        List<Declaration> found = mediaType.equals(CODE + "python")
                ? IndentedCode.declarations(lines)
                : BracedCode.declarations(text, mediaType.substring(CODE.length()), lines);
        return found.stream()
                .sorted(Comparator.comparingInt(Declaration::firstLine).thenComparingInt(Declaration::depth))
                .toList();
    }
}
