package dev.pollux.inference.quantize;

import dev.pollux.internal.HtmlText;
import dev.pollux.quantization.QuantizedLayer;
import java.util.ArrayList;
import java.util.List;

/** A report as one HTML page. */
record QualityPage(QualityReport report) {

    private static final String HEAD = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <title>Quantization</title>
            <style>
            body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
            h1, h2 { font-weight: 600 }
            table { border-collapse: collapse; margin: .5rem 0 1.5rem }
            td, th { border-bottom: 1px solid #ddd; padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top }
            svg { max-width: 100%; height: auto; margin: .5rem 0 1.5rem }
            svg text { font: 12px system-ui, sans-serif; fill: #444 }
            </style>
            </head>
            <body>
            """;

    String text() {
        StringBuilder text = new StringBuilder(HEAD).append("<h1>Quantization</h1>\n");
        table(text, List.of(), QualityRows.facts(report));
        section(text, "Loss", List.of("measure", "value"), QualityRows.losses(report));
        section(text, "Models", List.of("", "original", "quantized"), QualityRows.sides(report));
        plots(text);
        section(
                text,
                "Quantized weights",
                List.of("weight", "bits/block", "size", "error"),
                QualityRows.layers(report));
        section(text, "Weights in float", List.of("weight", "size", "reason"), QualityRows.kept(report));
        section(
                text,
                "Notices",
                List.of(),
                report.done().notices().stream().map(List::of).toList());
        return text.append("</body>\n</html>\n").toString();
    }

    private void plots(StringBuilder text) {
        List<double[]> errors = new ArrayList<>();
        List<double[]> sizes = new ArrayList<>();
        List<QuantizedLayer> layers = report.done().layers();
        for (int i = 0; i < layers.size(); i++) {
            sizes.add(new double[] {i, layers.get(i).bytesAfter() / 1e6});
            if (layers.get(i).relativeError().isPresent()) {
                errors.add(new double[] {i, layers.get(i).relativeError().getAsDouble()});
            }
        }
        text.append("<h2>Error of each weight</h2>\n");
        text.append(new SvgPlot("weight, in the order of the graph", "‖W − Ŵ‖ / ‖W‖", false).points(errors));
        text.append("<h2>Size of each weight</h2>\n");
        text.append(new SvgPlot("weight, in the order of the graph", "MB", false).points(sizes));
        report.precision().ifPresent(plan -> {
            List<double[]> curve = plan.points().stream()
                    .map(point -> new double[] {point.bytes() / 1e6, point.kl()})
                    .toList();
            text.append("<h2>Loss of other budgets</h2>\n");
            text.append(new SvgPlot("MB of weights", "predicted KL, nats", true)
                    .line(curve, new double[] {plan.bytes() / 1e6, plan.predictedKl()}));
            section(text, "", List.of("weights", "mean bits", "predicted KL"), QualityRows.points(plan));
        });
    }

    private static void section(StringBuilder text, String title, List<String> head, List<List<String>> rows) {
        if (!rows.isEmpty()) {
            if (!title.isEmpty()) {
                text.append("<h2>").append(title).append("</h2>\n");
            }
            table(text, head, rows);
        }
    }

    private static void table(StringBuilder text, List<String> head, List<List<String>> rows) {
        text.append("<table>\n");
        if (!head.isEmpty()) {
            row(text, head, "th");
        }
        rows.forEach(row -> row(text, row, "td"));
        text.append("</table>\n");
    }

    private static void row(StringBuilder text, List<String> cells, String tag) {
        text.append("<tr>");
        for (String cell : cells) {
            text.append('<').append(tag).append('>').append(HtmlText.escaped(cell));
            text.append("</").append(tag).append('>');
        }
        text.append("</tr>\n");
    }
}
