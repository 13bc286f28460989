package dev.pollux.rag.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The {@code .gitignore} files that apply to a folder: its own and those of its parent folders up to the root of the
 * repository. The last matching pattern of the nearest file decides. <em>Immutable.</em>
 */
final class IgnoreRules {

    private static final String FILE = ".gitignore";
    private static final int MOST_BYTES = 1 << 20;

    /** No rules. */
    static final IgnoreRules NONE = new IgnoreRules(null, List.of(), List.of());

    private final @Nullable IgnoreRules above;
    private final List<String> folder; // names on the way from the outermost folder that counts
    private final List<PathPattern> patterns;

    private IgnoreRules(@Nullable IgnoreRules above, List<String> folder, List<PathPattern> patterns) {
        this.above = above;
        this.folder = List.copyOf(folder);
        this.patterns = List.copyOf(patterns);
    }

    /** The rules of a folder that is the root of a source. */
    static IgnoreRules of(Path root) {
        List<Path> way = new ArrayList<>();
        for (Path at = root; at != null; at = at.getParent()) {
            way.add(0, at);
            if (Files.exists(at.resolve(".git"))) {
                break;
            }
            if (at.getParent() == null) { // in no repository: folders above it are not its own
                way = List.of(root);
            }
        }
        IgnoreRules rules = new IgnoreRules(null, List.of(), patterns(way.get(0)));
        for (Path inner : way.subList(1, way.size())) {
            rules = rules.leavesOut(inner)
                    ? new IgnoreRules(null, List.of(), patterns(inner)) // asked for, so that rules above do not count
                    : rules.in(inner);
        }
        return rules;
    }

    /** Whether a subfolder, or its whole content, is excluded. */
    private boolean leavesOut(Path inner) {
        IgnoreRules inside = new IgnoreRules(this, path(String.valueOf(inner.getFileName())), List.of());
        return ignores(String.valueOf(inner.getFileName()), true) || inside.ignores("any.md", false);
    }

    /** The rules of a subfolder. */
    IgnoreRules in(Path inner) {
        return new IgnoreRules(this, path(String.valueOf(inner.getFileName())), patterns(inner));
    }

    /** Whether a file or subfolder of this folder is excluded. */
    boolean ignores(String name, boolean isFolder) {
        List<String> path = path(name);
        for (IgnoreRules rules = this; rules != null; rules = rules.above) {
            Optional<Boolean> decided =
                    decision(rules.patterns, path.subList(rules.folder.size(), path.size()), isFolder);
            if (decided.isPresent()) {
                return decided.get();
            }
        }
        return false;
    }

    /** The decision of the last matching pattern. */
    static Optional<Boolean> decision(List<PathPattern> patterns, List<String> path, boolean isFolder) {
        for (int i = patterns.size() - 1; i >= 0; i--) {
            if (patterns.get(i).matches(path, isFolder)) {
                return Optional.of(!patterns.get(i).negated());
            }
        }
        return Optional.empty();
    }

    private List<String> path(String name) {
        List<String> path = new ArrayList<>(folder);
        path.add(name);
        return path;
    }

    /** The patterns of a folder's {@code .gitignore}; empty if there is no readable one. */
    private static List<PathPattern> patterns(Path folder) {
        Path file = folder.resolve(FILE);
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return List.of();
        }
        try (InputStream in = Files.newInputStream(file)) {
            String text = new String(in.readNBytes(MOST_BYTES), StandardCharsets.UTF_8);
            return (text.startsWith("\uFEFF") ? text.substring(1) : text)
                    .lines()
                    .flatMap(line -> PathPattern.of(line).stream())
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }
}
