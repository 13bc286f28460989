package dev.pollux.rag.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.retrieval.Document;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ChunkStrategyTest {

    private static final String TEXT =
            "# Birds\n\nOwls hunt at night. Owls eat mice. Owls see well in the dark night.\n\n"
                    + "Trains leave at noon. Trains carry coal. Trains are late in winter.\n\n## More\n\n- One item.\n- Another item.\n\n"
                    + "| a | b |\n|---|---|\n| 1 | 2 |\n";

    @ParameterizedTest
    @EnumSource
    void everyCharacterIsInOneChunk(ChunkStrategy strategy) {
        StringBuilder seen = new StringBuilder();
        int end = 0;
        for (Chunk chunk : chunks(strategy, 16)) {
            assertThat(TEXT.substring(end, chunk.start())).isBlank();
            assertThat(chunk.start()).isGreaterThanOrEqualTo(end);
            seen.append(chunk.text(TEXT));
            end = chunk.end();
        }
        assertThat(seen.toString().replaceAll("\\s", "")).isEqualTo(TEXT.replaceAll("\\s", ""));
    }

    @Test
    void sentencesHaveTheSentencesBeforeThemAsTheirLead() {
        Chunk chunk = chunks(ChunkStrategy.SENTENCE_WINDOW, 64).stream()
                .filter(found -> found.text(TEXT).equals("Owls see well in the dark night."))
                .findFirst()
                .orElseThrow();

        assertThat(chunk.lead()).endsWith("Owls hunt at night. Owls eat mice. ");
        assertThat(chunk.embeddingText()).isEqualTo("Birds\nOwls see well in the dark night.");
        assertThat(chunk.headings()).containsExactly("Birds");
    }

    @Test
    void recursiveKnowsNoHeadings() {
        List<Chunk> chunks = chunks(ChunkStrategy.RECURSIVE, 16);

        assertThat(chunks)
                .hasSizeGreaterThan(2)
                .allSatisfy(chunk -> assertThat(chunk.headings()).isEmpty());
    }

    @Test
    void meaningSeparatesSubjects() {
        List<Chunk> chunks = chunks(ChunkStrategy.SEMANTIC, 64);

        assertThat(chunks).anySatisfy(chunk -> assertThat(chunk.text(TEXT)).startsWith("Trains leave"));
        assertThat(chunks).noneSatisfy(chunk -> assertThat(chunk.text(TEXT)).contains("Owls", "Trains"));
    }

    @Test
    void theParentOfAChunkIsTheLargestSectionThatFits() {
        List<Chunk> whole = parents(64);
        assertThat(whole).hasSizeGreaterThan(2).allSatisfy(chunk -> {
            assertThat(chunk.hasParent()).isTrue();
            assertThat(TEXT.substring(chunk.parentStart(), chunk.parentEnd())).isEqualTo(TEXT.strip());
        });
        List<Chunk> sections = parents(40);
        assertThat(sections)
                .extracting(chunk -> TEXT.substring(chunk.parentStart(), chunk.parentEnd()))
                .anyMatch(text -> text.startsWith("# Birds") && text.endsWith("in winter."))
                .anyMatch(text -> text.startsWith("## More") && text.endsWith("| 1 | 2 |"));
    }

    @Test
    void parentsAreRunsOfWholeChunks() {
        for (int most = 16; most < 100; most++) {
            List<Chunk> chunks = parents(most);
            int begin = 0;
            for (int i = 0; i < chunks.size(); i++) {
                assertThat(chunks.get(i).parentStart())
                        .as("parents of %d tokens", most)
                        .isEqualTo(chunks.get(begin).start());
                boolean last = i + 1 == chunks.size()
                        || chunks.get(i + 1).parentStart() != chunks.get(i).parentStart();
                if (last) {
                    for (Chunk chunk : chunks.subList(begin, i + 1)) {
                        assertThat(chunk.parentEnd()).isEqualTo(chunks.get(i).end());
                    }
                    begin = i + 1;
                }
            }
        }
    }

    @Test
    void chunksWithParentsAreSmallByDefault() {
        assertThat(ChunkOptions.builder()
                        .strategy(ChunkStrategy.PARENT_CHILD)
                        .build()
                        .targetTokens())
                .isEqualTo(128);
        assertThat(ChunkOptions.DEFAULTS.targetTokens()).isEqualTo(256);
        assertThat(ChunkOptions.builder().maxTokens(100).build().targetTokens()).isEqualTo(100);
        assertThatThrownBy(() -> ChunkOptions.builder().parentTokens(15).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("parentTokens must be in [16, 2^20] but was 15");
    }

    private static List<Chunk> parents(int most) {
        ChunkOptions options = ChunkOptions.builder()
                .strategy(ChunkStrategy.PARENT_CHILD)
                .targetTokens(16)
                .parentTokens(most)
                .build();
        return Chunker.of(new Words(), options).split(new Document("d", "text/markdown", TEXT, Map.of()));
    }

    @Test
    void strategiesHaveRecipesOfTheirOwn() {
        Embedder words = new Words();
        assertThat(List.of(ChunkStrategy.values()))
                .extracting(strategy -> Chunker.of(words, options(strategy, 64)).recipe())
                .doesNotHaveDuplicates();
        assertThatThrownBy(() -> ChunkOptions.builder().windowSentences(21).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("windowSentences must be in [0, 20] but was 21");
    }

    private static ChunkOptions options(ChunkStrategy strategy, int target) {
        return ChunkOptions.builder()
                .strategy(strategy)
                .targetTokens(target)
                .maxTokens(target)
                .build();
    }

    private static List<Chunk> chunks(ChunkStrategy strategy, int target) {
        return Chunker.of(new Words(), options(strategy, target))
                .split(new Document("d", "text/markdown", TEXT, Map.of()));
    }

    /** Vectors by the subject: owls, trains, other. */
    private static final class Words implements Embedder {

        @Override
        public float[][] embed(List<String> texts, TextRole role) {
            return texts.stream()
                    .map(text -> text.contains("Trains")
                            ? new float[] {0, 1, 0}
                            : text.contains("Owls") ? new float[] {1, 0, 0} : new float[] {.9f, 0, .436f})
                    .toArray(float[][]::new);
        }

        @Override
        public EmbedderInfo info() {
            return new EmbedderInfo("words", "words", 3, 256);
        }

        @Override
        public int countTokens(String text) {
            return text.split("\\s+").length;
        }

        @Override
        public void close() {}
    }
}
