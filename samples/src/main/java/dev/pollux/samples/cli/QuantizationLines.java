package dev.pollux.samples.cli;

import dev.pollux.inference.calibration.EmbedderComparison;
import dev.pollux.inference.calibration.ModelComparison;
import dev.pollux.inference.quantize.QualityReport;
import dev.pollux.quantization.KeptWeight;
import dev.pollux.quantization.QuantizedLayer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Facts of quantizations for people. */
final class QuantizationLines {

    private static final int MOST_LISTED = 8;

    private QuantizationLines() {}

    static void layers(List<QuantizedLayer> layers, Report report) {
        Map<String, Integer> forms = new LinkedHashMap<>();
        layers.forEach(layer -> forms.merge(form(layer), 1, Integer::sum));
        forms.forEach((form, count) -> report.text(count + (count == 1 ? " weight" : " weights"), form));
        layers.stream()
                .filter(layer -> layer.relativeError().isPresent())
                .max((a, b) -> Double.compare(
                        a.relativeError().orElse(0), b.relativeError().orElse(0)))
                .ifPresent(worst -> report.text(
                        "largest error", decimal(worst.relativeError().orElse(0)) + " in " + worst.name()));
    }

    private static String form(QuantizedLayer layer) {
        return layer.method().text() + ", " + layer.bits() + " bits"
                + (layer.blockSize() == 0 ? "" : ", blocks of " + layer.blockSize())
                + (layer.symmetric() || layer.blockSize() == 0 ? "" : ", with zero points");
    }

    static void kept(List<KeptWeight> weights, Report report) {
        weights.stream()
                .limit(MOST_LISTED)
                .forEach(weight -> report.text("stays in float", weight.name() + ": " + weight.reason()));
        if (weights.size() > MOST_LISTED) {
            report.line("  and " + (weights.size() - MOST_LISTED) + " more; --json lists all");
        }
    }

    static void loss(QualityReport found, Report report) {
        found.comparison().ifPresent(comparison -> loss(comparison, report));
        found.embeddings().ifPresent(comparison -> loss(comparison, report));
        found.retrieval()
                .forEach((name, pair) -> report.text(
                        "nDCG at 10", name + ": original " + decimal(pair.a()) + ", quantized " + decimal(pair.b())));
        found.precision()
                .ifPresent(plan -> report.text("predicted kl", decimal(plan.predictedKl()) + " without activations"));
    }

    static void loss(ModelComparison found, Report report) {
        report.text("a", told(found.a()))
                .text("b", told(found.b()))
                .text("perplexity ratio", told(found.perplexityRatio()))
                .text("kl", told(found.kl()) + ", p99 " + decimal(found.klP99()))
                .text("top one agreement", decimal(found.topOneAgreement()))
                .text(
                        "first divergence",
                        "after " + found.firstDivergence() + " of " + found.continuation() + " tokens");
    }

    static void loss(EmbedderComparison found, Report report) {
        report.text("a", told(found.a()))
                .text("b", told(found.b()))
                .text("cosine", told(found.cosine()) + ", least " + decimal(found.leastCosine()))
                .text("recall at 10", decimal(found.recallAt10()));
    }

    private static String told(ModelComparison.Side side) {
        return String.format(
                Locale.ROOT,
                "perplexity %.3f, %s, loaded in %d ms, reads %.0f and writes %.1f tokens/s",
                side.perplexity(),
                Texts.bytes(side.bytes()),
                side.loadMillis(),
                side.prefillTokensPerSecond(),
                side.decodeTokensPerSecond());
    }

    private static String told(EmbedderComparison.Side side) {
        return String.format(
                Locale.ROOT,
                "%s, loaded in %d ms, %.1f texts/s",
                Texts.bytes(side.bytes()),
                side.loadMillis(),
                side.textsPerSecond());
    }

    private static String told(ModelComparison.Interval interval) {
        return decimal(interval.value()) + " (" + decimal(interval.low()) + " to " + decimal(interval.high()) + ")";
    }

    static String decimal(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }
}
