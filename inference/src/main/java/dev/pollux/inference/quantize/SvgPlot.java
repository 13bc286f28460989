package dev.pollux.inference.quantize;

import dev.pollux.internal.HtmlText;
import java.util.List;
import java.util.Locale;

/**
 * A plot as an SVG element with labelled axes.
 *
 * @param across the label of the horizontal axis
 * @param up the label of the vertical axis
 * @param logarithmic whether the vertical axis is logarithmic; values of 0 and below are at its lower end
 */
record SvgPlot(String across, String up, boolean logarithmic) {

    private static final int WIDTH = 720;
    private static final int HEIGHT = 280;
    private static final int LEFT = 70;
    private static final int BOTTOM = 45;
    private static final int EDGE = 15;
    private static final int TICKS = 5;
    private static final double LEAST = 1e-12;

    /** A dot for each (x, y); empty if there is none. */
    String points(List<double[]> values) {
        if (values.isEmpty()) {
            return "";
        }
        Scale scale = scale(values);
        StringBuilder svg = begin(scale);
        values.forEach(value -> dot(svg, scale, value, 3, "#2563a8"));
        return svg.append("</svg>\n").toString();
    }

    /** A line through all (x, y), and a mark at one more place; empty if there is none. */
    String line(List<double[]> values, double... mark) {
        if (values.isEmpty()) {
            return "";
        }
        Scale scale = scale(values);
        StringBuilder svg = begin(scale).append("<polyline fill=\"none\" stroke=\"#2563a8\" points=\"");
        values.forEach(
                value -> svg.append(String.format(Locale.ROOT, "%.1f,%.1f ", scale.x(value[0]), scale.y(value[1]))));
        svg.append("\"/>\n");
        values.forEach(value -> dot(svg, scale, value, 3, "#2563a8"));
        dot(svg, scale, mark, 6, "#c2410c");
        return svg.append("</svg>\n").toString();
    }

    private record Scale(double left, double right, double low, double high, boolean logarithmic) {

        double x(double value) {
            double share = right == left ? 0.5 : (value - left) / (right - left);
            return LEFT + Math.max(0, Math.min(1, share)) * (WIDTH - LEFT - EDGE);
        }

        double y(double value) {
            double at = logarithmic ? Math.log(Math.max(LEAST, value)) : value;
            double share = high == low ? 0.5 : (at - low) / (high - low);
            return HEIGHT - BOTTOM - Math.max(0, Math.min(1, share)) * (HEIGHT - BOTTOM - EDGE);
        }

        double up(int tick) {
            double at = low + (high - low) * tick / (TICKS - 1);
            return logarithmic ? Math.exp(at) : at;
        }

        double across(int tick) {
            return left + (right - left) * tick / (TICKS - 1);
        }
    }

    private Scale scale(List<double[]> values) {
        double left = Double.POSITIVE_INFINITY;
        double right = Double.NEGATIVE_INFINITY;
        double low = logarithmic ? Double.POSITIVE_INFINITY : 0;
        double high = logarithmic ? Double.NEGATIVE_INFINITY : 0;
        for (double[] value : values) {
            left = Math.min(left, value[0]);
            right = Math.max(right, value[0]);
            double at = logarithmic ? Math.log(Math.max(LEAST, value[1])) : value[1];
            low = Math.min(low, at);
            high = Math.max(high, at);
        }
        return new Scale(left, right, low, high, logarithmic);
    }

    private StringBuilder begin(Scale scale) {
        StringBuilder svg = new StringBuilder();
        svg.append(String.format(
                Locale.ROOT,
                "<svg width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s over %s\">\n",
                WIDTH,
                HEIGHT,
                WIDTH,
                HEIGHT,
                HtmlText.escaped(up),
                HtmlText.escaped(across)));
        for (int tick = 0; tick < TICKS; tick++) {
            double y = scale.y(scale.up(tick));
            double x = scale.x(scale.across(tick));
            svg.append(String.format(
                    Locale.ROOT,
                    "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#e5e5e5\"/>\n",
                    LEFT,
                    y,
                    WIDTH - EDGE,
                    y));
            text(svg, LEFT - 6, y + 4, "end", number(scale.up(tick)));
            text(svg, x, HEIGHT - BOTTOM + 16, "middle", number(scale.across(tick)));
        }
        text(svg, (LEFT + WIDTH - EDGE) / 2.0, HEIGHT - 8, "middle", across);
        text(svg, 4, EDGE - 3, "start", up);
        return svg;
    }

    private static String number(double value) {
        return value != 0 && Math.abs(value) < 1e-3
                ? String.format(Locale.ROOT, "%.1e", value)
                : String.format(Locale.ROOT, "%.4g", value)
                        .replaceAll("(\\.\\d*?)0+$", "$1")
                        .replaceAll("\\.$", "");
    }

    private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
        svg.append(String.format(
                Locale.ROOT,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n",
                x,
                y,
                anchor,
                HtmlText.escaped(text)));
    }

    private static void dot(StringBuilder svg, Scale scale, double[] value, int radius, String colour) {
        svg.append(String.format(
                Locale.ROOT,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" fill=\"%s\"/>\n",
                scale.x(value[0]),
                scale.y(value[1]),
                radius,
                colour));
    }
}
