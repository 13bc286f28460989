package dev.pollux.rag.chunk;

import dev.pollux.embedding.Embedder;
import dev.pollux.rag.chunk.Block.Heading;
import dev.pollux.retrieval.Document;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/**
 * Cuts documents into chunks that an embedding model reads whole.
 *
 * <p>A document that fits is one chunk. Of a longer one, each chunk is a run of whole blocks (paragraphs, lists, tables,
 * fenced code) of at most {@link ChunkOptions#targetTokens()}; a heading stays with what follows it, and a section of
 * half the target or more is not merged with the next. A block that is longer than the target but fits stays whole; one
 * that does not fit is cut at items, lines or sentences, then words, then characters. Together the chunks hold every
 * character that is not blank, in order and without overlap.
 *
 * <p>{@code text/markdown} is read by its structure, every other media type as paragraphs. <em>Thread-safe.</em>
 */
public final class Chunker {

    /** The metadata that holds a document's title, if it has one. */
    public static final String TITLE = "title";

    private final ChunkOptions options;
    private final ToIntFunction<String> tokens;
    private final int window;
    private final int target;

    private Chunker(ChunkOptions options, ToIntFunction<String> tokens, int window) {
        this.options = options;
        this.tokens = tokens;
        this.window = Math.min(options.maxTokens(), window);
        this.target = Math.min(options.targetTokens(), this.window);
    }

    /** A chunker for what {@code embedder} reads. */
    public static Chunker of(Embedder embedder, ChunkOptions options) {
        return new Chunker(options, embedder::countTokens, embedder.info().maxTokens());
    }

    /**
     * What decides the cut beside the document and the embedder: documents cut under another recipe are cut anew.
     */
    public String recipe() {
        return "blocks-2 target=" + target + " window=" + window + " contextual=" + options.contextual();
    }

    /**
     * The chunks of a document, in its order; none if it is blank.
     *
     * @throws IllegalArgumentException if one character has more tokens than the model reads
     */
    public List<Chunk> split(Document document) {
        return document.text().isBlank() ? List.of() : new Cut(document).chunks();
    }

    /** A run of characters that is not cut further, and its size. */
    private record Unit(int start, int end, List<Heading> path, boolean section, int size) {}

    /** The cutting of one document. */
    private final class Cut {
        private final String text;
        private final Lines lines;
        private final Splitter splitter;
        private final List<Block> blocks;
        private final Fences fences = new Fences();
        private final Optional<Heading> title;

        Cut(Document document) {
            text = document.text();
            lines = new Lines(text);
            splitter = new Splitter(text, lines);
            blocks = document.mediaType().equals("text/markdown")
                    ? MarkdownBlocks.of(lines, fences)
                    : PlainBlocks.of(lines);
            title = Optional.ofNullable(document.metadata().get(TITLE)).map(this::title);
        }

        /** The title from the metadata as a heading above all, or at the very beginning where the text begins with it. */
        private Heading title(String given) {
            String shown = given.strip();
            int start = blocks.get(0).start();
            return new Heading(0, shown, text.startsWith(shown, start) ? start : -1);
        }

        List<Chunk> chunks() {
            int first = blocks.get(0).start();
            int last = blocks.get(blocks.size() - 1).end();
            if (count("", first, last) <= window) {
                return List.of(chunk(first, last, shared(blocks)));
            }
            return pack(units());
        }

        /** Blocks with the headings before them, cut where they do not fit. */
        private List<Unit> units() {
            List<Unit> units = new ArrayList<>();
            int start = -1;
            for (int i = 0; i < blocks.size(); i++) {
                Block block = blocks.get(i);
                boolean leads = block.kind() == Block.Kind.HEADING || block.kind() == Block.Kind.FRONT_MATTER;
                boolean section = start >= 0 || leads;
                start = start < 0 ? block.start() : start;
                if (leads && i + 1 < blocks.size()) {
                    continue;
                }
                add(units, new Block(block.kind(), start, block.end(), block.path()), section);
                start = -1;
            }
            return units;
        }

        private void add(List<Unit> units, Block block, boolean section) {
            String context = context(block.path(), block.start());
            int size = count(context, block.start(), block.end());
            if (size <= window) {
                units.add(new Unit(block.start(), block.end(), block.path(), section, size));
                return;
            }
            String full = context(block.path(), Integer.MAX_VALUE);
            int start = block.start();
            boolean first = section;
            for (int end :
                    splitter.split(block.kind(), start, block.end(), (from, to) -> count(full, from, to) <= target)) {
                units.add(new Unit(start, end, block.path(), first, count("", start, end)));
                start = end;
                first = false;
            }
        }

        /** Long sections in even parts, small ones together. */
        private List<Chunk> pack(List<Unit> units) {
            List<Chunk> chunks = new ArrayList<>();
            List<Unit> open = new ArrayList<>(); // small sections that wait for more
            for (List<Unit> section : sections(units)) {
                if (!open.isEmpty() && !belongs(open, section)) {
                    close(open, chunks);
                }
                if (size(section) > target) {
                    close(open, chunks);
                    even(section, chunks);
                } else {
                    open.addAll(section);
                }
            }
            close(open, chunks);
            return chunks;
        }

        private List<List<Unit>> sections(List<Unit> units) {
            List<List<Unit>> sections = new ArrayList<>();
            int from = 0;
            for (int i = 1; i <= units.size(); i++) {
                if (i == units.size() || units.get(i).section()) {
                    sections.add(units.subList(from, i));
                    from = i;
                }
            }
            return sections;
        }

        /** Whether a small section goes with those before it: they are few tokens and under one heading, if under any. */
        private boolean belongs(List<Unit> open, List<Unit> section) {
            List<Heading> before = open.get(0).path();
            List<Heading> path = section.get(0).path();
            boolean related =
                    before.isEmpty() || path.isEmpty() || before.get(0).equals(path.get(0));
            return related && size(open) < target / 2 && size(open) + size(section) <= target;
        }

        /** Cuts a section where the size so far is nearest to an even share. */
        private void even(List<Unit> section, List<Chunk> chunks) {
            int total = size(section);
            int parts = (total + target - 1) / target;
            double share = (double) total / parts;
            List<Unit> open = new ArrayList<>();
            int sum = 0;
            int sumBefore = 0;
            for (Unit unit : section) {
                boolean passed = sum + unit.size() / 2.0 > sumBefore + share;
                if (!open.isEmpty() && (passed || size(open) + unit.size() > target)) {
                    sumBefore = sum;
                    close(open, chunks);
                }
                open.add(unit);
                sum += unit.size();
            }
            close(open, chunks);
        }

        /** Makes a chunk of the units, or more where they do not fit, and empties the list. */
        private void close(List<Unit> open, List<Chunk> chunks) {
            int from = 0;
            while (from < open.size()) {
                int to = open.size();
                while (to > from + 1 && !fits(open.subList(from, to))) {
                    to--;
                }
                Chunk chunk = chunk(open.subList(from, to));
                if (chunk.start() < chunk.end()) {
                    chunks.add(chunk);
                }
                from = to;
            }
            open.clear();
        }

        private int size(List<Unit> units) {
            return units.stream().mapToInt(Unit::size).sum();
        }

        private boolean fits(List<Unit> units) {
            Chunk chunk = chunk(units);
            return count(chunk.context(), chunk.start(), chunk.end()) <= window;
        }

        private Chunk chunk(List<Unit> units) {
            List<Heading> path = units.get(0).path();
            for (Unit unit : units) {
                path = common(path, unit.path());
            }
            return chunk(units.get(0).start(), units.get(units.size() - 1).end(), path);
        }

        private Chunk chunk(int from, int to, List<Heading> path) {
            int start = from;
            int end = to;
            while (end > start && Character.isWhitespace(text.charAt(end - 1))) {
                end--;
            }
            while (start < end && Character.isWhitespace(text.charAt(start))) {
                start++;
            }
            return new Chunk(
                    path.stream().map(Heading::title).toList(),
                    context(path, start),
                    start,
                    end,
                    lines.at(start) + 1,
                    lines.at(Math.max(start, end - 1)) + 1,
                    lead(fences.at(lines.at(start))));
        }

        private String lead(String fence) {
            return fence.isEmpty() ? "" : fence + "\n";
        }

        /** The titles that stand before {@code start}, the outermost left out while they take over a quarter of the room. */
        private String context(List<Heading> path, int start) {
            if (!options.contextual()) {
                return "";
            }
            List<String> titles = Stream.concat(title.stream(), path.stream())
                    .filter(heading ->
                            heading.start() < start && !heading.title().isEmpty())
                    .map(Heading::title)
                    .distinct()
                    .toList();
            for (int i = 0; i < titles.size(); i++) {
                String context = String.join(" > ", titles.subList(i, titles.size()));
                if (tokens.applyAsInt(context) <= window / 4) {
                    return context;
                }
            }
            return "";
        }

        private int count(String context, int start, int end) {
            String part = text.substring(start, end).strip();
            return tokens.applyAsInt(context.isEmpty() ? part : context + "\n" + part);
        }

        private List<Heading> shared(List<Block> all) {
            List<Heading> path = all.get(all.size() - 1).path();
            for (Block block : all) {
                path = block.kind() == Block.Kind.FRONT_MATTER ? path : common(path, block.path());
            }
            return path;
        }
    }

    private static List<Heading> common(List<Heading> a, List<Heading> b) {
        int n = 0;
        while (n < Math.min(a.size(), b.size()) && a.get(n).equals(b.get(n))) {
            n++;
        }
        return a.subList(0, n);
    }
}
