package dev.pollux.twin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Passage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PackerTest {

    private static final String QUESTION = "How long is it?";
    private static final TwinPrompt PROMPT = new TwinPrompt(Persona.of("Twin", "Be brief."), false);

    /** Counts words, and generates nothing. */
    private static final class WordCounter implements Generator {

        @Override
        public GenerationStream stream(Prompt prompt, GenerationOptions options) {
            throw new UnsupportedOperationException("A packer counts and does not generate");
        }

        @Override
        public GeneratorInfo info() {
            return new GeneratorInfo("words", 4096, false);
        }

        @Override
        public int countTokens(Prompt prompt) {
            return ((Prompt.Text) prompt).text().trim().split("\\s+").length;
        }

        @Override
        public void close() {}
    }

    private final WordCounter generator = new WordCounter();

    @Test
    void passagesAreWholeWhereAllOfThemFit() {
        List<Packer.Numbered> passages = List.of(passage(1, 3, 0), passage(2, 4, 1));
        List<TwinPrompt.Packed> packed = packer(tokens(whole(passages))).pack(passages, List.of(), QUESTION);
        assertThat(packed).isEqualTo(whole(passages));
        assertThat(packed).allMatch(TwinPrompt.Packed::isWhole);
    }

    @Test
    void theFirstThatDoesNotFitIsCutBetweenSentencesAndTheRestIsLeftOut() {
        List<Packer.Numbered> passages = List.of(passage(1, 2, 0), passage(2, 4, 0), passage(3, 1, 0));
        List<TwinPrompt.Packed> two = List.of(whole(passages).get(0), part(passages.get(1), 0, 2));
        assertThat(packer(tokens(two)).pack(passages, List.of(), QUESTION)).isEqualTo(two);
        assertThat(packer(tokens(two) + 1).pack(passages, List.of(), QUESTION))
                .as("a word more of room holds no sentence more")
                .isEqualTo(two);
    }

    @Test
    void theBestSentenceIsKeptWhereItsPassageIsCut() {
        Packer.Numbered passage = passage(1, 6, 4);
        TwinPrompt.Packed fromBest = part(passage, 4, 6);
        assertThat(packer(tokens(List.of(fromBest))).pack(List.of(passage), List.of(), QUESTION))
                .containsExactly(fromBest);
        TwinPrompt.Packed fromStart = part(passage, 0, 5);
        assertThat(packer(tokens(List.of(fromStart))).pack(List.of(passage), List.of(), QUESTION))
                .as("what stands before it is kept too where it fits")
                .containsExactly(fromStart);
    }

    @Test
    void nothingIsPackedWhereNotEvenTheBestSentenceFits() {
        Packer.Numbered passage = passage(1, 3, 1);
        int room = tokens(List.of(part(passage, 1, 2))) - 1;
        assertThat(packer(room).pack(List.of(passage), List.of(), QUESTION)).isEmpty();
    }

    @Test
    void historyTakesRoomFromThePassages() {
        List<Packer.Numbered> passages = List.of(passage(1, 4, 0));
        List<Message> history = List.of(Message.user("What is it?"), Message.assistant("A boat."));
        Packer packer = packer(tokens(whole(passages)));
        assertThat(packer.pack(passages, List.of(), QUESTION)).isEqualTo(whole(passages));
        assertThat(packer.pack(passages, history, QUESTION)).singleElement().matches(packed -> !packed.isWhole());
    }

    @Test
    void whateverTheRoomThePromptFitsAndIsAsFullAsItCanBe() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int run = 0; run < 200; run++) {
            List<Packer.Numbered> passages = new ArrayList<>();
            for (int i = 1 + random.nextInt(4); i > 0; i--) {
                int sentences = 1 + random.nextInt(6);
                passages.add(passage(passages.size() + 1, sentences, random.nextInt(sentences)));
            }
            int room = tokens(List.of()) + random.nextInt(tokens(whole(passages)) - tokens(List.of()) + 5);
            List<TwinPrompt.Packed> packed = packer(room).pack(passages, List.of(), QUESTION);
            String what = "seed " + seed + ", run " + run + ", room " + room;
            assertThat(tokens(packed)).as(what).isLessThanOrEqualTo(room);
            for (int i = 0; i < packed.size(); i++) {
                TwinPrompt.Packed each = packed.get(i);
                Packer.Numbered passage = passages.get(i);
                assertThat(each.number()).as(what).isEqualTo(passage.number());
                assertThat(each.isWhole() || i == packed.size() - 1).as(what).isTrue();
                assertThat(each.holds(passage.source().lines().get(passage.best())))
                        .as(what)
                        .isTrue();
            }
            if (packed.size() < passages.size()) {
                List<TwinPrompt.Packed> more = new ArrayList<>(packed);
                Packer.Numbered next = passages.get(packed.size());
                more.add(part(next, next.best(), next.best() + 1));
                boolean lastIsCut =
                        !packed.isEmpty() && !packed.get(packed.size() - 1).isWhole();
                assertThat(lastIsCut || tokens(more) > room).as(what).isTrue();
            }
        }
    }

    @Test
    void theMostRecentTurnsAreKeptWhole() {
        List<Message> history = List.of(
                Message.user("one one one"),
                Message.assistant("two two two"),
                Message.user("three"),
                Message.assistant("four"));
        Packer packer = packer(1_000);
        int all = turns(history);
        int last = turns(history.subList(2, 4));
        assertThat(packer.recent(history, QUESTION, all)).isEqualTo(history);
        assertThat(packer.recent(history, QUESTION, all - 1)).isEqualTo(history.subList(2, 4));
        assertThat(packer.recent(history, QUESTION, last)).isEqualTo(history.subList(2, 4));
        assertThat(packer.recent(history, QUESTION, last - 1)).isEmpty();
        assertThat(packer.recent(List.of(), QUESTION, 0)).isEmpty();
    }

    private Packer packer(int room) {
        return new Packer(generator, PROMPT, room);
    }

    private int tokens(List<TwinPrompt.Packed> packed) {
        return generator.countTokens(PROMPT.of(packed, List.of(), QUESTION));
    }

    /** What turns take beside the question. */
    private int turns(List<Message> history) {
        return generator.countTokens(PROMPT.of(List.of(), history, QUESTION)) - tokens(List.of());
    }

    private static List<TwinPrompt.Packed> whole(List<Packer.Numbered> passages) {
        return passages.stream()
                .map(each -> part(each, 0, each.source().lines().size()))
                .toList();
    }

    /** Sentences {@code from} to {@code to} of a passage. */
    private static TwinPrompt.Packed part(Packer.Numbered passage, int from, int to) {
        List<SentenceSpan> lines = passage.source().lines();
        return new TwinPrompt.Packed(
                passage.number(),
                passage.source(),
                lines.get(from).range().start(),
                lines.get(to - 1).range().end());
    }

    /** A passage of sentences of six words. */
    private static Packer.Numbered passage(int number, int sentences, int best) {
        String text = String.join(
                " ",
                IntStream.range(0, sentences)
                        .mapToObj(i -> "Plank " + number + i + " measures nine feet today.")
                        .toList());
        EvidencePassage source = EvidencePassage.of(
                new Passage("p" + number, "a.txt", List.of(), text, 0, text.length(), Location.lines(1, 1), Map.of()));
        return new Packer.Numbered(number, source, best);
    }
}
