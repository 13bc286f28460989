package dev.pollux.samples.cli;

import dev.pollux.twin.Persona;
import dev.pollux.twin.TwinOptions;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options for a twin's answers. */
final class TwinSettings {

    @Option(
            names = "--style",
            order = 10,
            paramLabel = "STYLE",
            defaultValue = "auto",
            description =
                    "auto lets a model that --model names write if it has at least 1 billion parameters, and quotes where"
                            + " none is named or the documents do not support what it writes; write lets any model write,"
                            + " the embedded one too; quote opens no model. --stats says which it was, and why. Default:"
                            + " ${DEFAULT-VALUE}.")
    private Style style = Style.AUTO;

    @Option(
            names = "--evidence",
            order = 11,
            paramLabel = "N",
            description = "Most sentences to quote, in [1, 20]. Default: 3.")
    private @Nullable Integer maxEvidence;

    @Option(
            names = "--passages",
            order = 12,
            paramLabel = "N",
            description = "Passages to retrieve, in [1, 100]. Default: 8.")
    private @Nullable Integer topK;

    @Option(
            names = "--persona",
            order = 13,
            paramLabel = "TEXT",
            description = "For whom the twin speaks and in what tone. Default: brief and plain.")
    private @Nullable String persona;

    @Option(
            names = "--filter",
            order = 13,
            paramLabel = "FILTER",
            description =
                    "Answer only from documents whose metadata satisfy this, such as 'department = \"hr\" and year >="
                            + " 2024 and not archived'.")
    private @Nullable String filter;

    @Mixin
    private RerankingOptions reranking = new RerankingOptions();

    /** Whether a model is used. */
    enum Style {
        AUTO,
        WRITE,
        QUOTE
    }

    /** The options, with the sampling that was asked for; a value out of range is a mistake on the command line. */
    TwinOptions options(SamplingOptions sampling, PolluxCommand command) {
        TwinOptions.Builder builder = TwinOptions.builder()
                .style(TwinOptions.Style.valueOf(style.name().toUpperCase(Locale.ROOT)))
                .generation(sampling.over(TwinOptions.DEFAULTS.generation(), command));
        Optional.ofNullable(maxEvidence).ifPresent(builder::maxEvidence);
        Optional.ofNullable(topK).ifPresent(builder::topK);
        try {
            return builder.build();
        } catch (IllegalArgumentException e) {
            throw command.usage(String.valueOf(e.getMessage())
                    .replaceFirst("^maxEvidence ", "--evidence ")
                    .replaceFirst("^topK ", "--passages "));
        }
    }

    /** The filter of every search. */
    Optional<String> filter() {
        return Optional.ofNullable(filter);
    }

    /** The folder of the model that orders hits again. */
    Optional<Path> reranker() {
        return reranking.folder();
    }

    /** The person that the twin represents. */
    Persona persona() {
        return persona == null ? Persona.DEFAULT : Persona.of(Persona.DEFAULT.name(), persona);
    }
}
