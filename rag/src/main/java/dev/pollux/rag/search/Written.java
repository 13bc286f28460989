package dev.pollux.rag.search;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import java.util.List;

/** What a model writes for a search. <em>Stateless, thread-safe.</em> */
final class Written {

    private Written() {}

    /** The text, greedily, without reasoning. */
    static String by(Generator generator, int maxTokens, String instruction, String input) {
        GenerationOptions options =
                GenerationOptions.builder().maxTokens(maxTokens).temperature(0).build();
        return generator
                .generate(Prompt.chat(Message.system(instruction), Message.user(input)), options)
                .text()
                .strip();
    }

    /** The lines of a text without numbers, bullets, quotation marks and repetitions, at most {@code most}. */
    static List<String> lines(String text, int most) {
        return text.lines()
                .map(line -> line.strip()
                        .replaceFirst("^(?:[-*•]|\\(?\\d{1,2}[.):])\\s*", "")
                        .replaceFirst("^[\"“](.*)[\"”]$", "$1")
                        .strip())
                .filter(line -> !line.isBlank())
                .distinct()
                .limit(most)
                .toList();
    }
}
