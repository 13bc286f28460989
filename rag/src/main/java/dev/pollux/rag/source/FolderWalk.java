package dev.pollux.rag.source;

import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** One traversal of a folder that sorts its files into those to read and those to skip. */
final class FolderWalk {

    /**
     * A file to read.
     *
     * @param mediaType of a text file
     * @param reader of a file that is not plain text
     */
    record Wanted(Path file, String mediaType, Optional<DocumentReader> reader) {}

    /** A file that is not read. */
    record Unread(String kind, String reason) {

        /** A file of an unsupported type. */
        static Unread type(String kind) {
            String old = FORMER.getOrDefault(kind, "");
            String reason = kind.isEmpty()
                    ? "is of a type that is not read"
                    : old.isEmpty() ? "is of type " + kind + ", which is not read" : old;
            return new Unread(kind, reason);
        }
    }

    private static final Map<String, String> FORMER = Map.of(
            "DOC", "is in the old Word format, which is not read; save it as .docx",
            "XLS", "is in the old Excel format, which is not read; save it as .xlsx",
            "PPT", "is in the old PowerPoint format, which is not read; save it as .pptx",
            "MSG", "is an Outlook message, which is not read; save it as .eml");

    private static final Unread IGNORED = new Unread("", "is left out by .gitignore");

    /** A folder of the traversal. */
    private record Step(Path folder, List<String> path, IgnoreRules rules) {}

    private final Path root;
    private final FolderOptions options;
    private final DocumentReaders readers = DocumentReaders.installed();
    private final List<PathPattern> include;
    private final List<PathPattern> exclude;
    private final Deque<Step> folders = new ArrayDeque<>();
    private final SortedMap<String, Wanted> wanted = new TreeMap<>();
    private final SortedMap<String, String> skipped = new TreeMap<>(); // id -> reason
    private final SortedMap<String, Unread> unread = new TreeMap<>(); // by id

    private FolderWalk(Path root, FolderOptions options) {
        this.root = root;
        this.options = options;
        this.include = patterns(options.include());
        this.exclude = patterns(options.exclude());
    }

    private static List<PathPattern> patterns(List<String> texts) {
        return texts.stream()
                .flatMap(text -> PathPattern.of(text.toLowerCase(Locale.ROOT)).stream())
                .toList();
    }

    /**
     * Traverses {@code root}, a real path.
     *
     * @throws StorageException if it cannot be listed
     */
    static FolderWalk through(Path root, FolderOptions options) {
        FolderWalk walk = new FolderWalk(root, options);
        walk.folders.add(new Step(root, List.of(), options.gitignore() ? IgnoreRules.of(root) : IgnoreRules.NONE));
        while (!walk.folders.isEmpty()) {
            walk.list(walk.folders.remove());
        }
        return walk;
    }

    /** The files to read, by id. */
    SortedMap<String, Wanted> wanted() {
        return wanted;
    }

    /** Reasons why selected files and folders cannot be read, by id. */
    SortedMap<String, String> skipped() {
        return skipped;
    }

    /** Files that are not read, by id. */
    SortedMap<String, Unread> unread() {
        return unread;
    }

    private void list(Step step) {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(step.folder())) {
            for (Path entry : entries) {
                visit(step, entry);
            }
        } catch (IOException | DirectoryIteratorException e) {
            if (step.path().isEmpty()) {
                throw new StorageException("Folder " + root + " cannot be listed; check its permissions", e);
            }
            skipped.put(String.join("/", step.path()) + "/", "cannot be listed; check its permissions");
        }
    }

    private void visit(Step step, Path entry) throws IOException {
        String name = String.valueOf(entry.getFileName());
        boolean folder = Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS);
        List<String> path = new ArrayList<>(step.path());
        path.add(name);
        List<String> lower =
                path.stream().map(part -> part.toLowerCase(Locale.ROOT)).toList();
        boolean hidden = name.startsWith(".") || Files.isHidden(entry);
        boolean excluded = IgnoreRules.decision(exclude, lower, folder).orElse(false);
        if (hidden || excluded) {
            return;
        }
        if (options.gitignore() && step.rules().ignores(name, folder)) {
            unread.put(String.join("/", path) + (folder ? "/" : ""), IGNORED);
        } else if (folder) {
            IgnoreRules rules = options.gitignore() ? step.rules().in(entry) : step.rules();
            folders.add(new Step(entry, List.copyOf(path), rules));
        } else if (Files.isDirectory(entry)) {
            if (!entry.toRealPath().startsWith(root)) {
                skipped.put(String.join("/", path) + "/", "is a link out of the folder; read that folder as well");
            }
        } else {
            file(String.join("/", path), lower, entry);
        }
    }

    private void file(String id, List<String> lower, Path entry) {
        Optional<PathPattern> included = included(lower);
        if (!include.isEmpty() && (included.isEmpty() || included.get().negated())) {
            return;
        }
        String name = lower.get(lower.size() - 1);
        Optional<String> mediaType = FileTypes.mediaType(name);
        Optional<DocumentReader> reader = mediaType.isPresent() ? Optional.empty() : readers.of(name);
        String kind = FileTypes.unread(name);
        boolean asked = kind.isEmpty()
                && included.filter(pattern -> pattern.isSpecific() && pattern.matches(lower, false))
                        .isPresent();
        if (mediaType.isPresent() || reader.isPresent() || asked) {
            wanted.put(id, new Wanted(entry, FileTypes.mediaTypeAsked(name), reader));
        } else {
            unread.put(id, Unread.type(kind));
        }
    }

    /** The last pattern that matches a file or one of its parent folders. */
    private Optional<PathPattern> included(List<String> file) {
        for (int i = include.size() - 1; i >= 0; i--) {
            for (int names = 1; names <= file.size(); names++) {
                if (include.get(i).matches(file.subList(0, names), names < file.size())) {
                    return Optional.of(include.get(i));
                }
            }
        }
        return Optional.empty();
    }
}
