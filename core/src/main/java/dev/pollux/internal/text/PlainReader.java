package dev.pollux.internal.text;

import dev.pollux.internal.text.Block.Kind;

/** Reads plain text: its paragraphs are parted by blank lines and by the marks of questions and answers. */
final class PlainReader {

    private PlainReader() {}

    static Reading read(String text) {
        Lines lines = new Lines(text);
        BlockSink out = new BlockSink(text, lines);
        Containers none = new Containers();
        int first = -1;
        for (int i = 0; i <= lines.count(); i++) {
            boolean blank = i == lines.count() || lines.line(i).isBlank();
            boolean parts = !blank
                    && first >= 0
                    && Labels.parts(lines.line(first).strip(), lines.line(i).strip());
            if (first >= 0 && (blank || parts)) {
                none.leaf();
                out.add(Kind.PARAGRAPH, lines.start(first), lines.end(i - 1), first, i, none.next());
                first = -1;
            }
            if (!blank && first < 0) {
                first = i;
            }
        }
        return out.reading();
    }
}
