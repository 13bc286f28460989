package dev.pollux.finetune.train;

import dev.pollux.internal.HtmlText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** A run as a page of HTML: its numbers, curves of its measures, and rows with their trained tokens. <em>Stateless, thread-safe.</em> */
public final class TrainingPage {

    private static final int WIDTH = 420;
    private static final int HEIGHT = 160;
    private static final int LEFT = 60;

    private static final String STYLE = "body{font:15px/1.5 sans-serif;max-width:960px;margin:2em auto;padding:0 1em}"
            + "table{border-collapse:collapse}td,th{padding:.15em 1em .15em 0;text-align:left}"
            + "figure{display:inline-block;margin:0 1em 1em 0}figcaption{font-weight:bold}"
            + "pre{white-space:pre-wrap;background:#f4f4f4;padding:1em}mark{background:#ffe08a}"
            + "svg text{font-size:11px;fill:#555}";

    private TrainingPage() {}

    /**
     * The page, which refers to no other file.
     *
     * @param title of the run
     * @param rows samples; may be empty
     */
    public static String of(String title, TrainingReport report, List<ExplainedRow> rows) {
        StringBuilder page = new StringBuilder(
                        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>")
                .append(HtmlText.escaped(title))
                .append("</title><style>")
                .append(STYLE)
                .append("</style></head><body>\n<h1>")
                .append(HtmlText.escaped(title))
                .append("</h1>\n");
        page.append(table(report));
        report.notices()
                .forEach(notice ->
                        page.append("<p>").append(HtmlText.escaped(notice)).append("</p>\n"));
        curves(report.log()).forEach((name, values) -> page.append(figure(name, report.log(), values)));
        if (!rows.isEmpty()) {
            page.append("<h2>Rows</h2>\n<p>Trained tokens are marked.</p>\n");
            rows.forEach(row -> page.append(sample(row)));
        }
        return page.append("</body></html>\n").toString();
    }

    private static String table(TrainingReport report) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("steps", String.valueOf(report.steps()));
        facts.put("step of the adapter", String.valueOf(report.keptStep()));
        facts.put("tokens", String.valueOf(report.tokens()));
        facts.put("seconds", shown(report.elapsed().toMillis() / 1e3));
        facts.put("tokens a second", shown(report.tokensPerSecond()));
        facts.put("loss of the last steps", shown(report.trainLoss()));
        report.before().loss().ifPresent(loss -> facts.put("loss of evaluation rows before", shown(loss)));
        report.after().loss().ifPresent(loss -> facts.put("loss of evaluation rows after", shown(loss)));
        report.before().rewardAccuracy().ifPresent(share -> facts.put("reward accuracy before", shown(share)));
        report.after().rewardAccuracy().ifPresent(share -> facts.put("reward accuracy after", shown(share)));
        StringBuilder table = new StringBuilder("<table>\n");
        facts.forEach((name, value) -> table.append("<tr><th>")
                .append(name)
                .append("</th><td>")
                .append(value)
                .append("</td></tr>\n"));
        return table.append("</table>\n").toString();
    }

    private static Map<String, List<Double>> curves(List<TrainingStep> log) {
        Map<String, List<Double>> curves = new LinkedHashMap<>();
        curves.put("loss", log.stream().map(TrainingStep::loss).toList());
        curves.put("gradient norm", log.stream().map(TrainingStep::gradientNorm).toList());
        curves.put("learning rate", log.stream().map(TrainingStep::learningRate).toList());
        Map<String, List<Double>> measures = new TreeMap<>();
        for (TrainingStep step : log) {
            step.metrics()
                    .forEach((name, value) -> measures.computeIfAbsent(name, key -> new ArrayList<>())
                            .add(value));
        }
        measures.forEach((name, values) -> {
            if (values.size() == log.size()) {
                curves.put(name, values);
            }
        });
        return curves;
    }

    private static String figure(String name, List<TrainingStep> log, List<Double> values) {
        double low = values.stream().mapToDouble(Double::doubleValue).min().orElse(0);
        double high = values.stream().mapToDouble(Double::doubleValue).max().orElse(1);
        double height = high > low ? high - low : 1;
        long last = log.isEmpty() ? 1 : log.get(log.size() - 1).step();
        StringBuilder points = new StringBuilder();
        for (int i = 0; i < values.size(); i++) {
            double x = LEFT + (WIDTH - LEFT) * (double) log.get(i).step() / last;
            double y = HEIGHT * (1 - (values.get(i) - low) / height);
            points.append(String.format(Locale.ROOT, "%.1f,%.1f ", x, y + 8));
        }
        return "<figure><figcaption>" + HtmlText.escaped(name) + "</figcaption><svg width=\"" + (WIDTH + 8)
                + "\" height=\""
                + (HEIGHT + 32)
                + "\" role=\"img\"><polyline fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"1.5\" points=\""
                + points.toString().strip() + "\"/><text x=\"0\" y=\"14\">" + shown(high) + "</text><text x=\"0\" y=\""
                + (HEIGHT + 8) + "\">" + shown(low) + "</text><text x=\"" + (WIDTH - 60) + "\" y=\"" + (HEIGHT + 26)
                + "\">step " + last + "</text></svg></figure>\n";
    }

    private static String sample(ExplainedRow row) {
        StringBuilder text = new StringBuilder("<h3>Row " + row.row() + "</h3>\n<pre>");
        boolean open = false;
        for (ExplainedRow.Token token : row.tokens()) {
            if (token.trained() != open) {
                text.append(open ? "</mark>" : "<mark>");
                open = !open;
            }
            text.append(HtmlText.escaped(token.text()));
        }
        return text.append(open ? "</mark>" : "").append("</pre>\n").toString();
    }

    private static String shown(double value) {
        return String.format(Locale.ROOT, "%.4g", value);
    }
}
