package dev.pollux.rag.chunk;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.TextRole;
import dev.pollux.internal.text.Block.Heading;
import dev.pollux.internal.text.Reading;
import dev.pollux.retrieval.Document;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/**
 * Splits documents into chunks that fit an embedding model.
 *
 * <p>A document that fits is one chunk. A longer document is split into runs of whole blocks (paragraphs, lists, tables,
 * fenced code) of at most {@link ChunkOptions#targetTokens()}. A heading stays with the text after it. A section of at least
 * half the target is not merged with the next. A block that exceeds the target but fits the model stays whole. A block that
 * does not fit is split at items, lines or sentences, then at words, then at characters; a chunk that begins inside a block
 * has a {@link Chunk#lead()}. The chunks contain every non-blank character, in order and without overlap, except long
 * comments and embedded data, such as base64 images.
 *
 * <p>tokens(text) = max(tokens of the model, characters / {@value #CHARACTERS_A_TOKEN}), since a model may encode a long
 * word, or a text without spaces, as one unknown token.
 *
 * <p>{@code text/markdown} is split by its structure, source code ({@code text/x-java} and others) by its declarations, every
 * other media type by its paragraphs, titles and code. <em>Thread-safe.</em>
 */
public final class Chunker {

    /** The metadata key of a document's title. */
    public static final String TITLE = "title";

    private static final int CHARACTERS_A_TOKEN = 5;

    private final ChunkOptions options;
    private final ToIntFunction<String> tokens;
    private final Function<List<String>, float[][]> embed;
    private final int window;
    private final int target;

    private Chunker(ChunkOptions options, Embedder embedder, int window) {
        this.options = options;
        this.tokens = embedder::countTokens;
        this.embed = texts -> embedder.embed(texts, TextRole.PASSAGE);
        int most = Math.min(options.maxTokens(), window);
        this.target = Math.min(options.targetTokens(), most);
        this.window = options.strategy() == ChunkStrategy.PARENT_CHILD ? target : most;
    }

    /** A chunker for the limits of {@code embedder}. */
    public static Chunker of(Embedder embedder, ChunkOptions options) {
        return new Chunker(options, embedder, embedder.info().maxTokens());
    }

    /**
     * A text that names the rules and options that determine the chunks. If it changes, documents are split again.
     */
    public String recipe() {
        String strategy = options.strategy() == ChunkStrategy.STRUCTURE
                ? ""
                : " strategy=" + options.strategy() + " sentences=" + options.windowSentences() + " parent="
                        + options.parentTokens();
        return "blocks-5 target=" + target + " window=" + window + " contextual=" + options.contextual() + strategy;
    }

    /**
     * Returns the chunks of a document in order; empty if it is blank.
     *
     * @throws IllegalArgumentException if a single character exceeds the model's token limit
     */
    public List<Chunk> split(Document document) {
        if (document.text().isBlank()) {
            return List.of();
        }
        List<Chunk> chunks = new Cut(document).chunks();
        return options.strategy() == ChunkStrategy.PARENT_CHILD ? parents(chunks) : chunks;
    }

    private List<Chunk> parents(List<Chunk> chunks) {
        int[] sizes = chunks.stream()
                .mapToInt(chunk -> measure(chunk.embeddingText()))
                .toArray(); // (chunks)
        return ParentSections.of(chunks, sizes, options.parentTokens());
    }

    /** Splits one document. */
    private final class Cut {
        private final String text;
        private final Places places;
        private final Splitter splitter;
        private final List<Part> parts;
        private final Reading reading;
        private final Leads leads;
        private final Optional<Heading> title;

        Cut(Document document) {
            text = document.text();
            reading = Reading.of(text, document.mediaType());
            places = new Places(document.places(), reading.lines());
            splitter = new Splitter(reading);
            leads = new Leads(reading);
            boolean code = Declarations.isCode(document.mediaType());
            List<Part> blocks = code ? CodeParts.of(reading, document.mediaType()) : places.apart(Part.of(reading));
            parts = switch (options.strategy()) {
                case STRUCTURE, PARENT_CHILD -> blocks;
                case RECURSIVE -> Part.merged(blocks);
                case SENTENCE_WINDOW, SEMANTIC -> SentenceCuts.of(reading, blocks);
            };
            title = Optional.ofNullable(document.metadata().get(TITLE)).map(this::title);
        }

        /** The title from the metadata as the top heading; if the text begins with the title, the heading at the start. */
        private Heading title(String given) {
            String shown = given.strip();
            return new Heading(0, shown, text.stripLeading().startsWith(shown) ? 0 : -1);
        }

        List<Chunk> chunks() {
            if (options.strategy() == ChunkStrategy.SENTENCE_WINDOW) {
                return sentences();
            }
            boolean whole = parts.stream().noneMatch(Part::apart) && options.strategy() != ChunkStrategy.SEMANTIC;
            if (parts.isEmpty()) {
                return List.of();
            }
            int first = parts.get(0).start();
            int last = parts.get(parts.size() - 1).end();
            if (whole && size("", first, last) <= window) {
                return Stream.of(chunk(first, last, shared()))
                        .filter(this::says)
                        .toList();
            }
            return pack(options.strategy() == ChunkStrategy.SEMANTIC ? subjects(units()) : units());
        }

        /** The units, where a subject begins as the first of a section. */
        private List<Unit> subjects(List<Unit> units) {
            List<String> texts = new ArrayList<>();
            units.forEach(
                    unit -> texts.add(reading.visible(unit.start(), unit.end()).strip()));
            texts.replaceAll(text -> text.isEmpty() ? "-" : text); // what is not shown is like nothing
            boolean[] breaks = SemanticBreaks.of(texts, embed); // (units)
            List<Unit> marked = new ArrayList<>();
            for (int i = 0; i < breaks.length; i++) {
                Unit unit = units.get(i);
                boolean begins =
                        unit.section() && unit.path().stream().anyMatch(title -> title.start() >= unit.start());
                marked.add(unit.marked(i == 0 || begins || breaks[i], breaks[i]));
            }
            return marked;
        }

        /** A chunk of each sentence, with the sentences before it as its lead. */
        private List<Chunk> sentences() {
            List<Chunk> chunks = new ArrayList<>();
            List<Unit> units = units();
            for (int i = 0; i < units.size(); i++) {
                Chunk chunk = chunk(units.subList(i, i + 1));
                int first = i;
                while (first > 0
                        && i - first < options.windowSentences()
                        && !units.get(first).section()) {
                    first--;
                }
                String lead = text.substring(units.get(first).start(), chunk.start());
                if (says(chunk)) {
                    chunks.add(measure(lead) <= window ? chunk.withLead(lead) : chunk);
                }
            }
            return chunks;
        }

        /** Parts with their headings; a part that does not fit is split. */
        private List<Unit> units() {
            List<Unit> units = new ArrayList<>();
            int start = -1;
            boolean apart = false;
            for (int i = 0; i < parts.size(); i++) {
                Part part = parts.get(i);
                boolean leads = part.kind() == Part.Kind.HEADING || part.kind() == Part.Kind.FRONT_MATTER;
                boolean section = start >= 0 || leads || part.apart();
                apart = start < 0 ? part.apart() : apart;
                start = start < 0 ? part.start() : start;
                if (leads && i + 1 < parts.size() && !parts.get(i + 1).apart()) {
                    continue;
                }
                add(units, new Part(part.kind(), start, part.end(), part.path(), apart), section);
                start = -1;
            }
            return units;
        }

        private void add(List<Unit> units, Part part, boolean section) {
            int size = size(context(part.path(), part.start()), part.start(), part.end());
            if (size <= window) {
                units.add(new Unit(part.start(), part.end(), part.path(), section, part.apart(), size));
                return;
            }
            String full = context(part.path(), Integer.MAX_VALUE);
            int start = part.start();
            boolean first = section;
            boolean apart = part.apart();
            for (int end :
                    splitter.split(part.kind(), start, part.end(), (from, to) -> size(full, from, to) <= target)) {
                units.add(new Unit(start, end, part.path(), first, apart, size("", start, end)));
                start = end;
                first = false;
                apart = false;
            }
        }

        /** Splits long sections evenly and merges small ones. */
        private List<Chunk> pack(List<Unit> units) {
            List<Chunk> chunks = new ArrayList<>();
            List<Unit> open = new ArrayList<>(); // small sections to be merged
            for (List<Unit> section : Unit.sections(units)) {
                if (!open.isEmpty() && !belongs(open, section)) {
                    close(open, chunks);
                }
                if (Unit.size(section) > target) {
                    close(open, chunks);
                    even(section, chunks);
                } else {
                    open.addAll(section);
                }
            }
            close(open, chunks);
            return chunks;
        }

        /**
         * Whether a small section is merged with those before it: they are small together and share a heading, if they have
         * one.
         */
        private boolean belongs(List<Unit> open, List<Unit> section) {
            List<Heading> before = open.get(0).path();
            List<Heading> path = section.get(0).path();
            if (section.get(0).apart()) {
                return false;
            }
            boolean related =
                    before.isEmpty() || path.isEmpty() || before.get(0).equals(path.get(0));
            return related && Unit.size(open) < target / 2 && Unit.size(open) + Unit.size(section) <= target;
        }

        /** Splits a section where the size so far is closest to an even share. */
        private void even(List<Unit> section, List<Chunk> chunks) {
            int total = Unit.size(section);
            int parts = (total + target - 1) / target;
            double share = (double) total / parts;
            List<Unit> open = new ArrayList<>();
            int sum = 0;
            int sumBefore = 0;
            for (Unit unit : section) {
                boolean passed = sum + unit.size() / 2.0 > sumBefore + share;
                if (!open.isEmpty() && (passed || Unit.size(open) + unit.size() > target)) {
                    sumBefore = sum;
                    close(open, chunks);
                }
                open.add(unit);
                sum += unit.size();
            }
            close(open, chunks);
        }

        /** Makes one chunk of the units, or several if they do not fit, and clears the list. */
        private void close(List<Unit> open, List<Chunk> chunks) {
            int from = 0;
            while (from < open.size()) {
                int to = open.size();
                while (to > from + 1 && !fits(open.subList(from, to))) {
                    to--;
                }
                Chunk chunk = chunk(open.subList(from, to));
                if (says(chunk)) {
                    chunks.add(chunk);
                }
                from = to;
            }
            open.clear();
        }

        private boolean fits(List<Unit> units) {
            return measure(chunk(units).embeddingText()) <= window;
        }

        /** Whether the text to embed is not blank. */
        private boolean says(Chunk chunk) {
            return !reading.visible(chunk.start(), chunk.end()).isBlank();
        }

        private Chunk chunk(List<Unit> units) {
            return chunk(units.get(0).start(), units.get(units.size() - 1).end(), Unit.path(units));
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
            String context = context(path, start);
            String lead = lead(start);
            return new Chunk(
                    path.stream().map(Heading::title).toList(),
                    context,
                    start,
                    end,
                    places.of(start, end),
                    lead,
                    embeddingText(context, lead, start, end));
        }

        private String lead(int start) {
            return leads.at(start, lead -> measure(lead) <= window / 2);
        }

        private String embeddingText(String context, String lead, int start, int end) {
            String said = lead + reading.visible(start, end).strip();
            return context.isEmpty() ? said : context + "\n" + said;
        }

        /**
         * The titles above {@code start}; the outermost are dropped while the titles use more than a quarter of the token
         * limit.
         */
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

        private int size(String context, int start, int end) {
            int from = start;
            while (from < end && Character.isWhitespace(text.charAt(from))) {
                from++;
            }
            return measure(embeddingText(context, from < end ? lead(from) : "", from, end));
        }

        private List<Heading> shared() {
            List<Heading> path = parts.get(parts.size() - 1).path();
            for (Part part : parts) {
                path = part.kind() == Part.Kind.FRONT_MATTER ? path : Part.common(path, part.path());
            }
            return path;
        }
    }

    /** max(tokens of the text, its characters / {@value #CHARACTERS_A_TOKEN}). */
    private int measure(String embedded) {
        return Math.max(tokens.applyAsInt(embedded), embedded.length() / CHARACTERS_A_TOKEN);
    }
}
