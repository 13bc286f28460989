package dev.pollux.tensor;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The files of a split model: {@code name-00001-of-00003.gguf} and so on. Each has the metadata {@code split.count} and its
 * own {@code split.no}, from 0. The first part has the metadata of the model.
 */
final class GgufParts {

    private static final Pattern NAME = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})(\\.gguf)", Pattern.CASE_INSENSITIVE);

    /** A file with its parsed header. */
    record Part(MappedFile file, GgufReader header) {}

    private GgufParts() {}

    /** Opens all parts in order, given the path of any part; a file that is not split is the only part. */
    static List<Part> open(Path path) {
        List<Part> parts = new ArrayList<>();
        try {
            Part given = part(path);
            parts.add(given);
            long count = number(given, "split.count", 1);
            if (count > 1) {
                for (Path other : names(path, count)) {
                    if (!other.equals(path)) {
                        parts.add(part(other));
                    }
                }
                parts.sort((a, b) -> a.file().path().compareTo(b.file().path()));
                check(parts);
            }
            return parts;
        } catch (RuntimeException | Error e) {
            parts.forEach(part -> part.file().close());
            throw e;
        }
    }

    private static Part part(Path path) {
        MappedFile file = new MappedFile(path);
        try {
            return new Part(file, new GgufReader(file));
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    private static List<Path> names(Path path, long count) {
        Matcher name = NAME.matcher(String.valueOf(path.getFileName()));
        if (!name.matches() || Long.parseLong(name.group(3)) != count) {
            throw new MalformedFileException(
                    path + " is one of " + count + " parts but its name does not end in -00001-of-"
                            + String.format("%05d", count) + ".gguf or on; give the parts back their names");
        }
        List<Path> names = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            Path part = path.resolveSibling(String.format("%s-%05d-of-%05d%s", name.group(1), i, count, name.group(4)));
            if (!Files.isRegularFile(part)) {
                throw new StorageException(path + " is one of " + count + " parts, of which " + part.getFileName()
                        + " is missing; get it too");
            }
            names.add(part);
        }
        return names;
    }

    private static void check(List<Part> parts) {
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            long count = number(part, "split.count", 1);
            long number = number(part, "split.no", -1);
            if (count != parts.size() || number != i) {
                throw new MalformedFileException(part.file().path() + " must be part " + i + " of " + parts.size()
                        + ", counted from 0, but says that it is " + number + " of " + count
                        + "; download the file again");
            }
        }
    }

    private static long number(Part part, String key, long otherwise) {
        return part.header().metadata.get(key) instanceof Long number ? number : otherwise;
    }
}
