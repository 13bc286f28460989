package dev.pollux.inference.quantize;

import dev.pollux.inference.calibration.EmbedderComparison;
import dev.pollux.inference.calibration.ModelComparison;
import dev.pollux.inference.calibration.ModelComparison.Interval;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The measures of a report as rows of text. */
final class QualityRows {

    private QualityRows() {}

    /** A number with four significant digits. */
    static String number(double value) {
        return String.format(Locale.ROOT, Math.abs(value) < 1e-3 && value != 0 ? "%.2e" : "%.4f", value);
    }

    /** Bytes in decimal units. */
    static String bytes(long bytes) {
        return bytes < 1_000_000
                ? String.format(Locale.ROOT, "%.1f kB", bytes / 1e3)
                : String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }

    private static String interval(Interval interval) {
        return number(interval.value()) + " (" + number(interval.low()) + " to " + number(interval.high()) + ")";
    }

    /** Measure, original, quantized. */
    static List<List<String>> sides(QualityReport report) {
        List<List<String>> rows = new ArrayList<>();
        report.comparison().ifPresent(found -> sides(found, rows));
        report.embeddings().ifPresent(found -> sides(found, rows));
        new TreeMap<>(report.retrieval())
                .forEach((name, pair) -> rows.add(List.of("nDCG at 10, " + name, number(pair.a()), number(pair.b()))));
        return rows;
    }

    private static void sides(ModelComparison found, List<List<String>> rows) {
        ModelComparison.Side a = found.a();
        ModelComparison.Side b = found.b();
        rows.add(List.of("perplexity", number(a.perplexity()), number(b.perplexity())));
        rows.add(List.of("size", bytes(a.bytes()), bytes(b.bytes())));
        rows.add(List.of("time to load", a.loadMillis() + " ms", b.loadMillis() + " ms"));
        rows.add(rates("tokens/s, reading", a.prefillTokensPerSecond(), b.prefillTokensPerSecond()));
        rows.add(rates("tokens/s, writing", a.decodeTokensPerSecond(), b.decodeTokensPerSecond()));
    }

    private static void sides(EmbedderComparison found, List<List<String>> rows) {
        rows.add(List.of("size", bytes(found.a().bytes()), bytes(found.b().bytes())));
        rows.add(List.of(
                "time to load", found.a().loadMillis() + " ms", found.b().loadMillis() + " ms"));
        rows.add(rates("texts/s", found.a().textsPerSecond(), found.b().textsPerSecond()));
    }

    private static List<String> rates(String name, double a, double b) {
        return List.of(name, String.format(Locale.ROOT, "%.1f", a), String.format(Locale.ROOT, "%.1f", b));
    }

    /** Measure, value. */
    static List<List<String>> losses(QualityReport report) {
        List<List<String>> rows = new ArrayList<>();
        report.comparison().ifPresent(found -> {
            rows.add(List.of("tokens of the text", String.valueOf(found.tokens())));
            rows.add(List.of("perplexity ratio", interval(found.perplexityRatio())));
            rows.add(List.of("KL(original‖quantized), nats", interval(found.kl())));
            rows.add(List.of("KL, 99th percentile", number(found.klP99())));
            rows.add(List.of("same first token", number(found.topOneAgreement())));
            rows.add(List.of(
                    "equal tokens of a continuation, median", found.firstDivergence() + " of " + found.continuation()));
        });
        report.embeddings().ifPresent(found -> {
            rows.add(List.of("texts", String.valueOf(found.texts())));
            rows.add(List.of("cosine", interval(found.cosine())));
            rows.add(List.of("least cosine", number(found.leastCosine())));
            rows.add(List.of("recall at 10", number(found.recallAt10())));
        });
        return rows;
    }

    /** What was done: fact, value. */
    static List<List<String>> facts(QualityReport report) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("original", report.model().toString()));
        rows.add(List.of("quantized", report.done().folder().toString()));
        rows.add(List.of("method", report.done().recipe().method().text()));
        rows.add(List.of(
                "weights",
                bytes(report.done().bytesBefore()) + " to "
                        + bytes(report.done().bytesAfter())));
        rows.add(List.of("relative error", number(report.done().relativeError())));
        forms(report).forEach((form, count) -> rows.add(List.of(form, count + " weights")));
        rows.add(List.of("in float", report.done().kept().size() + " weights"));
        report.precision()
                .ifPresent(plan -> rows.add(List.of("predicted KL, without activations", number(plan.predictedKl()))));
        return rows;
    }

    private static Map<String, Integer> forms(QualityReport report) {
        Map<String, Integer> forms = new TreeMap<>();
        report.done()
                .layers()
                .forEach(layer -> forms.merge(
                        layer.bits() + " bits" + (layer.blockSize() == 0 ? "" : ", blocks of " + layer.blockSize()),
                        1,
                        Integer::sum));
        return forms;
    }

    /** Bytes, bits, KL of the points of a budget. */
    static List<List<String>> points(PrecisionPlan plan) {
        return plan.points().stream()
                .map(point -> List.of(
                        bytes(point.bytes()), String.format(Locale.ROOT, "%.2f", point.bits()), number(point.kl())))
                .toList();
    }

    /** Weight, form, bytes, error. */
    static List<List<String>> layers(QualityReport report) {
        return report.done().layers().stream()
                .map(layer -> List.of(
                        layer.name(),
                        layer.bits() + (layer.blockSize() == 0 ? "" : "/" + layer.blockSize()),
                        bytes(layer.bytesAfter()),
                        layer.relativeError().isPresent()
                                ? number(layer.relativeError().getAsDouble())
                                : ""))
                .toList();
    }

    /** Weight, bytes, reason. */
    static List<List<String>> kept(QualityReport report) {
        return report.done().kept().stream()
                .map(weight -> List.of(weight.name(), bytes(weight.bytes()), weight.reason()))
                .toList();
    }
}
