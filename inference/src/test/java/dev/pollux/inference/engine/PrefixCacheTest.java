package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.PolluxException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Prompt;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests whose prompts begin alike, on a small model of random weights. */
@NoLeaks
class PrefixCacheTest {

    private static final GenerationOptions SHORT =
            GenerationOptions.builder().maxTokens(12).build();
    private static final String SYSTEM = "Answer from the passages and say which one it was. ".repeat(2);

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    @TempDir
    private Path temp;

    private Path model;

    @BeforeEach
    void write() {
        model = TinyDecoder.llama(1).write(temp.resolve("model"));
    }

    private EngineOptions.Builder options() {
        return EngineOptions.builder().cache(temp.resolve("cache")).threads(1);
    }

    private OnnxGenerator open() {
        return OnnxGenerator.open(model, options().build());
    }

    /** A generator that finds nothing. */
    private Generation alone(String prompt) {
        EngineOptions nothing = options().idleSequences(0).prefixBytes(0).build();
        try (OnnxGenerator generator = OnnxGenerator.open(model, nothing)) {
            Generation generation = generator.generate(Prompt.text(prompt), SHORT);
            assertThat(generation.usage().cachedTokens()).isZero();
            return generation;
        }
    }

    private void same(Generation actual, Generation due) {
        assertThat(actual.tokens()).as("seed %d", seed).isEqualTo(due.tokens());
        assertThat(actual.text()).isEqualTo(due.text());
    }

    @Test
    void aPromptThatGoesOnComputesOnlyWhatIsNew() {
        try (OnnxGenerator generator = open()) {
            String text = SYSTEM;
            for (int turn = 0; turn < 4; turn++) {
                Generation generation = generator.generate(Prompt.text(text), SHORT);
                same(generation, alone(text));
                assertThat(generation.usage().cachedTokens())
                        .isLessThan(generation.usage().promptTokens());
                if (turn > 0) {
                    assertThat(generation.usage().cachedTokens())
                            .isGreaterThanOrEqualTo(generator.countTokens(Prompt.text(SYSTEM)) - 1);
                }
                text = text + generation.text() + " And then? " + turn;
            }
        }
    }

    @Test
    void anyNumberOfTextsIsRemembered() {
        try (OnnxGenerator generator = open()) {
            String[] texts = new String[6];
            Arrays.setAll(texts, i -> i + SYSTEM + i);
            for (String text : texts) {
                assertThat(generator.generate(Prompt.text(text), SHORT).usage().cachedTokens())
                        .isZero();
            }
            for (String text : texts) {
                Generation generation = generator.generate(Prompt.text(text), SHORT);
                same(generation, alone(text));
                assertThat(generation.usage().promptTokens()
                                - generation.usage().cachedTokens())
                        .isBetween(1, PrefixStore.BLOCK + 1);
            }
            assertThat(generator.prefixes().bytes()).isPositive();
            generator.prefixes().clear();
            assertThat(generator.prefixes().bytes()).isZero();
        }
    }

    @Test
    void tenantsAndAdaptersShareNothing() throws IOException {
        Path adapter = TinyDecoder.llama(1).writeAdapter(temp.resolve("adapter"), 4, 8, TinyDecoder.PROJECTIONS);
        try (OnnxGenerator generator =
                        OnnxGenerator.open(model, options().adapters(true).build());
                Generator one = generator.tenant("one");
                Generator two = generator.tenant("two");
                Generator sameAsOne = generator.tenant("one");
                Generator adapted = generator.adapted(adapter)) {
            Prompt prompt = Prompt.text(SYSTEM);
            for (Generator first : new Generator[] {generator, one, two, adapted}) {
                assertThat(first.generate(prompt, SHORT).usage().cachedTokens()).isZero();
            }
            for (Generator again : new Generator[] {generator, sameAsOne, two, adapted}) {
                assertThat(again.generate(prompt, SHORT).usage().cachedTokens()).isPositive();
            }
            assertThatThrownBy(() -> generator.tenant(""))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("The name of a tenant must not be empty; use this generator itself");
        }
    }

    @Test
    void aPinnedPromptStaysWithoutABudget() {
        EngineOptions nothing = options().idleSequences(0).prefixBytes(0).build();
        try (OnnxGenerator generator = OnnxGenerator.open(model, nothing)) {
            Prompt prompt = Prompt.text(SYSTEM);
            try (PrefixCache.Pin pin = generator.prefixes().pin(prompt)) {
                int tokens = generator.countTokens(prompt);
                assertThat(pin.tokens()).isEqualTo(tokens / PrefixStore.BLOCK * PrefixStore.BLOCK);
                Generation generation = generator.generate(Prompt.text(SYSTEM + "Who?"), SHORT);
                assertThat(generation.usage().cachedTokens()).isEqualTo(pin.tokens());
                same(generation, alone(SYSTEM + "Who?"));
            }
            assertThat(generator.prefixes().bytes()).isZero();
        }
    }

    @Test
    void severalAnswersShareTheirPrompt() {
        GenerationOptions drawn = SHORT.toBuilder().temperature(1).seed(5).build();
        Prompt prompt = Prompt.text(SYSTEM);
        try (OnnxGenerator generator = open()) {
            List<Generation> answers = generator.generate(prompt, drawn, 3);
            assertThat(answers).hasSize(3);
            for (int i = 0; i < 3; i++) {
                Generation alone =
                        generator.generate(prompt, drawn.toBuilder().seed(5 + i).build());
                same(answers.get(i), alone);
                assertThat(answers.get(i).usage().promptTokens()
                                - answers.get(i).usage().cachedTokens())
                        .isBetween(1, PrefixStore.BLOCK + 1);
            }
            assertThatThrownBy(() -> generator.generate(prompt, drawn, 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("count must be at least 1 but was 0");
        }
    }

    @Test
    void whatWasSavedIsThereAtTheNextStart() {
        Path file = temp.resolve("folder").resolve("prefixes");
        String question = SYSTEM + "Who was it?";
        try (OnnxGenerator generator = open()) {
            generator.generate(Prompt.text(SYSTEM), SHORT);
            generator.generate(Prompt.text("Another text. ".repeat(4)), SHORT);
            generator.prefixes().save(file);
            generator.prefixes().save(file);
        }
        try (OnnxGenerator generator = open()) {
            int tokens = generator.prefixes().load(file);
            assertThat(tokens).isPositive();
            assertThat(generator.prefixes().load(file)).isEqualTo(tokens);
            Generation generation = generator.generate(Prompt.text(question), SHORT);
            assertThat(generation.usage().cachedTokens()).isPositive();
            same(generation, alone(question));
        }
        EngineOptions small = options().prefixBytes(0).build();
        try (OnnxGenerator generator = OnnxGenerator.open(model, small)) {
            assertThat(generator.prefixes().load(file)).isZero();
        }
    }

    @Test
    void aFileOfAnotherModelIsRefused() {
        Path file = temp.resolve("prefixes");
        Path other = TinyDecoder.llama(2).write(temp.resolve("other"));
        try (OnnxGenerator generator = OnnxGenerator.open(other, options().build())) {
            generator.generate(Prompt.text(SYSTEM), SHORT);
            generator.prefixes().save(file);
        }
        try (OnnxGenerator generator = open()) {
            assertThatThrownBy(() -> generator.prefixes().load(file))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessage("The prefixes in " + file
                            + " are of another model, runtime, processor or chunk size than this generator; save them again"
                            + " with it");
            assertThat(generator.prefixes().bytes()).isZero();
            assertThatThrownBy(() -> generator.prefixes().load(temp.resolve("absent")))
                    .isInstanceOf(StorageException.class);
        }
    }

    @Test
    void aDamagedFileIsRefusedAndNothingOfItIsKept() throws IOException {
        Path file = temp.resolve("prefixes");
        try (OnnxGenerator generator = open()) {
            generator.generate(Prompt.text(SYSTEM), SHORT);
            generator.prefixes().save(file);
            generator.prefixes().clear();
            byte[] whole = Files.readAllBytes(file);
            for (int round = 0; round < 200; round++) {
                byte[] bytes = whole.clone();
                int at = random.nextInt(random.nextBoolean() ? 60 : bytes.length);
                if (random.nextInt(3) == 0) {
                    bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length + 100));
                    bytes = bytes.length == whole.length ? new byte[3] : bytes;
                } else {
                    bytes[at] ^= (byte) (1 + random.nextInt(255));
                }
                Files.write(file, bytes);
                assertThatThrownBy(() -> generator.prefixes().load(file))
                        .as("seed %d, round %d", seed, round)
                        .isInstanceOf(PolluxException.class)
                        .isInstanceOfAny(MalformedFileException.class, UnsupportedModelException.class);
                assertThat(generator.prefixes().bytes()).isZero();
            }
            Files.write(file, new byte[0]);
            assertThatThrownBy(() -> generator.prefixes().load(file))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage("The prefixes in " + file
                            + " are damaged: it does not begin as a file of prefixes; delete the file and save the prefixes"
                            + " again");
        }
    }
}
