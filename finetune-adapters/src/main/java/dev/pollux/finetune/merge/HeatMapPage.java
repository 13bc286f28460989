package dev.pollux.finetune.merge;

import dev.pollux.internal.HtmlText;
import dev.pollux.merging.MergeReport;
import dev.pollux.merging.MergeReport.MergedTensor;
import dev.pollux.merging.MergeReport.Statistics;
import dev.pollux.tensor.LayerName;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;

/**
 * A report as one self-contained HTML page: SVG heat maps of layer × module, with the value of each cell as its tooltip, and a
 * table of the inputs. The colour scale runs from dark blue to yellow with monotonically increasing lightness, so it is
 * readable with red-green colour blindness and in greyscale.
 */
final class HeatMapPage {

    private static final int CELL_WIDTH = 46;
    private static final int CELL_HEIGHT = 18;
    private static final int LEFT = 70;
    private static final int TOP = 150;

    /** Stops of the scale, from 0 to 1: red, green, blue. */
    private static final int[][] COLOURS = {
        {0, 34, 78}, {53, 69, 108}, {102, 105, 112}, {148, 142, 119}, {200, 184, 102}, {254, 232, 56}
    };

    private final MergeReport report;
    private final Map<Integer, Map<String, MergedTensor>> layers = new TreeMap<>(); // layer → module → tensor
    private final TreeSet<String> modules = new TreeSet<>();

    HeatMapPage(MergeReport report) {
        this.report = report;
        for (MergedTensor tensor : report.tensors()) {
            if (tensor.statistics().isPresent()) {
                LayerName.parse(tensor.name()).ifPresent(name -> add(name, tensor));
            }
        }
    }

    private void add(LayerName name, MergedTensor tensor) {
        String module = name.suffix().substring(1).replaceAll("\\.weight$", "");
        modules.add(module);
        layers.computeIfAbsent(name.layer(), layer -> new TreeMap<>()).put(module, tensor);
    }

    /** The page. */
    String text(String method) {
        StringBuilder page = new StringBuilder(
                        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width\">\n<title>A merge by ")
                .append(HtmlText.escaped(method))
                .append("</title>\n<style>\nbody{font:16px/1.5 sans-serif;color:#1a1a1a;background:#fff;margin:2em;"
                        + "max-width:80em}\nsvg{max-width:100%;height:auto}\nsvg text{font:11px sans-serif;"
                        + "fill:#1a1a1a}\ntable{border-collapse:collapse;font-size:14px}\n"
                        + "td,th{border:1px solid #bbb;padding:.2em .6em;text-align:left}\n"
                        + "td.n{text-align:right}\n</style>\n</head>\n<body>\n<h1>A merge by ")
                .append(HtmlText.escaped(method))
                .append("</h1>\n<p>")
                .append(report.tensors().size())
                .append(" tensors, ")
                .append(report.bytesWritten())
                .append(" bytes of weights, seed ")
                .append(report.seed())
                .append(". Differences are taken from the first source, the base where there is one.")
                .append(" A cell shows its numbers when the pointer rests on it.</p>\n");
        map(
                page,
                "Change",
                "Norm of the largest difference over the norm of the first source",
                s -> s.relativeChange());
        map(
                page,
                "Agreement",
                "Mean cosine between the differences of two models; empty where there are fewer than two",
                s -> s.changeCosines().stream()
                        .mapToDouble(Double::doubleValue)
                        .average()
                        .orElse(Double.NaN));
        map(
                page,
                "Sign conflicts",
                "Share of elements where one difference is above 0 and another below",
                s -> s.changes().size() < 2 ? Double.NaN : s.conflicts());
        branches(page);
        inputs(page);
        return page.append("</body>\n</html>\n").toString();
    }

    private void map(StringBuilder page, String title, String meaning, ToDoubleFunction<Statistics> value) {
        double[] values = layers.values().stream()
                .flatMap(layer -> layer.values().stream())
                .mapToDouble(tensor -> value.applyAsDouble(tensor.statistics().orElseThrow()))
                .filter(Double::isFinite)
                .sorted()
                .toArray();
        if (values.length == 0) {
            return;
        }
        double low = values[0];
        double high = values[values.length - 1];
        page.append("<h2>").append(title).append("</h2>\n<p>").append(meaning).append(": ");
        legend(page, low, high);
        int width = LEFT + modules.size() * CELL_WIDTH + 120;
        int height = TOP + layers.size() * CELL_HEIGHT + 10;
        page.append("</p>\n<svg width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n"
                .formatted(width, height, width, height, title + " by layer and module"));
        List<String> columns = new ArrayList<>(modules);
        for (int c = 0; c < columns.size(); c++) {
            page.append("<text transform=\"translate(%d,%d) rotate(-50)\">%s</text>\n"
                    .formatted(LEFT + c * CELL_WIDTH + CELL_WIDTH / 2, TOP - 6, HtmlText.escaped(columns.get(c))));
        }
        int row = 0;
        for (Map.Entry<Integer, Map<String, MergedTensor>> layer : layers.entrySet()) {
            int y = TOP + row++ * CELL_HEIGHT;
            page.append("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">layer %d</text>\n"
                    .formatted(LEFT - 8, y + CELL_HEIGHT - 5, layer.getKey()));
            for (int c = 0; c < columns.size(); c++) {
                MergedTensor tensor = layer.getValue().get(columns.get(c));
                if (tensor != null) {
                    Statistics statistics = tensor.statistics().orElseThrow();
                    double v = value.applyAsDouble(statistics);
                    String colour = Double.isFinite(v) ? colour(high > low ? (v - low) / (high - low) : 0.5) : "#fff";
                    cell(page, LEFT + c * CELL_WIDTH, y, colour, words(tensor, statistics));
                }
            }
        }
        page.append("</svg>\n");
    }

    private static void cell(StringBuilder page, int x, int y, String colour, String title) {
        page.append(
                "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" stroke=\"#fff\"><title>%s</title></rect>\n"
                        .formatted(x, y, CELL_WIDTH, CELL_HEIGHT, colour, HtmlText.escaped(title)));
    }

    private static String words(MergedTensor tensor, Statistics statistics) {
        StringBuilder words = new StringBuilder(tensor.name());
        words.append("\nchange ").append(number(statistics.relativeChange()));
        words.append("\ncosines of sources ").append(numbers(statistics.cosines()));
        if (!statistics.changeCosines().isEmpty()) {
            words.append("\ncosines of differences ").append(numbers(statistics.changeCosines()));
            words.append("\nsign conflicts ").append(number(statistics.conflicts()));
        }
        tensor.facts()
                .forEach((name, fact) ->
                        words.append('\n').append(name).append(' ').append(fact));
        return words.toString();
    }

    private static void legend(StringBuilder page, double low, double high) {
        page.append(number(low))
                .append(" <svg width=\"120\" height=\"14\" role=\"img\" aria-label=\"from ")
                .append(number(low))
                .append(", dark, to ")
                .append(number(high))
                .append(", light\">");
        for (int i = 0; i < 24; i++) {
            page.append("<rect x=\"%d\" width=\"5\" height=\"14\" fill=\"%s\"/>".formatted(5 * i, colour(i / 23.0)));
        }
        page.append("</svg> ").append(number(high));
    }

    /** Counts the tensors by branch, for methods with several branches. */
    private void branches(StringBuilder page) {
        Map<String, Integer> counts = new TreeMap<>();
        report.tensors().forEach(tensor -> {
            String branch = tensor.facts().get("branch");
            if (branch != null) {
                counts.merge(branch, 1, Integer::sum);
            }
        });
        if (!counts.isEmpty()) {
            page.append("<h2>Branches</h2>\n<table>\n<tr><th>branch</th><th>tensors</th></tr>\n");
            counts.forEach((branch, count) -> page.append("<tr><td>")
                    .append(HtmlText.escaped(branch))
                    .append("</td><td class=\"n\">")
                    .append(count)
                    .append("</td></tr>\n"));
            page.append("</table>\n");
        }
    }

    private void inputs(StringBuilder page) {
        if (report.inputs().isEmpty()) {
            return;
        }
        page.append("<h2>Inputs</h2>\n<table>\n<tr><th>file</th><th>bytes</th><th>SHA-256</th></tr>\n");
        report.inputs()
                .forEach(file -> page.append("<tr><td>")
                        .append(HtmlText.escaped(file.path()))
                        .append("</td><td class=\"n\">")
                        .append(file.bytes())
                        .append("</td><td>")
                        .append(HtmlText.escaped(file.sha256()))
                        .append("</td></tr>\n"));
        page.append("</table>\n");
    }

    private static String colour(double share) {
        double x = Math.max(0, Math.min(1, share)) * (COLOURS.length - 1);
        int i = Math.min((int) x, COLOURS.length - 2);
        double f = x - i;
        int[] rgb = new int[3];
        for (int c = 0; c < 3; c++) {
            rgb[c] = (int) Math.round((1 - f) * COLOURS[i][c] + f * COLOURS[i + 1][c]);
        }
        return "#%02x%02x%02x".formatted(rgb[0], rgb[1], rgb[2]);
    }

    private static String numbers(List<Double> values) {
        return String.join(" ", values.stream().map(HeatMapPage::number).toList());
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.4g", value);
    }
}
