package dev.pollux.rag.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.internal.text.Reading;
import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Location;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for the chunks of any document whatever. */
class ChunkerPropertyTest {

    private static final int DOCUMENTS = 400;
    private static final int CHARACTERS_A_TOKEN = 5;
    private static final String[] PIECES = {
        "# Title",
        "## Part",
        "###### deep ##",
        "#hashtag",
        "Set\n===",
        "Two\nlines\n---",
        "---",
        "***",
        "---\nkey: value\n---",
        "```java\nint x = 1;\n\n# no heading\n```",
        "~~~\nopen",
        "```",
        "| a | b |\n|---|:-:|\n| 1 | 2 |",
        "|-|",
        "- item",
        "* item\n  more\n\n  still",
        "1. one\n2. two",
        "> quote\n> # in quote",
        "<!-- note\n\n# no\n-->",
        "<pre>\n# no\n\n</pre>",
        "    indented",
        "A sentence. Another one! A third? Yes.",
        "word",
        "supercalifragilisticexpialidocious".repeat(4),
        "\uD83D\uDE80\uD83D\uDE80\uD83D\uDE80",
        "日本語の文章です。もう一つ。",
        "e\u0301\u0302",
        "\uD800",
        "\t",
        "   ",
        "\u00A0",
        "\u2028",
        "a".repeat(300),
        "x ".repeat(150),
        ".,;:!?".repeat(30),
        "\uFEFF",
        "`",
        "\\",
        "[link](http://x.y/z)"
    };
    private static final String[] BREAKS = {"\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "\n \n", " ", "", "\n\n\n"};

    static List<Long> seeds() {
        return List.of(1L, 2L, 3L, 4L);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void chunksCoverTheDocumentAndFitTheModel(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < DOCUMENTS; i++) {
            String text = text(random);
            String mediaType = random.nextBoolean() ? "text/markdown" : "text/plain";
            int window = 18 + random.nextInt(60);
            int target = 16 + random.nextInt(window);
            ChunkOptions options = ChunkOptions.builder()
                    .targetTokens(target)
                    .maxTokens(Math.max(target, 16 + random.nextInt(100)))
                    .contextual(random.nextBoolean())
                    .build();
            try (HashingEmbedder embedder = new HashingEmbedder(8, window)) {
                Document document = new Document("d", mediaType, text, Map.of());
                List<Chunk> chunks = Chunker.of(embedder, options).split(document);
                String what = "seed " + seed + ", document " + i + ", " + options + ", " + mediaType + ": " + text;
                check(what, Reading.of(text, mediaType), chunks, embedder, Math.min(window, options.maxTokens()));
            }
        }
    }

    private static void check(String what, Reading reading, List<Chunk> chunks, HashingEmbedder embedder, int window) {
        String text = reading.text();
        int covered = 0;
        for (Chunk chunk : chunks) {
            assertThat(chunk.start()).as(what).isGreaterThanOrEqualTo(covered);
            assertThat(reading.visible(covered, chunk.start())).as(what).isBlank();
            assertThat(chunk.text(text))
                    .as(what)
                    .isNotBlank()
                    .isEqualTo(chunk.text(text).strip());
            assertThat(embedder.countTokens(chunk.embeddingText())).as(what).isLessThanOrEqualTo(window);
            assertThat(chunk.embeddingText().length() / CHARACTERS_A_TOKEN)
                    .as(what)
                    .isLessThanOrEqualTo(window);
            assertThat(chunk.location())
                    .as(what)
                    .isEqualTo(Location.lines(line(text, chunk.start()), line(text, chunk.end() - 1)));
            assertThat(parts(text, chunk.start()) || parts(text, chunk.end()))
                    .as(what)
                    .isFalse();
            covered = chunk.end();
        }
        assertThat(reading.visible(covered, text.length())).as(what).isBlank();
        String visible = reading.visible(0, text.length()).strip();
        if (embedder.countTokens(visible) <= window && visible.length() / CHARACTERS_A_TOKEN <= window) {
            assertThat(chunks).as(what).hasSize(visible.isEmpty() ? 0 : 1);
        }
    }

    /** The line of a character, counted one character at a time. */
    private static int line(String text, int offset) {
        int line = 1;
        for (int i = 0; i < offset; i++) {
            boolean feed = text.charAt(i) == '\n';
            boolean aloneReturn = text.charAt(i) == '\r' && (i + 1 == text.length() || text.charAt(i + 1) != '\n');
            line += feed || aloneReturn ? 1 : 0;
        }
        return line;
    }

    private static boolean parts(String text, int offset) {
        return offset > 0
                && offset < text.length()
                && Character.isSurrogatePair(text.charAt(offset - 1), text.charAt(offset));
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        int pieces = random.nextInt(30);
        for (int i = 0; i < pieces; i++) {
            text.append(PIECES[random.nextInt(PIECES.length)]);
            text.append(BREAKS[random.nextInt(BREAKS.length)]);
        }
        return text.toString();
    }
}
