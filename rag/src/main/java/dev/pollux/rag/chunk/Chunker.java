package dev.pollux.rag.chunk;

import dev.pollux.embedding.Embedder;
import dev.pollux.rag.chunk.Block.Heading;
import dev.pollux.retrieval.Document;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

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
        return "blocks-1 target=" + target + " window=" + window + " contextual=" + options.contextual();
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

        Cut(Document document) {
            text = document.text();
            lines = new Lines(text);
            splitter = new Splitter(text, lines);
            blocks = document.mediaType().equals("text/markdown") ? MarkdownBlocks.of(lines) : PlainBlocks.of(lines);
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

        private List<Chunk> pack(List<Unit> units) {
            List<Chunk> chunks = new ArrayList<>();
            int from = 0;
            while (from < units.size()) {
                int to = run(units, from);
                int end = to;
                while (end > from + 1 && !fits(units.subList(from, end))) {
                    end--;
                }
                Chunk chunk = chunk(units.subList(from, end));
                if (chunk.start() < chunk.end()) {
                    chunks.add(chunk);
                }
                from = end;
            }
            return chunks;
        }

        /** One past the last unit that goes with {@code from}. */
        private int run(List<Unit> units, int from) {
            int sum = units.get(from).size();
            int to = from + 1;
            while (to < units.size()) {
                Unit next = units.get(to);
                boolean enough = next.section() && sum >= target / 2;
                if (enough || sum + next.size() > target) {
                    break;
                }
                sum += next.size();
                to++;
            }
            boolean tail = to + 1 == units.size()
                    || to + 1 < units.size() && units.get(to + 1).section();
            if (tail
                    && !units.get(to).section()
                    && units.get(to).size() < target / 4
                    && fits(units.subList(from, to + 1))) {
                return to + 1;
            }
            return to;
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
                    lines.at(Math.max(start, end - 1)) + 1);
        }

        /** The titles that stand before {@code start}, the outermost left out while they take over a quarter of the room. */
        private String context(List<Heading> path, int start) {
            if (!options.contextual()) {
                return "";
            }
            List<String> titles = path.stream()
                    .filter(heading ->
                            heading.start() < start && !heading.title().isEmpty())
                    .map(Heading::title)
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
