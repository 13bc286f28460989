package dev.pollux.benchmarks;

import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Phaser;

/**
 * What the engine gains where applications spend their time: drafts, requests that share steps, chats that go on, prompts that join. Ratios
 * are taken in turns within one run.
 *
 * <pre>
 * GenerationRate MODEL [ROUNDS [drafts] [callers] [chat]]
 * </pre>
 *
 * Without names of parts, all are measured.
 */
public final class GenerationRate {

    private static final String PASSAGE =
            "The harbour of the old town was built in 1862, after a storm had destroyed the wooden piers. Its two lighthouses stand 240"
                    + " metres apart, and the northern one still has its first lens. Until 1931, salt and herring left from here for the"
                    + " ports of the south; today the harbour is used by sailing boats and by a ferry that crosses the bay four times a"
                    + " day. The town bought the storehouses in 1974 and turned them into a museum, a library and a school for boat"
                    + " builders. The museum opens at ten and closes at six; on Mondays it is closed.";

    private static final List<String> QUESTIONS = List.of(
            PASSAGE + "\n\nWhen was the harbour built, and why?",
            PASSAGE + "\n\nWhat did the town turn the storehouses into?",
            PASSAGE + "\n\nHow far apart are the lighthouses?",
            PASSAGE + "\n\nWhen is the museum open?");

    private static final List<String> COPIES = List.of(
            "Repeat this text word for word.\n\n" + PASSAGE,
            "Correct the spelling of this text and change nothing else.\n\n" + PASSAGE);

    private static final List<String> FREE = List.of(
            "Write a short story about a fox and a clock.",
            "Explain to a child why the sky is blue.",
            "What should I think about before I move to another country?");

    private static final int CALLERS = 8;
    private static final int WRITTEN = 48;

    private final Path model;
    private final int rounds;

    private GenerationRate(Path model, int rounds) {
        this.model = model;
        this.rounds = rounds;
    }

    /** Runs the measurements. */
    public static void main(String[] args) throws Exception {
        GenerationRate run = new GenerationRate(Path.of(args[0]), args.length > 1 ? Integer.parseInt(args[1]) : 3);
        List<String> parts =
                args.length > 2 ? List.of(args).subList(2, args.length) : List.of("drafts", "callers", "chat");
        if (parts.contains("drafts")) {
            run.drafts();
        }
        if (parts.contains("callers")) {
            run.callers();
        }
        if (parts.contains("chat")) {
            run.chat();
        }
    }

    private OnnxGenerator open(boolean drafting, int sequences) {
        return OnnxGenerator.open(
                model,
                EngineOptions.builder()
                        .drafting(drafting)
                        .sequences(sequences)
                        .idleSequences(sequences)
                        .build());
    }

    private static GenerationOptions tokens(int most) {
        return GenerationOptions.builder().maxTokens(most).minTokens(most).build();
    }

    private void drafts() {
        try (OnnxGenerator plain = open(false, 1);
                OnnxGenerator drafted = open(true, 1)) {
            ratio("questions on a passage", plain, drafted, QUESTIONS, 32);
            ratio("copies of a passage", plain, drafted, COPIES, 96);
            ratio("free text", plain, drafted, FREE, 96);
        }
    }

    private void ratio(String what, OnnxGenerator plain, OnnxGenerator drafted, List<String> requests, int most) {
        List<Double> ratios = new ArrayList<>();
        int offered = 0;
        int accepted = 0;
        for (int round = 0; round <= rounds; round++) {
            for (String request : requests) {
                Prompt prompt = Prompt.chat(Message.user(request));
                GenerationOptions options =
                        GenerationOptions.builder().maxTokens(most).build();
                Generation one = plain.generate(prompt, options);
                Generation other = drafted.generate(prompt, options);
                if (round > 0) { // the first one warms up
                    ratios.add(perToken(one) / perToken(other));
                    offered += other.usage().draftedTokens();
                    accepted += other.usage().acceptedTokens();
                }
            }
        }
        System.out.printf(
                Locale.ROOT,
                "drafts, %s: %.2f times as fast (median of %d), %d of %d drafted accepted%n",
                what,
                DecodeRate.median(ratios),
                ratios.size(),
                accepted,
                offered);
    }

    private static double perToken(Generation generation) {
        return (double) generation.usage().decode().toNanos()
                / Math.max(1, generation.usage().completionTokens() - 1);
    }

    private void callers() throws InterruptedException, ExecutionException {
        try (OnnxGenerator alone = open(false, 1);
                OnnxGenerator shared = open(false, CALLERS)) {
            List<List<Double>> rates = new ArrayList<>();
            List<Integer> sizes = List.of(1, 2, 4, CALLERS);
            sizes.forEach(size -> rates.add(new ArrayList<>()));
            List<Double> single = new ArrayList<>();
            for (int round = 0; round <= rounds; round++) {
                single.add(together(alone, 1));
                for (int i = 0; i < sizes.size(); i++) {
                    rates.get(i).add(together(shared, sizes.get(i)));
                }
            }
            single.remove(0);
            System.out.printf(Locale.ROOT, "one caller, steps of its own: %.1f tokens/s%n", DecodeRate.median(single));
            for (int i = 0; i < sizes.size(); i++) {
                List<Double> ratios = new ArrayList<>();
                List<Double> own = new ArrayList<>();
                for (int round = 1; round <= rounds; round++) {
                    ratios.add(rates.get(i).get(round) / rates.get(0).get(round));
                    own.add(rates.get(i).get(round) / single.get(round - 1));
                }
                System.out.printf(
                        Locale.ROOT,
                        "%d callers that share steps: %.1f tokens/s, %.2f of one that shares, %.2f of one with steps of its own%n",
                        sizes.get(i),
                        DecodeRate.median(rates.get(i).subList(1, rounds + 1)),
                        DecodeRate.median(ratios),
                        DecodeRate.median(own));
            }
            joins(shared);
        }
    }

    private static void awaitFirst(Iterator<?> deltas) {
        if (!deltas.hasNext()) {
            throw new IllegalStateException("The text is empty");
        }
    }

    private static Prompt number(int caller) {
        return Prompt.text("Number " + caller + ". " + PASSAGE + " In other words,");
    }

    /** Tokens a second of some callers, from the moment when all have their first token. */
    private double together(OnnxGenerator generator, int callers) throws InterruptedException, ExecutionException {
        Phaser start = new Phaser(callers);
        List<Callable<long[]>> tasks = new ArrayList<>();
        for (int i = 0; i < callers; i++) {
            int caller = i;
            tasks.add(() -> {
                try (GenerationStream stream = generator.stream(number(caller), tokens(WRITTEN))) {
                    awaitFirst(stream.deltas());
                    start.arriveAndAwaitAdvance();
                    long begin = System.nanoTime();
                    stream.result();
                    return new long[] {begin, System.nanoTime()};
                }
            });
        }
        List<long[]> times = all(tasks);
        long begin = times.stream().mapToLong(time -> time[0]).min().orElseThrow();
        long end = times.stream().mapToLong(time -> time[1]).max().orElseThrow();
        return 1e9 * callers * (WRITTEN - 1) / (end - begin);
    }

    private static <T> List<T> all(List<Callable<T>> tasks) throws InterruptedException, ExecutionException {
        ExecutorService threads = Executors.newFixedThreadPool(tasks.size());
        try {
            List<T> results = new ArrayList<>();
            for (Future<T> future : threads.invokeAll(tasks)) {
                results.add(future.get());
            }
            return results;
        } finally {
            threads.shutdownNow();
        }
    }

    /** Three callers write while a prompt of 384 tokens is read. */
    private void joins(OnnxGenerator generator) throws InterruptedException, ExecutionException {
        StringBuilder text = new StringBuilder();
        int words = 0;
        while (generator.countTokens(Prompt.text(text.toString())) < 384) {
            text.append(" word").append(words++ % 37);
        }
        List<Double> pauses = new ArrayList<>();
        List<Double> firsts = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            generator.prefixes().clear();
            Phaser start = new Phaser(4);
            List<Callable<Double>> tasks = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                int caller = i;
                tasks.add(() -> longestPause(generator, caller, start));
            }
            tasks.add(() -> {
                start.arriveAndAwaitAdvance();
                long begin = System.nanoTime();
                try (GenerationStream stream = generator.stream(Prompt.text(text.toString()), tokens(2))) {
                    awaitFirst(stream.deltas());
                    return (System.nanoTime() - begin) / 1e6;
                }
            });
            List<Double> times = all(tasks);
            pauses.add(
                    times.subList(0, 3).stream().mapToDouble(time -> time).max().orElseThrow());
            firsts.add(times.get(3));
        }
        System.out.printf(
                Locale.ROOT,
                "a prompt of 384 tokens joins three: its first token after %.0f ms, the longest pause of the others %.0f ms%n",
                DecodeRate.median(firsts),
                DecodeRate.median(pauses));
    }

    private static double longestPause(OnnxGenerator generator, int caller, Phaser start) {
        try (GenerationStream stream = generator.stream(number(caller), tokens(60))) {
            Iterator<?> deltas = stream.deltas();
            awaitFirst(deltas);
            start.arriveAndAwaitAdvance();
            double longest = 0;
            long last = System.nanoTime();
            while (deltas.hasNext()) {
                deltas.next();
                long now = System.nanoTime();
                longest = Math.max(longest, (now - last) / 1e6);
                last = now;
            }
            return longest;
        }
    }

    /** Ten turns with short answers: the time to the first token of each. */
    private void chat() {
        try (OnnxGenerator generator = open(true, 1)) {
            for (int round = 0; round < 2; round++) { // the first one warms up
                generator.prefixes().clear();
                List<Message> messages = new ArrayList<>();
                StringBuilder times = new StringBuilder();
                for (int turn = 1; turn <= 10; turn++) {
                    messages.add(Message.user("Turn " + turn + " of round " + round + ". "
                            + QUESTIONS
                                    .get(turn % QUESTIONS.size())
                                    .substring(PASSAGE.length())
                                    .strip()
                            + (turn == 1 ? "\n\n" + PASSAGE : "")));
                    Generation answer = generator.generate(Prompt.chat(messages), tokens(40));
                    messages.add(Message.assistant(answer.text()));
                    times.append(String.format(
                            Locale.ROOT,
                            " %d:%.0f(%d/%d)",
                            turn,
                            answer.usage().prefill().toNanos() / 1e6,
                            answer.usage().cachedTokens(),
                            answer.usage().promptTokens()));
                }
                if (round == 1) {
                    System.out.printf(
                            Locale.ROOT,
                            "first token of a chat's turns, ms (stored/all tokens of the prompt):%s%n",
                            times);
                }
            }
        }
    }
}
