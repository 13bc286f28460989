package dev.pollux.finetune.merge;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A comparison of models: their scores on a text and their answers to prompts. <em>Immutable.</em>
 *
 * @param models in the order they were given
 * @param samples one for each prompt
 */
public record MergeEvaluation(List<Score> models, List<Sample> samples) {

    public MergeEvaluation {
        models = List.copyOf(models);
        samples = List.copyOf(samples);
    }

    /**
     * The score of a model on the text; lower is better. <em>Immutable.</em>
     *
     * @param model its name
     * @param meanNll mean negative log-likelihood of a token, in nats
     * @param tokens number of predicted tokens
     * @param bitsPerByte Σ NLL / (ln 2 · UTF-8 bytes of the text): comparable between models with different tokenizers
     */
    public record Score(String model, double meanNll, int tokens, double bitsPerByte, Duration elapsed) {

        /** Returns exp(meanNll): comparable between models with the same tokenizer. */
        public double perplexity() {
            return Math.exp(meanNll);
        }
    }

    /**
     * A prompt and the models' answers. <em>Immutable.</em>
     *
     * @param answers one for each model, in their order
     */
    public record Sample(String prompt, List<String> answers) {
        public Sample {
            answers = List.copyOf(answers);
        }
    }

    /** Returns Markdown: a table of the scores, then the answers. */
    public String toMarkdown() {
        StringBuilder text = new StringBuilder("| model | perplexity | bits per byte | tokens |\n|---|---|---|---|\n");
        for (Score score : models) {
            text.append(String.format(
                    Locale.ROOT,
                    "| %s | %.3f | %.4f | %d |%n",
                    cell(score.model()),
                    score.perplexity(),
                    score.bitsPerByte(),
                    score.tokens()));
        }
        for (Sample sample : samples) {
            text.append("\n**").append(cell(sample.prompt())).append("**\n\n| model | answer |\n|---|---|\n");
            for (int i = 0; i < models.size(); i++) {
                text.append("| ")
                        .append(cell(models.get(i).model()))
                        .append(" | ")
                        .append(cell(sample.answers().get(i)))
                        .append(" |\n");
            }
        }
        return text.toString().replace("\r", "");
    }

    /** Escapes text for a table cell. */
    private static String cell(String text) {
        List<String> lines = new ArrayList<>();
        text.strip().lines().map(String::strip).filter(line -> !line.isEmpty()).forEach(lines::add);
        return String.join(" ", lines).replace("\\", "\\\\").replace("|", "\\|");
    }
}
