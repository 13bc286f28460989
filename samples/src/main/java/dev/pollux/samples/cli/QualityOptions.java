package dev.pollux.samples.cli;

import dev.pollux.inference.quantize.LossGoal;
import dev.pollux.inference.quantize.PrecisionBudget;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a quantized model is measured on, and what it must keep. */
final class QualityOptions {

    private static final Pattern SIZE = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*(B|KB|MB|GB|KIB|MIB|GIB)?");

    /** Of a single text, the share that the loss of matrices is measured on; the rest measures the finished model. */
    private static final int SAMPLE_SHARE = 4;

    @Option(
            names = "--text",
            order = 20,
            paramLabel = "FILE",
            description =
                    "A held-out text to measure the loss on, here or with --compare; one that was used for nothing else.")
    private @Nullable Path text;

    @Option(
            names = "--budget",
            order = 21,
            paramLabel = "SIZE",
            description =
                    "The largest size of the weights, such as 100MB: each matrix gets 2, 4 or 8 bits by what the model loses."
                            + " Needs --text.")
    private @Nullable String budget;

    @Option(
            names = "--max-kl",
            order = 22,
            paramLabel = "NATS",
            description =
                    "The largest loss of the finished model, as mean KL of a token; above it nothing is written. Without"
                            + " --budget and --bits, each matrix gets the fewest bits that keep it. Needs --text.")
    private @Nullable Double mostKl;

    @Option(
            names = "--report",
            order = 23,
            paramLabel = "FOLDER",
            description = "Write report.json, report.md and report.html with plots into FOLDER.")
    private @Nullable Path report;

    @Option(
            names = "--beir",
            order = 24,
            paramLabel = "FOLDER",
            description = "A collection in BEIR layout: nDCG at 10 of an embedder and its original. May be slow.")
    private @Nullable Path beir;

    @Option(
            names = "--measure",
            order = 25,
            description =
                    "Measure the kernels of the chosen bits and blocks on this processor, and say which are slow.")
    private boolean measure;

    boolean measuresKernels() {
        return measure;
    }

    Optional<Path> text() {
        return Optional.ofNullable(text);
    }

    Optional<Path> report() {
        return Optional.ofNullable(report);
    }

    Optional<Path> beir() {
        return Optional.ofNullable(beir);
    }

    boolean hasBudget() {
        return budget != null;
    }

    boolean hasLimit() {
        return mostKl != null;
    }

    /**
     * The goal; empty if nothing is to be measured.
     *
     * @param free whether the bits may be chosen
     */
    Optional<LossGoal> goal(PolluxCommand command, boolean free) {
        Path held = text;
        if (held == null) {
            if (budget != null || mostKl != null) {
                throw command.usage((budget != null ? "--budget" : "--max-kl")
                        + " needs a text to measure the loss on; add --text FILE");
            }
            return Optional.empty();
        }
        GivenPath.file("--text", held, command);
        String whole = TextFile.read(held);
        LossGoal goal = LossGoal.on(whole);
        if (budget == null && (mostKl == null || !free)) {
            return Optional.of(mostKl == null ? goal : goal.withMostKl(mostKl));
        }
        int cut = cut(whole);
        goal = LossGoal.on(whole.substring(cut)).withSample(whole.substring(0, cut));
        if (budget != null) {
            goal = goal.withBudget(new PrecisionBudget.Bytes(bytes(command, budget)));
            return Optional.of(mostKl == null ? goal : goal.withMostKl(mostKl));
        }
        return Optional.of(goal.withBudget(new PrecisionBudget.Divergence(Objects.requireNonNull(mostKl))));
    }

    private static int cut(String text) {
        int cut = text.length() / SAMPLE_SHARE;
        while (cut < text.length() && !Character.isWhitespace(text.charAt(cut))) {
            cut++;
        }
        return cut;
    }

    static long bytes(PolluxCommand command, String size) {
        Matcher matcher = SIZE.matcher(size.strip().toUpperCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw command.usage("--budget must be a size such as 100MB or 1.5GB but was " + size);
        }
        String unit = matcher.group(2) == null ? "B" : matcher.group(2);
        double factor = switch (unit) {
            case "KB" -> 1e3;
            case "MB" -> 1e6;
            case "GB" -> 1e9;
            case "KIB" -> 0x1p10;
            case "MIB" -> 0x1p20;
            case "GIB" -> 0x1p30;
            default -> 1;
        };
        return (long) (Double.parseDouble(matcher.group(1)) * factor);
    }
}
