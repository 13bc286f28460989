package dev.pollux.inference.quantize;

import java.util.List;

/** A report as Markdown. */
record QualityMarkdown(QualityReport report) {

    String text() {
        StringBuilder text = new StringBuilder("# Quantization\n\n");
        table(text, List.of("", ""), QualityRows.facts(report));
        section(text, "Loss", List.of("measure", "value"), QualityRows.losses(report));
        section(text, "Models", List.of("", "original", "quantized"), QualityRows.sides(report));
        report.precision()
                .ifPresent(plan -> section(
                        text, "Budgets", List.of("weights", "mean bits", "predicted KL"), QualityRows.points(plan)));
        section(
                text,
                "Quantized weights",
                List.of("weight", "bits/block", "size", "error"),
                QualityRows.layers(report));
        section(text, "Weights in float", List.of("weight", "size", "reason"), QualityRows.kept(report));
        if (!report.done().notices().isEmpty()) {
            text.append("## Notices\n\n");
            report.done()
                    .notices()
                    .forEach(notice -> text.append("* ").append(notice).append('\n'));
        }
        return text.toString();
    }

    private static void section(StringBuilder text, String title, List<String> head, List<List<String>> rows) {
        if (!rows.isEmpty()) {
            text.append("## ").append(title).append("\n\n");
            table(text, head, rows);
        }
    }

    private static void table(StringBuilder text, List<String> head, List<List<String>> rows) {
        row(text, head);
        row(text, head.stream().map(column -> "---").toList());
        rows.forEach(row -> row(text, row));
        text.append('\n');
    }

    private static void row(StringBuilder text, List<String> cells) {
        cells.forEach(cell -> text.append("| ").append(cell.replace("|", "\\|")).append(' '));
        text.append("|\n");
    }
}
