package dev.pollux.benchmarks.micro;

import dev.pollux.internal.text.Sentence;
import dev.pollux.internal.text.Sentences;
import dev.pollux.internal.text.Words;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A page of Markdown (headings, prose, a list, a table, code; 5 to 6 KB) cut into sentences and words. A twin does
 * both with each passage that it finds.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class TextBenchmark {

    private static final List<String> WORDS = List.of(
            "the",
            "press",
            "brake",
            "of",
            "a",
            "machine",
            "Dr. Weber",
            "opens",
            "in",
            "3.5",
            "seconds",
            "and",
            "invoice",
            "approves",
            "travels",
            "to",
            "Munich",
            "every",
            "quarter",
            "e.g.",
            "with",
            "U.S.",
            "partners",
            "is",
            "not");

    private String page = "";

    /** Writes the page. */
    @Setup(Level.Trial)
    public void write() {
        Random random = new Random(1);
        StringBuilder text = new StringBuilder();
        for (int section = 1; section <= 4; section++) {
            text.append("## Section ").append(section).append("\n\n");
            for (int i = 0; i < 8; i++) {
                sentence(text, random).append(' ');
            }
            text.append("\n\n");
            for (int i = 0; i < 4; i++) {
                sentence(text.append("* "), random).append('\n');
            }
            text.append("\n| part | price |\n|---|---|\n");
            for (int i = 0; i < 4; i++) {
                text.append("| bolt ")
                        .append(i)
                        .append(" | ")
                        .append(random.nextInt(100))
                        .append(".50 EUR |\n");
            }
            text.append("\n```java\nint answer = 42; // no. 1\n```\n\n");
        }
        page = text.toString();
    }

    /** The sentences, rows and lines of code. */
    @Benchmark
    public List<Sentence> sentences() {
        return Sentences.of(page);
    }

    /** The words with their stems. */
    @Benchmark
    public List<Words.Word> words() {
        return Words.of(page);
    }

    private static StringBuilder sentence(StringBuilder text, Random random) {
        text.append("This");
        for (int i = 8 + random.nextInt(12); i > 0; i--) {
            text.append(' ').append(WORDS.get(random.nextInt(WORDS.size())));
        }
        return text.append('.');
    }
}
