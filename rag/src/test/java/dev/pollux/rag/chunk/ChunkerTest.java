package dev.pollux.rag.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Location;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ChunkerTest {

    private static final String SENTENCE = "Every word of this line is one token. "; // 9 tokens with its point

    @Test
    void aDocumentThatFitsIsOneChunkUnderItsTitle() {
        String text = "# Guide\n\nHello.\n\n## Part\n\nWorld.\n";
        List<Chunk> chunks = markdown(text, 64);
        assertThat(chunks)
                .containsExactly(
                        new Chunk(List.of("Guide"), "", 0, text.length() - 1, Location.lines(1, 7), "", text.strip()));
    }

    @Test
    void sectionsAreKeptApartAndCarryTheHeadingsAboveThem() {
        String text = "# Guide\n\n" + "First words here. ".repeat(4) + "\n\n## Part\n\n" + SENTENCE.repeat(2)
                + "\n\n### Detail\n\n" + SENTENCE.repeat(2) + "\n\n## Other\n\n" + SENTENCE.repeat(2);
        List<Chunk> chunks = markdown(text, 32);
        assertThat(chunks)
                .extracting(Chunk::headings)
                .containsExactly(
                        List.of("Guide"),
                        List.of("Guide", "Part"),
                        List.of("Guide", "Part", "Detail"),
                        List.of("Guide", "Other"));
        assertThat(chunks).extracting(Chunk::context).containsExactly("", "Guide", "Guide > Part", "Guide");
        assertThat(chunks.get(2).embeddingText()).startsWith("Guide > Part\n### Detail\n\nEvery word");
    }

    @Test
    void smallSectionsAreMergedUnderTheHeadingTheyShare() {
        String text = "# A\n\n" + SENTENCE.repeat(4) + "\n\n# B\n\n## B1\n\nOne.\n\n## B2\n\nTwo.\n\n## B3\n\nThree.\n";
        List<Chunk> chunks = markdown(text, 48);
        assertThat(chunks).extracting(Chunk::headings).containsExactly(List.of("A"), List.of("B"));
        assertThat(chunks.get(1).text(text)).isEqualTo("# B\n\n## B1\n\nOne.\n\n## B2\n\nTwo.\n\n## B3\n\nThree.");
    }

    @Test
    void aFencedBlockThatFitsIsNotCut() {
        String code = "```python\n# not a heading\nprint(1)\n\nprint(2)\n```";
        String text = SENTENCE.repeat(3) + "\n\n" + code + "\n\n" + SENTENCE.repeat(3);
        assertThat(markdown(text, 32))
                .anySatisfy(chunk -> assertThat(chunk.text(text)).contains(code));
        assertThat(markdown(text, 32))
                .allSatisfy(chunk -> assertThat(chunk.headings()).isEmpty());
    }

    @Test
    void aChunkKnowsTheFencedCodeItBeginsIn() {
        String text = SENTENCE + "\n\n~~~~ java\n" + "call(one, two);\n".repeat(20) + "~~~~\n\n" + SENTENCE;
        for (Chunk chunk : markdown(text, 32)) {
            boolean inside =
                    chunk.text(text).startsWith("call") || chunk.text(text).startsWith("~~~~\n");
            assertThat(chunk.lead()).as(chunk.text(text)).isEqualTo(inside ? "~~~~ java\n" : "");
        }
        assertThat(markdown(text, 32))
                .filteredOn(chunk -> !chunk.lead().isEmpty())
                .hasSizeGreaterThan(2);
    }

    @Test
    void aFencedBlockThatDoesNotFitIsCutBetweenLines() {
        String text = "```\n" + "call(one, two);\n".repeat(20) + "```";
        assertThat(markdown(text, 32))
                .hasSizeGreaterThan(3)
                .allSatisfy(
                        chunk -> assertThat(chunk.text(text)).matches("(?s)(```\n)?(call\\(one, two\\);\n?)+(```)?"));
    }

    @Test
    void aTableThatFitsIsNotCut() {
        String table = "| name | size |\n|------|------|\n| one | 1 |\n| two | 2 |";
        String text = SENTENCE.repeat(3) + "\n\n" + table + "\n\n" + SENTENCE.repeat(3);
        assertThat(markdown(text, 48))
                .anySatisfy(chunk -> assertThat(chunk.text(text)).contains(table));
    }

    @Test
    void aTableThatIsCutKeepsItsHead() {
        String head = "| name | size |\n|------|------|\n";
        String text = "# Parts\n\n" + head + "| one | 1 |\n".repeat(40);
        List<Chunk> chunks = markdown(text, 48);
        assertThat(chunks).hasSizeGreaterThan(2);
        assertThat(chunks.get(0).lead()).isEmpty();
        assertThat(chunks.subList(1, chunks.size())).allSatisfy(chunk -> {
            assertThat(chunk.lead()).isEqualTo(head);
            assertThat(chunk.embeddingText()).isEqualTo("Parts\n" + head + chunk.text(text));
        });
    }

    @Test
    void aListThatIsCutKeepsWhatLeadsIntoIt() {
        String flat = "To go:\n\n" + "1. Take a step with the foot.\n   - and rest for a short while\n".repeat(12);
        List<Chunk> chunks = markdown(flat, 40);
        assertThat(chunks).hasSizeGreaterThan(2);
        assertThat(chunks.subList(1, chunks.size())).allSatisfy(chunk -> {
            assertThat(chunk.text(flat)).startsWith("1. Take");
            assertThat(chunk.lead()).isEqualTo("To go:\n\n");
        });
        String deep = "To go:\n\n1. Take a step.\n" + "   - and rest for a short while\n".repeat(20);
        List<Chunk> parts = markdown(deep, 64);
        assertThat(parts).hasSizeGreaterThan(2);
        assertThat(parts.subList(1, parts.size()))
                .allSatisfy(chunk -> assertThat(chunk.lead()).isEqualTo("To go:\n\n1. Take a step.\n   "));
    }

    @Test
    void whatLeadsIntoAListAndAnAnswerStayWithThem() {
        String text = SENTENCE.repeat(3) + "\n\nWe stock:\n\n- salt\n- oil\n\n" + SENTENCE.repeat(3)
                + "\n\nQ: Who?\n\nA: Ann.\n\n" + SENTENCE.repeat(3);
        assertThat(markdown(text, 32))
                .anySatisfy(chunk -> assertThat(chunk.text(text)).contains("We stock:\n\n- salt\n- oil"))
                .anySatisfy(chunk -> assertThat(chunk.text(text)).contains("Q: Who?\n\nA: Ann."));
    }

    @Test
    void picturesInTheTextAndCommentsAreNotEmbedded() {
        String picture = "![logo](data:image/png;base64," + "iVBORw0KGgo4".repeat(500) + ")";
        String text = "# Notes\n\nThe gate <!-- once two --> is red.\n\n" + picture + "\n\nThe wall is blue.";
        List<Chunk> chunks = markdown(text, 64);
        assertThat(chunks)
                .extracting(Chunk::embeddingText)
                .containsExactly("# Notes\n\nThe gate  is red.", "Notes\nThe wall is blue.");
        assertThat(chunks).allSatisfy(chunk -> assertThat(chunk.text(text)).doesNotContain("base64"));
    }

    @Test
    void aTextWithoutSpacesIsCutByItsCharacters() {
        String text = "โรงอาหารเปิดให้บริการอาหารกลางวัน".repeat(100);
        assertThat(plain(text, 32))
                .hasSizeGreaterThan(10)
                .allSatisfy(chunk -> assertThat(chunk.text(text)).hasSizeLessThan(32 * 6));
    }

    @Test
    void aLongListIsCutBetweenItems() {
        String text = "- first item with words\n  and a second line\n".repeat(12);
        assertThat(markdown(text, 32))
                .hasSizeGreaterThan(2)
                .allSatisfy(chunk ->
                        assertThat(chunk.text(text)).matches("(?s)(- first item with words\n  and a second line\n?)+"));
    }

    @Test
    void aLongParagraphIsCutBetweenSentences() {
        String text = SENTENCE.repeat(12);
        assertThat(markdown(text, 32))
                .hasSizeGreaterThan(2)
                .allSatisfy(chunk ->
                        assertThat(chunk.text(text)).startsWith("Every").endsWith("token."));
    }

    @Test
    void aLongSentenceIsCutBetweenWordsAndALongWordBetweenCharacters() {
        String words = "word ".repeat(100);
        assertThat(plain(words, 32))
                .hasSizeGreaterThan(2)
                .allSatisfy(chunk -> assertThat(chunk.text(words)).matches("(word ?)+"));
        String rockets = "\uD83D\uDE80".repeat(100);
        assertThat(plain(rockets, 32))
                .hasSizeGreaterThan(2)
                .allSatisfy(chunk -> assertThat(chunk.text(rockets)).matches("(\uD83D\uDE80)+"));
    }

    @Test
    void aHeadingIsNotPartedFromWhatFollows() {
        String text = SENTENCE.repeat(3) + "\n\n# Heading\n\n" + SENTENCE.repeat(3);
        assertThat(markdown(text, 32))
                .allSatisfy(chunk -> assertThat(chunk.text(text)).doesNotEndWith("Heading"));
    }

    @Test
    void underlinedHeadingsCount() {
        String text = "Title\n=====\n\n" + SENTENCE.repeat(3) + "\n\nPart\n----\n\n" + SENTENCE.repeat(3);
        assertThat(markdown(text, 48))
                .extracting(Chunk::headings)
                .containsExactly(List.of("Title"), List.of("Title", "Part"));
    }

    @Test
    void headingsInCodeCommentsAndQuotesDoNotCount() {
        String text = "# Real\n\n"
                + "```\n"
                + "# code\n"
                + "```\n\n"
                + "<!--\n"
                + "# comment\n"
                + "-->\n\n"
                + "> # quote\n\n"
                + "- item\n"
                + "  ```\n"
                + "  # listed\n"
                + "  ```\n\n"
                + SENTENCE.repeat(6);
        assertThat(markdown(text, 32))
                .allSatisfy(chunk -> assertThat(chunk.headings()).containsExactly("Real"));
    }

    @Test
    void frontMatterStaysWithTheBeginningAndIsNoHeading() {
        String text = "---\ntitle: x\ntags: a\n---\n\n# Title\n\n" + SENTENCE.repeat(6);
        List<Chunk> chunks = markdown(text, 40);
        assertThat(chunks.get(0).text(text)).startsWith("---\ntitle: x\ntags: a\n---\n\n# Title\n\nEvery");
        assertThat(chunks).allSatisfy(chunk -> assertThat(chunk.headings()).containsExactly("Title"));
    }

    @Test
    void contextCanBeLeftOut() {
        String text = "# Guide\n\n" + SENTENCE.repeat(8);
        ChunkOptions options =
                ChunkOptions.builder().targetTokens(32).contextual(false).build();
        assertThat(chunks("text/markdown", text, options, 32)).allSatisfy(chunk -> {
            assertThat(chunk.context()).isEmpty();
            assertThat(chunk.headings()).containsExactly("Guide");
        });
    }

    @Test
    void aBlankDocumentHasNoChunks() {
        assertThat(markdown(" \n\t\r\n ", 32)).isEmpty();
    }

    @Test
    void whatTheModelCannotReadAtAllIsAnError() {
        ChunkOptions options = ChunkOptions.DEFAULTS;
        assertThatThrownBy(() -> chunks("text/plain", "ab cd", options, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Character 0 alone has more tokens than a chunk may have; use an embedding model that reads"
                        + " longer texts");
    }

    @Test
    void defaultsAreTheBuilders() {
        assertThat(ChunkOptions.builder().build()).isEqualTo(ChunkOptions.DEFAULTS);
        assertThat(ChunkOptions.DEFAULTS)
                .isEqualTo(ChunkOptions.builder()
                        .targetTokens(256)
                        .maxTokens(512)
                        .contextual(true)
                        .strategy(ChunkStrategy.STRUCTURE)
                        .windowSentences(2)
                        .build());
    }

    @Test
    void optionsOutOfRangeAreRefused() {
        assertThatThrownBy(() -> ChunkOptions.builder().maxTokens(15).build())
                .hasMessage("maxTokens must be in [16, 2^20] but was 15");
        assertThatThrownBy(() -> ChunkOptions.builder().targetTokens(513).build())
                .hasMessage("targetTokens must be in [16, maxTokens = 512] but was 513");
    }

    private static List<Chunk> markdown(String text, int window) {
        return chunks("text/markdown", text, options(window), window);
    }

    private static List<Chunk> plain(String text, int window) {
        return chunks("text/plain", text, options(window), window);
    }

    private static ChunkOptions options(int window) {
        return ChunkOptions.builder().targetTokens(window).build();
    }

    private static List<Chunk> chunks(String mediaType, String text, ChunkOptions options, int window) {
        try (HashingEmbedder embedder = new HashingEmbedder(8, window)) {
            return Chunker.of(embedder, options).split(new Document("d", mediaType, text, Map.of()));
        }
    }
}
