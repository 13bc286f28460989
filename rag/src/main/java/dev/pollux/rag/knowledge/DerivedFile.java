package dev.pollux.rag.knowledge;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A file that is derived from one segment of the Lucene index, as the commit data names it. <em>Immutable.</em>
 *
 * @param name id of the segment in hex, a point, and the kind
 * @param length in bytes
 * @param checksum CRC-32C of the whole file
 */
record DerivedFile(String name, long length, int checksum) {

    /** The kinds of derived files. */
    enum Kind {
        /** {@link VectorFile}. */
        VECTORS,
        /** {@link GraphFile}. */
        GRAPH;

        String file(String segment) {
            return segment + "." + name().toLowerCase(Locale.ROOT);
        }
    }

    private static final Pattern LINE = Pattern.compile("([0-9a-f]+\\.[a-z]+) (\\d+) ([0-9a-f]{8})");

    /** The id of its segment, in hex. */
    String segment() {
        return name.substring(0, name.indexOf('.'));
    }

    /** The value in the commit data: a line for each file, sorted by name: name, length, checksum in hex. */
    static String text(Collection<DerivedFile> files) {
        return files.stream()
                .sorted(Comparator.comparing(DerivedFile::name))
                .map(file -> String.format(Locale.ROOT, "%s %d %08x", file.name, file.length, file.checksum))
                .collect(Collectors.joining("\n"));
    }

    /** The files in a value of the commit data; lines in another form are ignored. */
    static List<DerivedFile> parse(String text) {
        List<DerivedFile> files = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            Matcher parts = LINE.matcher(line);
            if (parts.matches()) {
                files.add(new DerivedFile(
                        parts.group(1), Long.parseLong(parts.group(2)), Integer.parseUnsignedInt(parts.group(3), 16)));
            }
        }
        return files;
    }
}
